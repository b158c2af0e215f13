"""Tuned hyper-parameters on disk: one TOML file a task, each model's setting with where it comes from."""

from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from recbench.builtin_models import builtin_folder
from recbench.escaping.file_names import file_name
from recbench.output_files import SETTINGS_MARK, OutputFile
from recbench.records.number_types import Joules
from recbench.records.schema import Count, Figure, ParameterScalar, Seconds, TaskIdentity
from recbench.records.utc_datetime import UtcDatetime
from recbench.toml_file import TomlKind

SCHEMA: Final = 1
PLACE = "models/settings"
"""Where the settings that come with the models are, from the checkout's folder; as reports name it."""
PROJECT_FOLDER = Path("results/settings")
"""Where a project keeps the settings that it tunes, from the working folder."""
SETTINGS_FILE = TomlKind(
    "settings file", "Settings are written by: recbench tune", "Correct it, or tune again: recbench tune"
)

FEW_TRIALS: Final = 10
"""A search that completes fewer trials is marked: the model was too slow to use its seconds."""
BEST_SCORES: Final = 5
"""How many of the best scores a setting keeps."""

SettingValue = ParameterScalar | list[ParameterScalar]


class ConfigurationOrigin(StrEnum):
    """Where the configuration of a trial comes from."""

    DEFAULT = "default"
    """The model's defaults."""
    KNOWN = "known"
    """A known configuration of the search spaces; parameters that it leaves out have their defaults."""
    DRAWN = "drawn"
    """The sampler drew it."""


class Edge(StrEnum):
    """An end of a range."""

    LOW = "low"
    HIGH = "high"


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

    completed: Count = 0
    pruned: Count = 0
    failed: Count = 0
    out_of_time: Count = 0
    interrupted: Count = 0

    @property
    def ended(self) -> int:
        """Trials that count against the number that was asked for: all but the interrupted."""
        return self.completed + self.pruned + self.failed + self.out_of_time


class Effort(_Frozen):
    """The effort of one or several searches.

    Attributes:
        searches: Their number.
        trials: Their trials, without the interrupted.
        seconds: The seconds of all their trials.
    """

    searches: Count
    trials: Count
    seconds: Seconds


class SearchEffort(_Frozen):
    """The effort of one search.

    Attributes:
        began_at: When it began, in UTC; it identifies the search.
        trials: Its trials, without the interrupted.
        seconds: The seconds of all its trials.
    """

    began_at: UtcDatetime
    trials: Count
    seconds: Seconds


