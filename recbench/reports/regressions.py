"""Regressions in the history of accepted baselines: an acceptance that is worse than the one before it.

The history has no ranks, so there is no paired test. A drop counts if it is larger than the minimum effect and than
what seeds explain, as in the first two conditions of ``recbench.reports.compare.decision.verdict``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.reports.compare.decision import SLACK, seed_limit
from recbench.reports.compare.policy import Policy
from recbench.reports.spread import Spread
from recbench.reports.trend import Acceptance, Trend


@dataclass(frozen=True, slots=True)
class Regression:
    """An acceptance that is worse than the one before it.

    Attributes:
        trend: The model and the task.
        before: The acceptance that it replaced.
        after: The acceptance.
        old: The metric before.
        new: The metric after.
    """

    trend: Trend
    before: Acceptance
    after: Acceptance
    old: Spread
    new: Spread


def regressions(trends: Sequence[Trend], metric: str, policy: Policy) -> list[Regression]:
    """Returns the regressions, the latest first.

    Args:
        trends: The history.
        metric: Such as ``hr@10``.
        policy: The minimum effect, and how much seeds explain.
    """
    drops = []
    for trend in trends:
        for after in trend.acceptances:
            before = after.before
            old, new = (acceptance.figures[metric] if acceptance else None for acceptance in (before, after))
            if before is None or old is None or new is None:
                continue
            limit = max(policy.floor + SLACK, seed_limit(old, new, policy.seed_z, policy.assumed_seed_sd))
            if old.mean - new.mean > limit:
                drops.append(Regression(trend, before, after, old, new))
    return sorted(drops, key=lambda regression: regression.after.accepted_at, reverse=True)
