"""Sanity checks: what a model must reach whatever the baseline is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from recbench.builtin_models import POPULARITY
from recbench.counted import counted
from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import measure_of
from recbench.reports.compare.comparison import Compared, Comparison
from recbench.reports.compare.evidence import Level
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.verdict import Verdict

METRIC = "hr"
"""The metric that must be above chance and above popularity, beside the gated ones."""
NOT_FINITE = re.compile(r"\breturned (?:nan|-?inf) for\b")
"""How ``ranking.checked_scores`` says that a score is not a finite number."""


class CheckName(StrEnum):
    """What is asked for."""

    ABOVE_CHANCE = "above chance"
    ABOVE_POPULARITY = "above popularity"
    FINITE = "finite"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class SanityCheck:
    """One sanity check of one model.

    Attributes:
        name: Which.
        model: Whose.
        task: The task's name.
        held: Whether the model passes it.
        reason: The figures, in words.
        is_reported: Whether the model's verdict, ``failed`` or ``missing``, says the same already.
        metric: By which measure, such as ``hr@10``; None if it is about all.
    """

    name: CheckName
    model: str
    task: str
    held: bool
    reason: str
    is_reported: bool = False
    metric: str | None = None


def sanity_checks(comparison: Comparison, policy: Policy) -> list[SanityCheck]:
    """Returns the sanity checks of every model.

    - above chance: the lower end of the 95 % interval of CURRENT's HR@k is above the HR@k of a random order. The same
      for each gated metric.
    - above popularity: CURRENT's HR@k is above that of ``popularity`` of CURRENT on the same task, if it is there. The
      same for each gated metric.
    - finite: no score of CURRENT is infinite or NaN in the full ranking, where that was asked for. Among the
      candidates, such a score fails the trial.
    - complete: CURRENT has the model, no trial failed, and it has at least as many seeds as BASE.

    A model that is missing has only the last.
    """
    checks: list[SanityCheck] = []
    for model in comparison.models:
        checks += _of_quality(model, comparison, policy)
        checks.append(_complete(model))
    return checks


def _of_quality(model: Compared, comparison: Comparison, policy: Policy) -> list[SanityCheck]:
    always = measure_of(METRIC, policy.k)
    if always.name not in model.measured.current:
        return []
    checks = []
    not_finite = _not_finite(model)
    reason = not_finite or "all scores are"
    checks.append(SanityCheck(CheckName.FINITE, model.label, model.task.name, not not_finite, reason))
    if {model.model, model.group.name} & set(policy.floor_exempt):
        return checks
    gated = [measure for measure in policy.measures if measure.name in policy.gated_metrics]
    for measure in dict.fromkeys([always, *gated]):
        level = model.measured.current.get(measure.name)
        if level is not None:
            checks += _of_level(model, measure, level, comparison, policy)
    return checks


def _of_level(
    model: Compared, measure: Measure, level: Level, comparison: Comparison, policy: Policy
) -> list[SanityCheck]:
    """Returns the checks of a model by one measure."""
    checks = []

    def add(name: CheckName, held: bool, reason: str) -> None:
        checks.append(SanityCheck(name, model.label, model.task.name, held, reason, metric=measure.name))

    if policy.above_chance and level.chance is not None:
        # A single user has no interval; then the mean itself must do.
        low = level.spread.mean if level.interval is None else level.interval.low
        add(
            CheckName.ABOVE_CHANCE,
            low > level.chance,
            f"{measure.label} at least {low:.4f}, chance {level.chance:.4f}",
        )
    bar = _popularity(model, comparison.models, measure.name)
    if policy.above_popularity and bar is not None and model.model != POPULARITY:
        mean = level.spread.mean
        add(CheckName.ABOVE_POPULARITY, mean > bar, f"{measure.label} {mean:.4f}, popularity {bar:.4f}")
    return checks


def _not_finite(model: Compared) -> str:
    """Returns which seed of CURRENT has a score that is not a finite number, and which score; empty if none has."""
    for trial in model.match.current.done if model.match.current else ():
        error = trial.record.catalogue_error or ""
        if NOT_FINITE.search(error):
            return f"seed {trial.record.seed}: {error.splitlines()[0]}"
    return ""


def _popularity(model: Compared, models: Sequence[Compared], metric: str) -> float | None:
    for other in models:
        if other.model == POPULARITY and other.task.digest == model.task.digest and metric in other.measured.current:
            return other.measured.current[metric].spread.mean
    return None


def _complete(model: Compared) -> SanityCheck:
    base, current = model.match.base, model.match.current
    if model.obstacle and model.obstacle.verdict in (Verdict.MISSING, Verdict.FAILED):
        return SanityCheck(
            CheckName.COMPLETE, model.label, model.task.name, False, model.obstacle.reason, is_reported=True
        )
    of_base, of_current = (len(side.trials) if side else 0 for side in (base, current))
    reason = counted(of_current, "seed") + (f", BASE {of_base}" if of_base else "")
    return SanityCheck(CheckName.COMPLETE, model.label, model.task.name, of_current >= of_base, reason)