class Provenance(_Frozen):
    """Where a setting comes from: the one search that found it.

    Older files lack the attributes from ``full_ranking`` on; those that are None are not known, and not in the file.

    Attributes:
        objective: What was maximised, on validation cases: a metric such as ``ndcg@10``.
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
        full_ranking: Whether the objective ranks the whole catalogue, and not the candidates.
        origin: Where the winning configuration comes from. The best epoch is part of the setting, so that a
            configuration from the defaults may differ from them in ``epochs``.
        known_source: Where the winning configuration was found, if it is a known one.
        known_tried: Where the known configurations were found that the search began with.
        equals_defaults: Whether every parameter of the setting, ``epochs`` included, has its default.
        best_scores: The objective of the best completed trials, up to ``BEST_SCORES``, the highest first.
        at_edge: Parameters whose value lies at an edge of the search space; see ``recbench.tuning.edges``.
        joules: Energy of the processors during the trials; None without a sensor, or with trials on other machines.
        co2_grams_estimate: Joules x mean carbon intensity of the country in CodeCarbon's table; None without either.
        search_began_at: When the search began, in UTC; it identifies the search.
        earlier: Earlier searches for the same model and task of which the file does not say when they began; None if
            there are none.
        other_searches: The other searches for the same model and task whose settings were in the file; None if there
            are none.
    """

    objective: str
    validation_score: Figure
    default_score: Figure | None = None
    budget_trials: Count
    budget_seconds: Seconds
    trials: TrialCounts
    seconds: Seconds
    seconds_saved: Seconds = 0.0
    seed: Count
    threads: Count
    code_version: str | None = None
    protocol_version: Count
    recbench_version: str
    python: str
    packages: dict[str, str]
    tuned_at: UtcDatetime
    full_ranking: bool = False
    origin: ConfigurationOrigin | None = None
    known_source: str | None = None
    known_tried: tuple[str, ...] | None = None
    equals_defaults: bool | None = None
    best_scores: tuple[Figure, ...] | None = None
    at_edge: dict[str, Edge] | None = None
    joules: Joules | None = None
    co2_grams_estimate: Figure | None = None
    search_began_at: UtcDatetime | None = None
    earlier: Effort | None = None
    other_searches: tuple[SearchEffort, ...] | None = None

    @property
    def few_trials(self) -> bool:
        """Whether fewer than ``FEW_TRIALS`` trials were completed, so that the model could not use its seconds."""
        return self.trials.completed < FEW_TRIALS

    @property
    def effort(self) -> Effort:
        """The effort of this search and of all others for the same model and task."""
        before, others = self.earlier or Effort(searches=0, trials=0, seconds=0.0), self.other_searches or ()
        return Effort(
            searches=before.searches + len(others) + 1,
            trials=before.trials + sum(search.trials for search in others) + self.trials.ended,
            seconds=before.seconds + sum(search.seconds for search in others) + self.seconds,
        )

    def replacing(self, present: "Provenance") -> "Provenance":
        """Returns the same with the effort of the searches that the setting knows which it replaces.

        Each search counts once, however often searches take turns in writing the file.
        """
        earlier, others = present.earlier, {search.began_at: search for search in present.other_searches or ()}
        if present.search_began_at is None:
            earlier = Effort(
                searches=1 + (earlier.searches if earlier else 0),
                trials=present.trials.ended + (earlier.trials if earlier else 0),
                seconds=present.seconds + (earlier.seconds if earlier else 0.0),
            )
        else:
            others[present.search_began_at] = SearchEffort(
                began_at=present.search_began_at, trials=present.trials.ended, seconds=present.seconds
            )
        if self.search_began_at is not None:
            others.pop(self.search_began_at, None)
        return self.model_copy(
            update={"earlier": earlier, "other_searches": tuple(others[key] for key in sorted(others)) or None}
        )


class TunedModel(_Frozen):
    """A model's setting.

    Attributes:
        parameters: All its hyper-parameters, also those that were not searched, so that a default that changes later
            changes nothing here. Older files have only the searched ones; what a file lacks has its default, which is
            also how a file holds a parameter whose value is None.
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
        """Returns the same with one model's setting added, or put in place of its old one, whose effort it keeps."""
        if present := self.models.get(name):
            tuned = tuned.model_copy(update={"provenance": tuned.provenance.replacing(present.provenance)})
        return self.model_copy(update={"models": {**self.models, name: tuned}})


def builtin_settings_path(task: str) -> Path:
    """Returns the file of the settings that come with the models for the task of that name."""
    return builtin_folder() / "settings" / f"{file_name(task)}.toml"


def project_settings_path(task: str) -> Path:
    """Returns the project's file of tuned settings for the task of that name."""
    return PROJECT_FOLDER / f"{file_name(task)}.toml"


def find_settings(task: str) -> dict[str, TunedSettings]:
    """Returns the tuned settings for the task of that name: those of the project, then those that come with the models.

    The keys are the files, as reports name them: a report does not show where recbench is installed. If the two files
    are about tasks of different digests, only the project's counts.

    Raises:
        RecbenchError: A file cannot be read, or is not a settings file.
    """
    project, builtin = project_settings_path(task), builtin_settings_path(task)
    settings_by_file = {str(project): load(project)} if project.exists() else {}
    if builtin.exists():
        settings = load(builtin)
        if all(own.task.digest == settings.task.digest for own in settings_by_file.values()):
            settings_by_file[f"{PLACE}/{builtin.name}"] = settings
    return settings_by_file


def load(path: Path) -> TunedSettings:
    """Reads a file of settings.

    Raises:
        RecbenchError: It cannot be read, or is not one; the message names the field.
    """
    return SETTINGS_FILE.load(path, TunedSettings)


def save(settings: TunedSettings, output: OutputFile) -> None:
    """Writes a file of settings, whole or not at all; numbers in full precision.

    Raises:
        RecbenchError: It cannot be written, or a file is there that recbench did not write.
    """
    content = settings.model_dump(mode="python", by_alias=True, exclude_none=True)
    output.write(f"{SETTINGS_MARK}\n\n{tomli_w.dumps(content)}".encode())
