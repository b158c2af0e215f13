"""Ranks and relative scores of models over several tasks, with a paired bootstrap over tasks and users.

A draw takes tasks with replacement, and in each of them users with replacement. All models share the draws. A task that
is drawn twice gets different users each time. One task fewer is drawn than there are: n tasks drawn of n would show a
variance that is too small by the factor (n - 1) / n, which is a half with two tasks (Rao and Wu, JASA 1988).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recbench.evaluation.bootstrap import RESAMPLES, Interval, intervals, resampled_means
from recbench.evaluation.metric import Float64Array
from recbench.evaluation.user_sums import UserSums
from recbench.protocol import Int64Array

DECIMALS = 12
"""Of scores that are ranked: sums of the same values in another order differ by less."""
SPREAD_OF_DRAWS = 7919
"""A prime: which draw of users the n-th drawn task takes, so that no two drawn tasks of a resample share one."""


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """Figures of models over tasks, and what they are in each resample.

    Attributes:
        figures: float64[models].
        draws: float64[resamples, models].
    """

    figures: Float64Array
    draws: Float64Array

    def intervals(self) -> list[Interval]:
        """Returns the 95 % interval of each figure."""
        return intervals(self.draws)

    def interval_of_difference(self, first: int, second: int) -> Interval:
        """Returns the 95 % interval of the figure of one model minus that of another."""
        return intervals((self.draws[:, first] - self.draws[:, second])[:, None])[0]


@dataclass(frozen=True, slots=True, eq=False)
class OverTasks:
    """What a suite says of each model.

    Attributes:
        ranks: float64[tasks, models], 1 for the best; tied models share the mean of their ranks.
        relative: float64[tasks, models], score / best score of the task.
        mean_ranks: Means of the ranks over tasks.
        relative_scores: Means of the relative scores over tasks.
    """

    ranks: Float64Array
    relative: Float64Array
    mean_ranks: Resampled
    relative_scores: Resampled


def level(scores: Float64Array) -> Float64Array:
    """Returns scores that are equal where they differ by rounding only: means of the same hits in another order."""
    return np.round(scores, DECIMALS)


def ranks_of(scores: Float64Array) -> Float64Array:
    """Returns the ranks along the last axis, 1 for the highest score; equal scores share the mean of their ranks.

    >>> ranks_of(np.array([0.3, 0.5, 0.3])).tolist()
    [2.5, 1.0, 2.5]
    """
    own, others = scores[..., :, None], scores[..., None, :]
    higher, same = (others > own).sum(axis=-1), (others == own).sum(axis=-1)
    return np.asarray(1 + higher + (same - 1) / 2, dtype=np.float64)


def relative_to_best(scores: Float64Array) -> Float64Array:
    """Returns the scores along the last axis divided by the best; 1 for all where the best is 0."""
    best = scores.max(axis=-1, keepdims=True)
    return np.asarray(np.divide(scores, best, out=np.ones_like(scores), where=best > 0))


def over_tasks(tasks: Sequence[UserSums], resamples: int = RESAMPLES, seed: int = 0) -> OverTasks:
    """Ranks models over tasks.

    Args:
        tasks: For each task, the sums of each user's scores, a model a column; the same models on every task.
        resamples: Of the bootstrap.
        seed: What the draws follow from.
    """
    scores = np.array([level(task.means) for task in tasks])
    drawn = [level(resampled_means(task, resamples, seed + number)) for number, task in enumerate(tasks, start=1)]
    ranks, relative = ranks_of(scores), relative_to_best(scores)
    rank_draws = np.array([ranks_of(task_means) for task_means in drawn])
    relative_draws = np.array([relative_to_best(task_means) for task_means in drawn])
    chosen, users = _draw_tasks(len(tasks), resamples, seed)
    return OverTasks(
        ranks,
        relative,
        Resampled(ranks.mean(axis=0), rank_draws[chosen, users].mean(axis=0)),
        Resampled(relative.mean(axis=0), relative_draws[chosen, users].mean(axis=0)),
    )


def _draw_tasks(n_tasks: int, resamples: int, seed: int) -> tuple[Int64Array, Int64Array]:
    """Returns the drawn tasks, int[drawn, resamples], and which draw of its users each of them takes."""
    rng = np.random.Generator(np.random.PCG64(seed))
    n_drawn = max(n_tasks - 1, 1)
    chosen = rng.integers(0, n_tasks, (n_drawn, resamples))
    users = (np.arange(resamples)[None, :] + SPREAD_OF_DRAWS * np.arange(n_drawn)[:, None]) % resamples
    return chosen, users
