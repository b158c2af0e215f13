"""Which hyper-parameters a run takes from a file of settings, and which it does not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.records.schema import TaskIdentity
from recbench.records.tuned_settings import PLACE, Provenance, Settings, SettingValue, load, settings_path
from recbench.registry.parameter_values import as_text
from recbench.registry.requested import RequestedModel


class Source(StrEnum):
    """Where the hyper-parameters of a run come from."""

    DEFAULT = "default"
    TUNED = "tuned"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Overridden:
    """A tuned hyper-parameter that was given another value.

    Attributes:
        model: Whose.
        name: Which.
        given: The text that was given.
        tuned: The value that it takes the place of.
    """

    model: str
    name: str
    given: str
    tuned: SettingValue


@dataclass(frozen=True, slots=True)
class SettingsUsed:
    """What a run took from where.

    Attributes:
        source: From where.
        path: The file, as people know it; empty for defaults.
        digest: Digest of the task that the file's settings were tuned on; empty for defaults.
        task_digest: Digest of the run's task.
        tuned: By model, where its setting comes from.
        untuned: Models that keep their defaults.
        overridden: Tuned values that the user gave another.
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
    choice: str, wanted: Sequence[RequestedModel], task: TaskIdentity
) -> tuple[list[RequestedModel], SettingsUsed]:
    """Gives each model the setting that was chosen for it; what the user gave goes before.

    Args:
        choice: ``default``, ``tuned`` (the settings that come with the models), or the path of a file.
        wanted: The models with the texts of the parameters that the user gave.
        task: The run's task.

    Raises:
        RecbenchError: There is no such file, or it is not one of settings.
    """
    names = tuple(one.reference.name for one in wanted)
    if choice == Source.DEFAULT:
        return list(wanted), SettingsUsed(Source.DEFAULT, "", "", task.digest, {}, names, ())
    source = Source.TUNED if choice == Source.TUNED else Source.FILE
    settings, path = _read(source, choice, task.name)
    overridden = tuple(
        Overridden(one.reference.name, name, one.given[name], value)
        for one in wanted
        if (tuned := settings.models.get(one.reference.name)) is not None
        for name, value in tuned.parameters.items()
        if name in one.given
    )
    return [_with_setting(one, settings) for one in wanted], SettingsUsed(
        source,
        path,
        settings.task.digest,
        task.digest,
        {name: settings.models[name].provenance for name in names if name in settings.models},
        tuple(name for name in names if name not in settings.models),
        overridden,
    )


def _read(source: Source, choice: str, task: str) -> tuple[Settings, str]:
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


def _with_setting(one: RequestedModel, settings: Settings) -> RequestedModel:
    tuned = settings.models.get(one.reference.name)
    if tuned is None:
        return one
    return replace(one, texts={**{name: as_text(value) for name, value in tuned.parameters.items()}, **one.texts})
