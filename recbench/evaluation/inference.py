"""What the cases say about means and differences: the one place for seed means, user sums, bootstrap and sign flips.

The table of a run and the comparison of two runs both come here, so the same ranks give the same figures in both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from recbench.evaluation.bootstrap import RESAMPLES, Interval, intervals, resampled_together
from recbench.evaluation.metric import Float64Array, Measure
from recbench.evaluation.paired_tests import sign_flip_p_values
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.user_sums import UserSums
from recbench.protocol import Int32Array


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One number a case, or one a user.

    Attributes:
        values: float64[n].
        users: int32[n], whose each is.
    """

    values: Float64Array
    users: Int32Array

    def __sub__(self, other: "Sample") -> "Sample":
        return Sample(self.values - other.values, self.users)


@dataclass(frozen=True, slots=True)
class Difference:
    """What the cases say about a paired difference, first minus second.

    Attributes:
        difference: Of the means over cases, or over users for a metric of users.
        interval: Its 95 % confidence interval, from a paired bootstrap over users.
        p: Of the sign-flip randomisation test over users, two-sided.
        standard_error: Of the difference, over users.
        won: Share of cases, or users, in which the first is better.
        lost: Share in which the second is better.
        rare: How far the difference may be from 0 because of users that were not seen, if fewer than ten of those seen
            differ; otherwise 0. A bootstrap draws only users that were seen, so where hardly any of them differs, its
            interval is too narrow. It is the upper 97.5 % limit of the number of users that differ, times the largest
            difference of one (one case, if none differs), over the number of cases.
    """

    difference: float
    interval: Interval
    p: float
    standard_error: float
    won: float
    lost: float
    rare: float = 0.0


MOST_OF_FEW: Final = (3.689, 5.572, 7.225, 8.767, 10.242, 11.668, 13.059, 14.423, 15.763, 17.085)
"""Upper 97.5 % limit of a Poisson mean of which 0, 1, 2, ... events were seen (Garwood, Biometrika, 1936)."""


def seed_mean(ranks: Iterable[Ranks], measure: Measure) -> Sample:
    """Averages a measure over seeds, case by case or user by user.

    Args:
        ranks: The ranks of each seed, all of the same cases; at least one.
        measure: The metric and its cut-off.
    """
    of_seeds = list(ranks)
    return Sample(np.mean([measure.values(seed_ranks) for seed_ranks in of_seeds], axis=0), measure.users(of_seeds[0]))


def infer(
    levels: Sequence[Sample], differences: Sequence[Sample] = (), resamples: int = RESAMPLES
) -> tuple[list[Interval | None], list[Difference | None]]:
    """Returns the confidence interval of each mean, and what the cases say about each difference.

    None where all values are of one user. All samples of the same users, whether by case or by user, are resampled
    together, with the same draws: drawing costs more than summing.

    Args:
        levels: Values whose means need an interval.
        differences: Paired differences.
        resamples: Of the bootstrap.
    """
    samples = [*levels, *differences]
    limits: list[Interval | None] = [None] * len(samples)
    estimates: list[Difference | None] = [None] * len(differences)
    for of_users in _grouped(samples):
        sums = [UserSums.of(_columns(samples, numbers), samples[numbers[0]].users) for numbers in of_users]
        if len(sums[0]) < 2:
            continue
        for numbers, by_user, means in zip(of_users, sums, resampled_together(sums, resamples), strict=True):
            for number, interval in zip(numbers, intervals(means), strict=True):
                limits[number] = interval
            first = sum(number < len(levels) for number in numbers)
            values = _columns(samples, numbers)
            for number, difference in zip(
                numbers[first:], _differences(values, by_user, first, limits, numbers), strict=True
            ):
                estimates[number - len(levels)] = difference
    return limits[: len(levels)], estimates


def _grouped(samples: Sequence[Sample]) -> list[list[list[int]]]:
    """Returns the numbers of the samples: those of the same set of users together, and in these, of the same rows."""
    by_rows: dict[bytes, list[int]] = {}
    for number, sample in enumerate(samples):
        by_rows.setdefault(sample.users.tobytes(), []).append(number)
    by_users: dict[bytes, list[list[int]]] = {}
    for numbers in by_rows.values():
        by_users.setdefault(np.unique(samples[numbers[0]].users).tobytes(), []).append(numbers)
    return list(by_users.values())


def _columns(samples: Sequence[Sample], numbers: Sequence[int]) -> Float64Array:
    return np.column_stack([samples[number].values for number in numbers])


def _differences(
    values: Float64Array, by_user: UserSums, first: int, limits: Sequence[Interval | None], numbers: Sequence[int]
) -> list[Difference]:
    """Returns what the columns from ``first`` on say; the columns before are levels."""
    if first == values.shape[1]:
        return []
    p_values = sign_flip_p_values(UserSums(by_user.sums[:, first:], by_user.counts)).tolist()
    errors, means = by_user.standard_errors(), by_user.means
    differences = []
    for column, p in enumerate(p_values, start=first):
        interval = limits[numbers[column]]
        assert interval is not None
        won, lost = float((values[:, column] > 0).mean()), float((values[:, column] < 0).mean())
        rare = _rare(np.abs(by_user.sums[:, column]), float(by_user.counts.sum()))
        differences.append(Difference(float(means[column]), interval, p, float(errors[column]), won, lost, rare))
    return differences


def _rare(of_users: Float64Array, n_cases: float) -> float:
    """Returns ``Difference.rare``, from the absolute sums of each user's differences."""
    n_differ = int(np.count_nonzero(of_users))
    if n_differ >= len(MOST_OF_FEW):
        return 0.0
    return MOST_OF_FEW[n_differ] * (float(of_users.max()) or 1.0) / n_cases
