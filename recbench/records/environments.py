"""The environments of several trials. Each lists only the packages that its own model has imported."""

from collections.abc import Iterable

from recbench.records.schema import Environment


def merged(environments: Iterable[Environment]) -> list[Environment]:
    """Merges environments of one machine that agree in the version of every package that both list.

    Args:
        environments: The environments, such as those of the trials of a run.

    Returns:
        The merged ones, in the order in which they first occur.
    """
    found: list[Environment] = []
    for one in environments:
        place = next((index for index, other in enumerate(found) if _agree(one, other)), None)
        if place is None:
            found.append(one)
            continue
        other = found[place]
        packages = dict(sorted({**other.packages, **one.packages}.items()))
        gpus = (*other.gpus, *(gpu for gpu in one.gpus if gpu not in other.gpus))
        found[place] = other.model_copy(update={"packages": packages, "gpus": gpus})
    return found


def _agree(one: Environment, other: Environment) -> bool:
    other_packages = {"packages": other.packages, "gpus": other.gpus}
    return one.model_copy(update=other_packages) == other and all(
        one.packages[name] == other.packages[name] for name in one.packages.keys() & other.packages.keys()
    )
