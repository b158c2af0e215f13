"""The self-test: the harness against known answers, and models against their contract."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from recbench.experiments.task_source import TaskSource
from recbench.operating_system.processor import available_cores
from recbench.registry.requested import RequestedModel
from recbench.selftest.check import Check
from recbench.selftest.known_answers import known_answers
from recbench.selftest.model_process import ModelProcess

SECONDS = 600.0
"""How long a step of a model's checks may take, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A check that was made.

    Attributes:
        model: The model that it is about; None for the harness.
        check: The check and its result.
    """

    model: str | None
    check: Check


def selftest(
    source: TaskSource,
    models: Sequence[RequestedModel],
    threads: int,
    announce: Callable[[str], None],
    seconds: float = SECONDS,
) -> Generator[Checked]:
    """Yields each check when it is made. What a model prints is discarded.

    Each model is checked in a process of its own. Models are imported, and their hyper-parameters read, before anything
    is checked. A model whose process does not come to the end of the checks has failed, however it ended.

    Args:
        source: The task.
        models: The models to check.
        threads: Threads for each model.
        announce: Receives the name of each step before it begins.
        seconds: How long each step of a model may take: its import, or a fit with what is checked of it.

    Raises:
        RecbenchError: A model cannot be imported, or refuses its hyper-parameters.
    """
    # More imported models at a time would fill the memory for no gain; the others are imported again.
    kept: dict[int, ModelProcess] = {}
    running: ModelProcess | None = None
    try:
        for number, model in enumerate(models):
            announce(f"Importing {model.title}")
            running = ModelProcess(model, threads, seconds)
            running.await_import()
            if len(kept) < available_cores():
                kept[number] = running
            else:
                running.end()
        announce(f"Known answers on {source.task.name} ...")
        for check in known_answers(source.task):
            yield Checked(None, check)
        for number, model in enumerate(models):
            running = kept.pop(number, None)
            if running is None:
                running = ModelProcess(model, threads, seconds)
                running.await_import()

            def step(text: str, name: str = model.title) -> None:
                announce(f"{name}: {text} ...")

            for check in running.checks(source.task, source.path, step):
                yield Checked(model.title, check)
            running.end()
    finally:
        for process in [*kept.values(), *([running] if running else [])]:
            process.end()
