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
    merged_environments: list[Environment] = []
    for environment in environments:
        place = next((index for index, other in enumerate(merged_environments) if _agree(environment, other)), None)
        if place is None:
            merged_environments.append(environment)
            continue
        other = merged_environments[place]
        packages = dict(sorted({**other.packages, **environment.packages}.items()))
        gpus = (*other.gpus, *(gpu for gpu in environment.gpus if gpu not in other.gpus))
        merged_environments[place] = other.model_copy(update={"packages": packages, "gpus": gpus})
    return merged_environments


def _agree(environment: Environment, other: Environment) -> bool:
    other_packages = {"packages": other.packages, "gpus": other.gpus}
    return environment.model_copy(update=other_packages) == other and all(
        environment.packages[name] == other.packages[name]
        for name in environment.packages.keys() & other.packages.keys()
    )
