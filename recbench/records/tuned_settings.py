"""Tuned hyper-parameters on disk: one TOML file a task, each model's setting with where it comes from."""

from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from recbench.builtin_models import builtin_folder
from recbench.data.cache import atomic_path
from recbench.records.schema import ParameterScalar, TaskIdentity
from recbench.toml_file import TomlKind

SCHEMA: Final = 1
PLACE = "models/settings"
"""Where the settings that come with the models are, from the checkout's folder; as reports name it."""
HEAD = "# Tuned on validation cases; test cases played no part. Written by: recbench tune"
SETTINGS_FILE = TomlKind(
    "settings file", "Settings are written by: recbench tune", "Correct it, or tune again: recbench tune"
)

SettingValue = ParameterScalar | list[ParameterScalar]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TrialCounts(_Frozen):
    """How the trials of a tuning ended.

    Attributes:
        completed: Trained to their end; the best of these is the setting.
        pruned: Ended early, for they fell behind.
        failed: The model raised an error, or its process died.
        out_of_time: Ended with the budget.
        interrupted: The tuning was interrupted or killed while they ran; they were tried again.
    """

    completed: int = 0
    pruned: int = 0
    failed: int = 0
    out_of_time: int = 0
    interrupted: int = 0

    @property
    def ended(self) -> int:
        """Trials that count against the number that was asked for: all but the interrupted."""
        return self.completed + self.pruned + self.failed + self.out_of_time


class Provenance(_Frozen):
    """Where a setting comes from.

    Attributes:
        objective: What was maximised, on validation cases.
        validation_score: Its value for the setting.
        default_score: Its value for the model's defaults; None where the search space does not hold them.
        budget_trials: Trials that each model was allowed.
        budget_seconds: Seconds that each model was allowed.
        trials: How they ended.
        seconds: What they took, without starts of processes and imports.
        seconds_saved: Estimate of what the pruned ones would have taken to their end.
        seed: Seed of the search and of every training.
        threads: Threads of every training.
        code_version: Hash of the model's source.
        protocol_version: Version of the contract between harness and model.
        recbench_version: Version of the harness.
        python: Version of Python.
        packages: Versions of packages that results may depend on.
        tuned_at: When the best trial began, in UTC.
    """

    objective: str
    validation_score: float
    default_score: float | None = None
    budget_trials: int
    budget_seconds: float
    trials: TrialCounts
    seconds: float
    seconds_saved: float = 0.0
    seed: int
    threads: int
    code_version: str | None = None
    protocol_version: int
    recbench_version: str
    python: str
    packages: dict[str, str]
    tuned_at: datetime


class TunedModel(_Frozen):
    """A model's setting.

    Attributes:
        parameters: Its hyper-parameters; those that are not here keep their defaults.
        provenance: Where they come from.
        search_space: Where they were looked for, each as in ``models/search_spaces.toml``.
    """

    parameters: dict[str, SettingValue]
    provenance: Provenance
    search_space: dict[str, str] = {}


class TunedSettings(_Frozen):
    """The settings of a task, by the names of the models."""

    version: Literal[1] = Field(default=SCHEMA, alias="schema")
    task: TaskIdentity
    models: dict[str, TunedModel] = {}

    def with_model(self, name: str, tuned: TunedModel) -> "TunedSettings":
        """Returns the same with one model's setting added, or put in place of its old one."""
        return self.model_copy(update={"models": {**self.models, name: tuned}})


def settings_path(task: str) -> Path:
    """Returns the file of the settings that come with the models for the task of that name."""
    return builtin_folder() / "settings" / f"{task}.toml"


def load(path: Path) -> TunedSettings:
    """Reads a file of settings.

    Raises:
        RecbenchError: It cannot be read, or is not one; the message names the field.
    """
    return SETTINGS_FILE.load(path, TunedSettings)


def save(settings: TunedSettings, path: Path) -> None:
    """Writes a file of settings, whole or not at all; numbers in full precision.

    Raises:
        RecbenchError: It cannot be written.
    """
    content = settings.model_dump(mode="python", by_alias=True, exclude_none=True)
    with atomic_path(path) as temporary:
        temporary.write_text(f"{HEAD}\n\n{tomli_w.dumps(content)}", encoding="utf-8")
