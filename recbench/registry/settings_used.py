"""Which hyper-parameters of a run come from a file of tuned settings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.records.schema import TaskIdentity
from recbench.records.tuned_settings import (
    PLACE,
    Provenance,
    SettingValue,
    TunedModel,
    TunedSettings,
    find_settings,
    load,
    project_settings_path,
)
from recbench.registry.parameter_values import as_text
from recbench.registry.requested import RequestedModel


class Source(StrEnum):
    """Where the hyper-parameters of a run come from."""

    DEFAULT = "default"
    TUNED = "tuned"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class SettingsInMemory:
    """Tuned settings that a program holds.

    Attributes:
        path: The file into which they were written, as tables name it.
        settings: The settings.
    """

    path: str
    settings: TunedSettings


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
        path: The file, as tables name it; empty for defaults. With several files, each names its models.
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
    choice: str | SettingsInMemory, requested: Sequence[RequestedModel], task: TaskIdentity
) -> tuple[list[RequestedModel], SettingsUsed]:
    """Gives each model its tuned hyper-parameters; values of the user take precedence.

    Args:
        choice: ``default``, ``tuned`` (each model's setting from the project, else the one that comes with the models),
            the path of a file, or settings that were not read from a file.
        requested: The models with the hyper-parameters that the user gave.
        task: The run's task.

    Raises:
        RecbenchError: The file does not exist, or is not a file of settings.
    """
    names = tuple(dict.fromkeys(model.reference.name for model in requested))
    if choice == Source.DEFAULT:
        return list(requested), SettingsUsed(Source.DEFAULT, "", "", task.digest, {}, names, ())
    source = Source.TUNED if choice == Source.TUNED else Source.FILE
    if isinstance(choice, SettingsInMemory):
        files = {choice.path: choice.settings}
    else:
        files = {choice: load(Path(choice))} if source is Source.FILE else _find(task.name)
    used: dict[str, dict[str, TunedModel]] = {}
    for name in names:
        if path := next((path for path, settings in files.items() if name in settings.models), None):
            used.setdefault(path, {})[name] = files[path].models[name]
    tuned = {name: models[name] for name in names for models in used.values() if name in models}
    overridden = tuple(
        Overridden(model.reference.name, name, model.given[name], value)
        for model in requested
        if (setting := tuned.get(model.reference.name)) is not None
        for name, value in setting.parameters.items()
        if name in model.given
    )
    return [_with_setting(model, tuned.get(model.reference.name)) for model in requested], SettingsUsed(
        source,
        _named(used) or next(iter(files)),
        next(iter(files.values())).task.digest,
        task.digest,
        {name: tuned_model.provenance for name, tuned_model in tuned.items()},
        tuple(name for name in names if name not in tuned),
        overridden,
    )


def _find(task: str) -> dict[str, TunedSettings]:
    settings = find_settings(task)
    if not settings:
        name = project_settings_path(task)
        raise RecbenchError(
            f"No model was tuned on the task {task!r} yet: there is no {name} and no {PLACE}/{name.name}.",
            f"Tune: recbench tune --models ... --task {shell_word(task)}; or give --settings default, or a file.",
        )
    return settings


def _named(used: dict[str, dict[str, TunedModel]]) -> str:
    """Returns the files that were used; several files each with their models."""
    if len(used) < 2:
        return "".join(used)
    return ", ".join(f"{path} ({', '.join(models)})" for path, models in used.items())


def _with_setting(model: RequestedModel, tuned: TunedModel | None) -> RequestedModel:
    if tuned is None:
        return model
    return replace(model, texts={**{name: as_text(value) for name, value in tuned.parameters.items()}, **model.texts})
