"""The type of the JSON document of a tuning; the documentation has a JSON Schema of it."""

from collections.abc import Mapping
from typing import Literal

from typing_extensions import TypedDict

from recbench.records.schema import ParameterValue
from recbench.records.tuned_settings import ConfigurationOrigin, Edge
from recbench.reports.run.document_types import TaskDocument
from recbench.tuning.past import End


class BudgetDocument(TypedDict):
    """What each model is allowed.

    Attributes:
        trials: Trials.
        seconds: Seconds of trials, without starts of processes and imports.
    """

    trials: int
    seconds: float


class EffortDocument(TypedDict):
    """The effort of all searches for a setting.

    Attributes:
        searches: Number of searches.
        trials: Their trials, without the interrupted ones.
        seconds: The seconds of these trials.
    """

    searches: int
    trials: int
    seconds: float


class TrialCountsDocument(TypedDict):
    """How the trials of a tuning ended.

    Attributes:
        completed: Trained to their end.
        pruned: Stopped early, because others were better.
        failed: The model raised an error, or its process ended.
        out_of_time: Stopped at the end of the budget.
        interrupted: Stopped with the command, and tried again.
    """

    completed: int
    pruned: int
    failed: int
    out_of_time: int
    interrupted: int


class TuningTrialDocument(TypedDict):
    """A trial of a tuning.

    Attributes:
        trial: Its number, from 0.
        end: How it ended.
        origin: Where its configuration comes from; null in older storages.
        score: The objective after its best epoch; null if it was never scored.
        epochs: Passes over the train rows.
        best_epochs: The value of `epochs` that trains until the best epoch; null without such a hyper-parameter.
        seconds: Seconds, without the start of its process and imports.
        params: The hyper-parameters that it tried; the others have their defaults.
        log: The log of its process; null without one.
    """

    trial: int
    end: End
    origin: ConfigurationOrigin | None
    score: float | None
    epochs: int | None
    best_epochs: int | None
    seconds: float
    params: Mapping[str, ParameterValue]
    log: str | None


class TuningResultDocument(TypedDict):
    """The tuning of a model. Fields about the setting are null if there is none.

    Attributes:
        model: The model.
        status: Whether a setting was found.
        search_space: The range of each hyper-parameter, as in the file of search spaces.
        params: The setting.
        objective: The metric on validation cases, such as `ndcg@10`.
        validation_score: Its value for the setting.
        default_score: Its value for the defaults; null if the search space does not hold them.
        defaults_outside: The defaults outside of the search space.
        trials: How many trials ended in each way.
        seconds: Seconds of all trials.
        joules: Energy of the processors; null without a sensor.
        co2_grams_estimate: Estimated CO2 of this energy, in grams; null without an estimate.
        origin: Where the setting comes from.
        known_source: Where the setting was published or found, if it is a known one.
        equals_defaults: Whether the setting equals the defaults.
        at_edge: Hyper-parameters at an edge of the search space.
        few_trials: Whether too few trials were completed for the budget.
        best_scores: The best values of the objective, the highest first.
        effort: The effort of all searches for the setting.
        seconds_saved_by_pruning: Estimated seconds that pruned trials would have taken.
        errors: Error messages of the failed trials.
        history: The trials, in their order.
    """

    model: str
    status: Literal["nothing-to-tune", "tuned", "no-completed-trial"]
    search_space: dict[str, str]
    params: Mapping[str, ParameterValue] | None
    objective: str | None
    validation_score: float | None
    default_score: float | None
    defaults_outside: dict[str, ParameterValue]
    trials: TrialCountsDocument
    seconds: float
    joules: float | None
    co2_grams_estimate: float | None
    origin: ConfigurationOrigin | None
    known_source: str | None
    equals_defaults: bool | None
    at_edge: dict[str, Edge] | None
    few_trials: bool | None
    best_scores: list[float] | None
    effort: EffortDocument | None
    seconds_saved_by_pruning: float
    errors: list[str]
    history: list[TuningTrialDocument]


class TuningDocument(TypedDict):
    """The document of `recbench tune --json`.

    Attributes:
        schema: Version of the document.
        task: The task.
        budget: What each model is allowed.
        settings: The file of settings.
        storage: The file of trials.
        results: The models.
    """

    schema: Literal[1]
    task: TaskDocument
    budget: BudgetDocument
    settings: str
    storage: str
    results: list[TuningResultDocument]
