"""The same model in several frameworks: quality, speed and memory, with one clock and one budget of tuning.

    recbench env create cornac                 # each framework that should take part
    python -m benchmarks.frameworks            # resumes; writes results/frameworks/ and results/frameworks.md
    python -m benchmarks.frameworks --task ncf-ml-1m         # another task; writes results/frameworks-ncf-ml-1m.md
    python -m benchmarks.frameworks --page     # only writes the page again, from results/frameworks/
    python -m benchmarks.frameworks --check    # writes nothing; exits with 1 if the page is not that of these records

All implementations are tuned on validation cases with the same number of trials and seconds. Then each is trained with
each seed, in turns: all models with the first seed, then all with the second. The implementations, and what explains
their differences, are in ``frameworks.toml``. An implementation whose environment does not exist is left out.

To train again without tuning again, delete the records and keep the settings, the ``.toml`` files beside them.
"""

import argparse
import json
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import recbench
from benchmarks.frameworks_page import (
    CHECKS,
    ENVIRONMENTS,
    FIRST_TASK,
    KINDS_FILE,
    page,
    page_file,
    task_folder,
)
from recbench.errors import RecbenchError
from recbench.experiments.environments import State, environments
from recbench.output_files import OutputFile
from recbench.records import tuned_settings
from recbench.tuning.objective import EPOCHS

SPACES: Final = Path(__file__).with_name("frameworks_spaces.toml")
"""Search spaces of the implementations that need another one than recbench's."""
CURVE: Final = "1,2,3,5,7,10,15,20,30,40,50,70,100,150,200,300,400"
MOST_SECONDS: Final = 900
"""Seconds after which a trial with a seed ends."""


def tuned_entry(model: str, options: argparse.Namespace, settings: Path) -> str | None:
    """Tunes an implementation, and returns what to run.

    Args:
        model: The implementation.
        options: The budget.
        settings: The file that takes its setting.

    Returns:
        The implementation. If the budget completed no trial: the same with its defaults, and as many epochs as fitted
        into the budget. None if it was never scored.
    """
    if _is_tuned(model, options, settings):
        return model
    with SPACES.open("rb") as file:
        own_space = model in tomllib.load(file)
    storage = Path(options.work, f"{settings.stem}.db")
    (result,) = recbench.tune(
        [model],
        options.task,
        trials=options.trials,
        budget=options.budget,
        spaces=SPACES if own_space else None,
        storage=storage,
        output=settings,
        threads=1,
        device="cpu",
    ).models
    if result.tuned is not None:
        return model
    longest = max((trial.epochs for trial in result.past), default=0)
    return f"{model}:{EPOCHS}={longest}" if longest else None


def _is_tuned(model: str, options: argparse.Namespace, settings: Path) -> bool:
    """Whether a setting has come from a whole search with this budget."""
    tuned = tuned_settings.load(settings).models.get(model) if settings.exists() else None
    if tuned is None:
        return False
    provenance = tuned.provenance
    return (provenance.budget_trials, provenance.budget_seconds) == (options.trials, options.budget) and (
        provenance.trials.ended >= options.trials or provenance.seconds >= options.budget
    )


def measure(name: str, models: Sequence[str], options: argparse.Namespace) -> None:
    """Tunes the implementations of one kind of model, and trains each with each seed."""
    settings = task_folder(options.task) / f"{name}.toml"
    entries = []
    for model in models:
        try:
            entry = tuned_entry(model, options, settings)
        except RecbenchError as error:
            print(f"{model}: {error.message}", flush=True)  # noqa: T201
            continue
        if entry is None:
            print(f"{model}: no score within the budget", flush=True)  # noqa: T201
        else:
            entries.append(entry)
    # A run trains one model with all its seeds before the next: a machine that slows down would slow one model alone.
    for seed in range(options.seeds):
        recbench.run(
            entries,
            options.task,
            seeds=[seed],
            settings=str(settings),
            curve=CURVE,
            full=True,
            threads=1,
            device="cpu",
            timeout=MOST_SECONDS,
            output=task_folder(options.task) / name,
        )


def check(task: str, name: str, changes: Sequence[str]) -> None:
    """Trains implementations with a changed value that should explain a difference, with one seed."""
    recbench.run(
        changes,
        task,
        seeds=1,
        settings=str(task_folder(task) / f"{name}.toml"),
        threads=1,
        device="cpu",
        timeout=MOST_SECONDS,
        output=task_folder(task) / f"{name}{CHECKS}",
    )


def main() -> None:
    """Measures what is not measured yet, and writes the page after each kind of model."""
    with KINDS_FILE.open("rb") as file:
        kinds: dict[str, dict[str, Any]] = tomllib.load(file)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--task", default=FIRST_TASK, help=f"the task ({FIRST_TASK})")
    parser.add_argument("--trials", type=int, default=30, help="trials of the tuning of each implementation (30)")
    parser.add_argument("--budget", type=float, default=120, help="seconds of the tuning of each implementation (120)")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of each implementation (5)")
    parser.add_argument("--kinds", default=",".join(kinds), help=f"kinds of models ({','.join(kinds)})")
    parser.add_argument("--work", default="runs/frameworks", help="folder of the tuning's trials (runs/frameworks)")
    parser.add_argument("--page", action="store_true", help="only write the page, from what was measured")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is not current")
    options = parser.parse_args()
    file = page_file(options.task)
    if options.check:
        if file.read_text(encoding="utf-8") != page(options.task):
            raise SystemExit(f"{file} is not current: python -m benchmarks.frameworks --task {options.task} --page")
        return
    if not options.page:
        all_environments = environments()
        ready = {environment.lock.name for environment in all_environments if environment.state is State.READY}
        task_folder(options.task).mkdir(parents=True, exist_ok=True)
        facts = {
            environment.lock.name: {
                "version": environment.lock.version,
                "python": environment.python,
                "bytes": environment.n_bytes,
                "seconds": environment.seconds,
            }
            for environment in all_environments
            if environment.lock.name in ready
        }
        ENVIRONMENTS.write_text(json.dumps(facts, indent=2) + os.linesep, encoding="utf-8")
        for name in options.kinds.split(","):
            of_task = kinds[name].get(options.task, {})
            models = [
                model
                for model in kinds[name]["models"]
                if model not in of_task.get("left_out", {}) and (":" not in model or model.partition(":")[0] in ready)
            ]
            measure(name, models, options)
            if changes := of_task.get("checks"):
                check(options.task, name, changes)
            OutputFile(file).write(page(options.task).encode())
    OutputFile(file).write(page(options.task).encode())
    print(f"Wrote {file}")  # noqa: T201


if __name__ == "__main__":
    main()
