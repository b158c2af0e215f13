"""Which hyper-parameters of a run come from a file of tuned settings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.records.schema import TaskIdentity
from recbench.records.tuned_settings import PLACE, Provenance, SettingValue, TunedSettings, load, settings_path
from recbench.registry.parameter_values import as_text
from recbench.registry.requested import RequestedModel


class Source(StrEnum):
    """Where the hyper-parameters of a run come from."""

    DEFAULT = "default"
    TUNED = "tuned"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Overridden:
    """A tuned hyper-parameter that the user has set to another value.

    Attributes:
        model: The model's name.
        name: The hyper-parameter's name.
        given: The text of the user's value.
        tuned: The tuned value, which is not used.
    """

    model: str
    name: str
    given: str
    tuned: SettingValue


@dataclass(frozen=True, slots=True)
class SettingsUsed:
    """The origin of a run's hyper-parameters.

    Attributes:
        source: The kind of origin.
        path: The file, as tables name it; empty for defaults.
        digest: Digest of the task that the file's settings were tuned on; empty for defaults.
        task_digest: Digest of the run's task.
        tuned: How each tuned model was tuned, by the model's name.
        untuned: Models that keep their defaults.
        overridden: Tuned hyper-parameters that the user has set.
    """

    source: Source
    path: str
    digest: str
    task_digest: str
    tuned: dict[str, Provenance]
    untuned: tuple[str, ...]
    overridden: tuple[Overridden, ...]

    @property
    def of_another_task(self) -> bool:
        """Whether the settings were tuned on another task than the run's."""
        return bool(self.digest) and self.digest != self.task_digest


def use_settings(
    choice: str, requested: Sequence[RequestedModel], task: TaskIdentity
) -> tuple[list[RequestedModel], SettingsUsed]:
    """Gives each model its tuned hyper-parameters; values of the user take precedence.

    Args:
        choice: ``default``, ``tuned`` (the settings that come with the models), or the path of a file.
        requested: The models with the hyper-parameters that the user gave.
        task: The run's task.

    Raises:
        RecbenchError: The file does not exist, or is not a file of settings.
    """
    names = tuple(dict.fromkeys(model.reference.name for model in requested))
    if choice == Source.DEFAULT:
        return list(requested), SettingsUsed(Source.DEFAULT, "", "", task.digest, {}, names, ())
    source = Source.TUNED if choice == Source.TUNED else Source.FILE
    settings, path = _read(source, choice, task.name)
    overridden = tuple(
        Overridden(model.reference.name, name, model.given[name], value)
        for model in requested
        if (tuned := settings.models.get(model.reference.name)) is not None
        for name, value in tuned.parameters.items()
        if name in model.given
    )
    return [_with_setting(model, settings) for model in requested], SettingsUsed(
        source,
        path,
        settings.task.digest,
        task.digest,
        {name: settings.models[name].provenance for name in names if name in settings.models},
        tuple(name for name in names if name not in settings.models),
        overridden,
    )


def _read(source: Source, choice: str, task: str) -> tuple[TunedSettings, str]:
    if source is Source.FILE:
        return load(Path(choice)), choice
    path = settings_path(task)
    if not path.is_file():
        raise RecbenchError(
            f"No model was tuned on the task {task!r} yet: there is no {PLACE}/{path.name}.",
            f"Tune: recbench tune --models ... --task {task}; or give --settings default, or a file.",
        )
    # Not where it is on this machine: the note is printed with tables that are published.
    return load(path), f"{PLACE}/{path.name}"


def _with_setting(model: RequestedModel, settings: TunedSettings) -> RequestedModel:
    tuned = settings.models.get(model.reference.name)
    if tuned is None:
        return model
    return replace(model, texts={**{name: as_text(value) for name, value in tuned.parameters.items()}, **model.texts})
