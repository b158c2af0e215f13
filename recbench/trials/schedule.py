"""The trials of one run, one after the other, each record written as soon as it exists."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recbench.errors import RecbenchError
from recbench.records import store
from recbench.records.schema import Status
from recbench.records.store import StoredRecord
from recbench.tasks.task import Task
from recbench.trials.configuration import Configuration, configure
from recbench.trials.output import output_to
from recbench.trials.registry import find_model
from recbench.trials.trial import Conditions, Observer, run_trial

LOG_NAME = "models.log"


class RunObserver(Observer, Protocol):
    """Is told how a run goes."""

    def importing(self, model: str) -> None:
        """A model's module is about to be imported."""
        ...

    def trial_starts(self, trial: "PlannedTrial", number: int, total: int) -> None:
        """A trial begins."""
        ...

    def trial_ends(self, stored: StoredRecord) -> None:
        """A trial's record is written."""
        ...


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A trial that has not been run."""

    configuration: Configuration
    seed: int


def import_and_configure(parameters: dict[str, dict[str, str]], observer: RunObserver) -> list[Configuration]:
    """Imports every model, reads its parameters, and lets its constructor check them, before anything is trained.

    Args:
        parameters: For each model in its order, the texts of its parameters.
        observer: Is told which model is imported.

    Raises:
        RecbenchError: A model cannot be found or imported, or refuses its parameters.
    """
    references = {name: find_model(name) for name in parameters}
    names = [reference.name for reference in references.values()]
    if doubles := {name for name in names if names.count(name) > 1}:
        raise RecbenchError(
            f"Two models share the name {', '.join(sorted(doubles))}.", "Run them into different folders."
        )
    configurations = []
    for name, texts in parameters.items():
        observer.importing(name)
        began = time.perf_counter()
        with output_to(None):
            model_class = references[name].load()
            seconds = time.perf_counter() - began
            configuration = configure(references[name], model_class, texts, seconds)
            configuration.create()
        configurations.append(configuration)
    return configurations


def plan(configurations: Sequence[Configuration], seeds: Sequence[int]) -> list[PlannedTrial]:
    """Returns the trials, model by model."""
    return [PlannedTrial(configuration, seed) for configuration in configurations for seed in seeds]


def run_plan(
    task: Task,
    trials: Sequence[PlannedTrial],
    conditions: Conditions,
    folder: Path,
    observer: RunObserver,
) -> Iterator[StoredRecord]:
    """Runs the trials and yields each record once it is on disk.

    Raises:
        RecbenchError: The folder cannot be written. What was yielded before is kept.
    """
    log = prepare(folder)
    for number, trial in enumerate(trials, start=1):
        observer.trial_starts(trial, number, len(trials))
        with output_to(log):
            outcome = run_trial(task, trial.configuration, trial.seed, conditions, observer)
        stored = store.save(outcome.record, outcome.ranks, folder)
        if outcome.record.status is not Status.DONE:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"{stored.path.stem}\n{outcome.traceback}\n")
        observer.trial_ends(stored)
        yield stored


def prepare(folder: Path) -> Path:
    """Makes the output folder, before anything is trained in vain; returns the file for the models' own output.

    Raises:
        RecbenchError: It cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        (folder / LOG_NAME).open("ab").close()
    except OSError as error:
        raise RecbenchError(
            f"Cannot write to the output folder {folder}: {error.strerror}.", "Choose another with -o."
        ) from error
    return folder / LOG_NAME
