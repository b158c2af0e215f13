"""The self-test: the harness against known answers, and models against their contract."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from recbench.registry.requested import RequestedModel
from recbench.selftest.check import Check
from recbench.selftest.known_answers import known_answers
from recbench.selftest.model_contract import ModelUnderTest, model_contract
from recbench.tasks.task import Task
from recbench.trials.output_redirection import output_to


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
    task: Task, models: Sequence[RequestedModel], threads: int, announce: Callable[[str], None]
) -> Iterator[Checked]:
    """Yields each check when it is made. What a model prints is discarded.

    Models are imported, and their hyper-parameters read, before anything is checked.

    Args:
        task: The task.
        models: The models to check.
        threads: Threads for each model.
        announce: Receives the name of each step before it begins.

    Raises:
        RecbenchError: A model cannot be imported, or refuses its hyper-parameters.
    """
    under_test = []
    for one in models:
        announce(f"Importing {one.title}")
        with output_to(None):
            under_test.append(ModelUnderTest.load(one))
    announce(f"Known answers on {task.name} ...")
    for check in known_answers(task):
        yield Checked(None, check)
    for model in under_test:

        def step(text: str, name: str = model.name) -> None:
            announce(f"{name}: {text} ...")

        checks = model_contract(model, task, threads, step)
        while True:
            # Only while the model is at work: what is printed between its checks is not the model's.
            with output_to(None):
                check_of_model = next(checks, None)
            if check_of_model is None:
                break
            yield Checked(model.name, check_of_model)
