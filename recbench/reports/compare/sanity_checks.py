"""What a model must reach whatever the baseline is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from recbench.reports.compare.comparison import Compared, Comparison
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.verdict import Verdict

POPULARITY = "popularity"


class FloorName(StrEnum):
    """What is asked for."""

    ABOVE_CHANCE = "above chance"
    ABOVE_POPULARITY = "above popularity"
    FINITE = "finite"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Floor:
    """One floor of one model.

    Attributes:
        name: Which.
        model: Whose.
        task: The task's name.
        held: Whether it is reached.
        reason: The figures, in words.
        told: Whether the model's verdict, ``failed`` or ``missing``, says the same already.
    """

    name: FloorName
    model: str
    task: str
    held: bool
    reason: str
    told: bool = False


def floors(comparison: Comparison, policy: Policy) -> list[Floor]:
    """Returns the floors of every model.

    - above chance: the lower end of the 95 % interval of CURRENT's HR@k is above the HR@k of a random order.
    - above popularity: CURRENT's HR@k is above that of ``popularity`` of CURRENT on the same task, if it is there.
    - finite: every figure of CURRENT is a finite number (a record with another is not even read).
    - complete: CURRENT has the model, no trial failed, and it has at least as many seeds as BASE.

    A model that is missing has only the last.
    """
    found: list[Floor] = []
    for model in comparison.models:
        found += _of_quality(model, comparison, policy)
        found.append(_complete(model))
    return found


def _of_quality(model: Compared, comparison: Comparison, policy: Policy) -> list[Floor]:
    metric = f"hr@{policy.k}"
    level = model.measured.current.get(metric)
    if level is None:
        return []
    name = metric.upper()
    found = []
    values = [value for one in model.measured.current.values() for value in one.spread.values]
    finite = all(math.isfinite(value) for value in values)
    told = "all figures are" if finite else "a figure is not"
    found.append(Floor(FloorName.FINITE, model.label, model.task.name, finite, told))
    if model.model in policy.floor_exempt:
        return found
    if policy.above_chance and level.chance is not None:
        # A single user has no interval; then the mean itself must do.
        low = level.spread.mean if level.interval is None else level.interval.low
        told = f"{name} at least {low:.4f}, chance {level.chance:.4f}"
        found.append(Floor(FloorName.ABOVE_CHANCE, model.label, model.task.name, low > level.chance, told))
    bar = _popularity(model, comparison.models, metric)
    if policy.above_popularity and bar is not None and model.model != POPULARITY:
        told = f"{name} {level.spread.mean:.4f}, popularity {bar:.4f}"
        found.append(Floor(FloorName.ABOVE_POPULARITY, model.label, model.task.name, level.spread.mean > bar, told))
    return found


def _popularity(model: Compared, models: Sequence[Compared], metric: str) -> float | None:
    for other in models:
        if other.model == POPULARITY and other.task.digest == model.task.digest and metric in other.measured.current:
            return other.measured.current[metric].spread.mean
    return None


def _complete(model: Compared) -> Floor:
    base, current = model.match.base, model.match.current
    if model.obstacle and model.obstacle.verdict in (Verdict.MISSING, Verdict.FAILED):
        return Floor(FloorName.COMPLETE, model.label, model.task.name, False, model.obstacle.reason, told=True)
    of_base, of_current = (len(side.trials) if side else 0 for side in (base, current))
    told = f"{of_current} seeds, BASE {of_base}" if of_base else f"{of_current} seeds"
    return Floor(FloorName.COMPLETE, model.label, model.task.name, of_current >= of_base, told)
