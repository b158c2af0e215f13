"""Which rules suit a dataset of the catalogue, and the command that makes a task from it."""

from collections.abc import Collection
from dataclasses import dataclass

from recbench.data.catalogue import Dataset, catalogue, find_dataset
from recbench.errors import RecbenchError, unknown_name
from recbench.tasks.exchange.forms import Order
from recbench.tasks.named_specs import builtin_specs, own_spec
from recbench.tasks.spec import CatalogueData, GlobalTime, TaskSpec, Weights


@dataclass(frozen=True, slots=True)
class Need:
    """What rules need of the rows.

    Attributes:
        column: ``"timestamps"`` or ``"ratings"``.
        reason: What the rules do with them.
    """

    column: str
    reason: str


def needs(spec: TaskSpec) -> list[Need]:
    """Returns what the filters and the split of a spec need besides users and items."""
    filters, split = spec.filters, spec.split
    requirements = []
    if isinstance(split, GlobalTime):
        requirements.append(Need("timestamps", "split all rows at one time"))
    elif getattr(split, "order", None) is Order.TIMESTAMP:
        requirements.append(Need("timestamps", "hold out the latest rows of each user"))
    if filters.since is not None or filters.until is not None:
        requirements.append(Need("timestamps", "keep only rows of a period (since, until)"))
    if filters.min_rating is not None:
        requirements.append(Need("ratings", f"keep only rows rated at least {filters.min_rating:g} (min_rating)"))
    if filters.weights is Weights.LOG:
        requirements.append(Need("ratings", 'take their logarithm (weights = "log")'))
    return requirements


def lacking(dataset: Dataset, spec: TaskSpec) -> Need | None:
    """Returns the first thing that the rules need and the dataset does not have; None if they suit it."""
    has = {"timestamps": dataset.has_timestamps, "ratings": dataset.has_ratings}
    return next((need for need in needs(spec) if not has[need.column]), None)


def check_suits(name: str, spec: TaskSpec, like: str, taken: Collection[str]) -> None:
    """Checks, before any download, that the rules of a spec suit its dataset.

    Args:
        name: The dataset's name.
        spec: The spec.
        like: The name of the rules, for the message.
        taken: Names of tasks that exist.

    Raises:
        RecbenchError: They do not; the message says what the dataset lacks, and names rules that suit it.
    """
    if (need := lacking(find_dataset(name), spec)) is not None:
        raise RecbenchError(
            f"The dataset {name!r} has no {need.column}, but the rules of {like} {need.reason}.",
            f"Use rules that need no {need.column}:\n{build_command(name, taken)}",
        )


def build_command(dataset: str, taken: Collection[str]) -> str:
    """Returns the command that builds a task from a dataset of the catalogue, with rules that suit it.

    Args:
        dataset: The dataset's name.
        taken: Names of tasks that exist; the command proposes another name.
    """
    rule, model = next((rule, spec) for rule, spec in _rules().items() if lacking(catalogue()[dataset], spec) is None)
    return _command(_free(f"{dataset}-{rule}", taken), dataset, model)


def same_rules_command(spec: TaskSpec) -> str | None:
    """Returns the command that builds a task of a dataset again; None if no builtin task has the same rules."""
    if not isinstance(spec.dataset, CatalogueData):
        return None
    models = [model for model in builtin_specs().values() if model.rules() == spec.rules()]
    return _command(spec.name, spec.dataset.name, models[0]) if models else None


def unknown_task(name: str, taken: Collection[str]) -> RecbenchError:
    """Returns the error for a task that does not exist.

    For the name of a dataset, or such a name with a rule behind it (``ml-1m-loo``), the hint is the command that makes
    a task from this dataset; for other names, the nearest names of tasks.

    Args:
        name: The name that was not found.
        taken: Names of tasks that exist.
    """
    lower_name = name.lower()
    if lower_name in catalogue():
        return _dataset_instead(name, lower_name, taken)
    for rule, model in _rules().items():
        dataset = lower_name.removesuffix(f"-{rule}")
        buildable = dataset != lower_name and dataset in catalogue() and lower_name not in taken
        if buildable and lacking(catalogue()[dataset], model) is None:
            return RecbenchError(
                f"The task {name!r} is not built yet.",
                f"Build it from the dataset {dataset}:\n{_command(lower_name, dataset, model)}",
            )
    return unknown_name("task", name, taken, "Or the path of a spec file: --task my-task.toml")


def _dataset_instead(name: str, dataset: str, taken: Collection[str]) -> RecbenchError:
    problem = f"{name!r} is a dataset, not a task."
    if built := [task for task in taken if _is_of(dataset, own_spec(task))]:
        return RecbenchError(
            problem, f"Use a task that was built from it: {', '.join(f'--task {task}' for task in built)}"
        )
    lines = [f"Build a task from it:\n{build_command(dataset, taken)}"]
    if (split := catalogue()[dataset].split) is not None:
        waived = "".join(f" --waive {waiver}" for waiver in split.waivers)
        lines.insert(
            0,
            "Import its published split as a task:\n"
            f"recbench task import {split.form} --dataset {dataset}{waived} {_free(dataset, taken)}",
        )
    return RecbenchError(problem, "\n".join(lines))


def _is_of(dataset: str, spec: TaskSpec | None) -> bool:
    return spec is not None and isinstance(spec.dataset, CatalogueData) and spec.dataset.name == dataset


def _rules() -> dict[str, TaskSpec]:
    """Returns the builtin tasks that are named after a dataset and a rule, such as ml-100k-loo, by the rule."""
    return {
        name.removeprefix(f"{spec.dataset.name}-"): spec
        for name, spec in builtin_specs().items()
        if isinstance(spec.dataset, CatalogueData) and name.startswith(f"{spec.dataset.name}-")
    }


def _command(name: str, dataset: str, model: TaskSpec) -> str:
    return f"recbench task build {name} --dataset {dataset} --like {model.name}"


def _free(name: str, taken: Collection[str]) -> str:
    """Returns the name, with a number behind it if it is taken."""
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(free for free in (name, *numbered) if free not in taken)
