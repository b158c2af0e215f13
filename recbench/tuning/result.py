"""What a tuning found: a model's setting, and where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from recbench.protocol import PROTOCOL_VERSION
from recbench.records.schema import ParameterValue
from recbench.records.tuned_settings import BEST_SCORES, Provenance, TunedModel
from recbench.trials.carbon import grams_of
from recbench.trials.planned import PlannedModel
from recbench.tuning.edges import at_edge
from recbench.tuning.objective import EPOCHS, NDCG_AT_10, Objective
from recbench.tuning.past import Budget, End, PastTrial, best, best_scores, counts, joules_spent, spent
from recbench.tuning.space_check import outside
from recbench.tuning.spaces import ModelSpace, Space, texts


@dataclass(frozen=True, slots=True)
class ModelTuning:
    """All that is known of one model's tuning.

    Attributes:
        model: Its name.
        space: Where its hyper-parameters were looked for; empty if there is nothing to tune.
        past: Its trials that are over.
        tuned: Its setting; None if no trial was completed.
        outside: Its defaults that the space does not hold.
        defaults: Its defaults of the parameters of the space.
        objective: What was maximised.
    """

    model: str
    space: Space
    past: tuple[PastTrial, ...] = ()
    tuned: TunedModel | None = None
    outside: Mapping[str, ParameterValue] = field(default_factory=dict)
    defaults: Mapping[str, ParameterValue] = field(default_factory=dict)
    objective: Objective = NDCG_AT_10

    @property
    def search_failed(self) -> bool:
        """Whether trials of other values than the defaults were made, and all of them failed."""
        searched = [
            trial.end for trial in self.past if trial.parameters != self.defaults and trial.end is not End.INTERRUPTED
        ]
        return bool(searched) and all(end is End.FAILED for end in searched)


def model_tuning(
    model: PlannedModel,
    searched: ModelSpace,
    past: Sequence[PastTrial],
    budget: Budget,
    seed: int,
    threads: int,
    began: datetime | None = None,
    objective: Objective = NDCG_AT_10,
) -> ModelTuning:
    """Sums up a tuning.

    Args:
        model: The model with its defaults.
        searched: Where its hyper-parameters were looked for, and the known configurations that the search began with.
        past: Its trials that are over.
        budget: What it was allowed.
        seed: Of search and trainings.
        threads: Of trainings.
        began: When the search began, in UTC.
        objective: What was maximised.
    """
    best_trial, space = best(past), searched.parameters
    defaults = {name: model.parameters.get(name) for name in space}
    without = ModelTuning(
        model.name,
        space,
        tuple(past),
        outside=outside(space, model.parameters),
        defaults=defaults,
        objective=objective,
    )
    if best_trial is None or best_trial.score is None or best_trial.versions is None:
        return without
    # All of them, not only the searched ones: a default that changes later must not change what was tuned.
    parameters = {
        name: value for name, value in {**model.parameters, **best_trial.parameters}.items() if value is not None
    }
    if best_trial.best_epochs is not None:
        parameters[EPOCHS] = best_trial.best_epochs
    provenance = Provenance(
        objective=objective.metric,
        full_ranking=objective.full_ranking,
        validation_score=best_trial.score,
        default_score=default_score(past, space, model.parameters),
        budget_trials=budget.trials,
        budget_seconds=budget.seconds,
        trials=counts(past),
        seconds=spent(past),
        seconds_saved=sum(trial.saved_seconds for trial in past),
        seed=seed,
        threads=threads,
        code_version=model.code_version,
        protocol_version=PROTOCOL_VERSION,
        recbench_version=best_trial.versions.recbench,
        python=best_trial.versions.python,
        packages=best_trial.versions.packages,
        tuned_at=best_trial.began or datetime.now(UTC),
        origin=best_trial.origin,
        known_source=best_trial.known_source,
        known_tried=tuple(configuration.source for configuration in searched.known),
        # The best epoch is part of the setting even where the space has no ``epochs``.
        equals_defaults=parameters == {name: model.parameters.get(name) for name in parameters},
        best_scores=best_scores(past, BEST_SCORES),
        at_edge=at_edge(space, parameters),
        joules=joules_spent(past),
        co2_grams_estimate=grams_of(joules_spent(past)),
        search_began_at=began,
    )
    tuned = TunedModel(parameters=parameters, provenance=provenance, search_space=texts(space))
    return replace(without, tuned=tuned)


def default_score(past: Sequence[PastTrial], space: Space, defaults: Mapping[str, ParameterValue]) -> float | None:
    """Returns what the model's defaults reached at the end of their training; None if they were not tried as such."""
    searched_defaults = {name: defaults.get(name) for name in space}
    return next(
        (trial.last_score for trial in past if trial.parameters == searched_defaults and trial.last_score is not None),
        None,
    )
