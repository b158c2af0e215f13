"""How the functions behind ``import recbench`` read their arguments: a wrong one is an error that names it."""

import os
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbench.arguments import PATH, WHOLE, read_argument, read_whole_numbers
from recbench.errors import RecbenchError
from recbench.experiments.cut_offs import check_cut_offs
from recbench.experiments.run import check_seeds
from recbench.protocol import Recommender
from recbench.records.schema import TaskIdentity
from recbench.records.tuned_settings import TunedSettings
from recbench.registry.requested import Model
from recbench.registry.settings_used import SettingsInMemory
from recbench.tasks.task import Task
from recbench.trials.curve_epochs import CurveEpochs
from recbench.tuning.spaces import ARGUMENT_FORM

if TYPE_CHECKING:
    from recbench.experiments.tuning import Tuning

TaskArgument = Task | str | os.PathLike[str]
ModelArgument = str | type | Model | Recommender
"""A name of ``recbench list``, ``file.py:Class``, ``package.module:Class``, a class, an untrained instance, or a
``recbench.Model``."""
ModelsArgument = ModelArgument | Iterable[ModelArgument] | Mapping[str, ModelArgument]
"""A model, several, or models by label."""
SpacesArgument = str | os.PathLike[str] | Mapping[str, Mapping[str, Any]]
"""A file of search spaces, or what such a file holds."""


def several_models(models: ModelsArgument) -> list[ModelArgument]:
    """Returns the models of an argument that may be a single one. The keys of a dict are labels."""
    if isinstance(models, Mapping):
        return [_labelled(label, model) for label, model in models.items()]
    if isinstance(models, str | type | Model) or not isinstance(models, Iterable):
        return [models]
    return list(models)


def _labelled(label: str, model: ModelArgument) -> Model:
    if isinstance(model, Model):
        return Model(model.model, label=label, **model.parameters)
    return Model(model, label=label)


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


def read_path(name: str, path: str | os.PathLike[str], example: str = "results/runs") -> Path:
    """Returns the path of an argument.

    Args:
        name: The argument's name.
        path: Its value.
        example: A path for the error.

    Raises:
        RecbenchError: It is not a path.
    """
    return read_argument(name, PATH, path, f'For example: {name}="{example}"')


def read_optional_path(name: str, path: str | os.PathLike[str] | None, example: str = "results/runs") -> Path | None:
    """Returns the path of an argument that may be None; see ``read_path``."""
    return None if path is None else read_path(name, path, example)


def read_spaces_argument(spaces: SpacesArgument | None) -> Path | Mapping[str, Any] | None:
    """Returns search spaces: the path of a file, or what such a file holds; None for those of the builtin models.

    Raises:
        RecbenchError: They are neither.
    """
    if isinstance(spaces, Mapping):
        return spaces
    if spaces is None or isinstance(spaces, str | os.PathLike):
        return read_optional_path("spaces", spaces)
    raise RecbenchError(f"{reprlib.repr(spaces)} is neither a file nor a dict of search spaces.", ARGUMENT_FORM)


def read_settings(settings: "str | os.PathLike[str] | Tuning | None") -> str | SettingsInMemory | None:
    """Returns where the hyper-parameters of a run come from: a name or a path, or the settings of a tuning.

    Raises:
        RecbenchError: It is none of these.
    """
    if settings is None or isinstance(settings, str | os.PathLike):
        return None if settings is None else os.fspath(settings)
    # Here, for a tuning loads what draws pictures.
    from recbench.experiments.tuning import Tuning

    if not isinstance(settings, Tuning):
        raise RecbenchError(
            f"The argument settings={reprlib.repr(settings)} is not valid.",
            'For example: settings="tuned", settings="settings.toml", or what recbench.tune returned',
        )
    tuned = {model.model: model.tuned for model in settings.models if model.tuned is not None}
    task = TaskIdentity(name=settings.task["name"], digest=settings.task["digest"])
    # The settings, and not the file: another tuning may have written into it since.
    return SettingsInMemory(str(settings.output), TunedSettings(task=task, models=tuned))


def read_settings_of_tasks(settings: str | os.PathLike[str] | None) -> str | None:
    """Returns where the hyper-parameters of runs on several tasks come from; see ``read_settings``.

    Raises:
        RecbenchError: It is none of these, or a tuning, which is of one task.
    """
    chosen = read_settings(settings)
    if isinstance(chosen, SettingsInMemory):
        raise RecbenchError(
            "The argument settings is a tuning, which is of one task; a suite has several.",
            'Tune on each task, and then use settings="tuned".',
        )
    return chosen
