"""How the functions behind ``import recbench`` read their arguments: a wrong one is an error that names it."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from recbench.arguments import PATH, WHOLE, read_argument, read_whole_numbers
from recbench.errors import RecbenchError
from recbench.experiments.cut_offs import check_cut_offs
from recbench.experiments.run import check_seeds
from recbench.protocol import Recommender
from recbench.registry.requested import Model
from recbench.tasks.task import Task
from recbench.trials.curve_epochs import CurveEpochs

TaskArgument = Task | str | os.PathLike[str]
ModelArgument = str | type | Model | Recommender
"""A name of ``recbench list``, ``file.py:Class``, ``package.module:Class``, a class, an untrained instance, or a
``recbench.Model``."""


def several_models(models: ModelArgument | Iterable[ModelArgument]) -> list[ModelArgument]:
    """Returns the models of an argument that may be a single one."""
    if isinstance(models, str | type | Model) or not isinstance(models, Iterable):
        return [models]
    return list(models)


def read_seeds(seeds: int | Sequence[int]) -> Sequence[int]:
    """Returns the seeds of an argument that is their number or a list.

    Raises:
        RecbenchError: It is neither.
    """
    argument = read_whole_numbers("seeds", seeds, "For example: seeds=3, or seeds=[0, 1, 2]")
    return range(argument) if isinstance(argument, int) else tuple(argument)


def read_seed(seed: int) -> int:
    """Returns a single seed.

    Raises:
        RecbenchError: It is not a whole number that can be a seed.
    """
    number = read_argument("seed", WHOLE, seed, "For example: seed=0")
    check_seeds((number,))
    return number


def read_ks(k: int | Sequence[int]) -> tuple[int, ...]:
    """Returns the cut-offs of an argument that is one or a list, in ascending order, each once.

    Raises:
        RecbenchError: One of them cannot be a cut-off.
    """
    argument = read_whole_numbers("k", k, "For example: k=10, or k=[5, 10]")
    return check_cut_offs((argument,) if isinstance(argument, int) else tuple(sorted(set(argument))))


def read_curve(text: str | None) -> CurveEpochs | None:
    """Returns after which epochs to score; None for no learning curve.

    Raises:
        RecbenchError: The text says nothing of that kind.
    """
    try:
        return None if text is None else CurveEpochs.parse(str(text))
    except ValueError as error:
        raise RecbenchError(
            f"curve={text!r} is not all, every:N, or N,N,...", 'For example: curve="every:5"'
        ) from error


def read_path(name: str, path: str | os.PathLike[str]) -> Path:
    """Returns the path of an argument.

    Args:
        name: The argument's name.
        path: Its value.

    Raises:
        RecbenchError: It is not a path.
    """
    return read_argument(name, PATH, path, f'For example: {name}="results/runs"')


def read_optional_path(name: str, path: str | os.PathLike[str] | None) -> Path | None:
    """Returns the path of an argument that may be None; see ``read_path``."""
    return None if path is None else read_path(name, path)
