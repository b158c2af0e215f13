"""How much of a metric's variance comes from the split, from the users, and from the seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from recbench.evaluation.inference import Sample
from recbench.evaluation.metric import Float64Array
from recbench.evaluation.user_sums import UserSums


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """The variance of the figure of one replica and one seed, by source; the sources add up.

    Attributes:
        mean: Mean over replicas of the means over seeds.
        split: Variance between splits of the same users: another draw of held-out rows and negatives.
        users: Variance between samples of users that stays when the split changes.
        seeds: Variance between seeds on one split; None if no replica has two seeds. It is then part of ``split``.
        usual: What the standard error over users of a single replica suggests, squared: mean over replicas.
    """

    mean: float
    split: float
    users: float
    seeds: float | None
    usual: float

    @property
    def total(self) -> float:
        """The variance of the figure of one replica and one seed, for other users and another split and seed."""
        return self.split + self.users + (self.seeds or 0.0)

    @property
    def standard_deviations(self) -> tuple[float, float, float | None, float]:
        """Square roots: of split, users, seeds, and total."""
        seeds = None if self.seeds is None else sqrt(self.seeds)
        return sqrt(self.split), sqrt(self.users), seeds, sqrt(self.total)


def variance_components(replicas: Sequence[Sequence[Sample]]) -> VarianceComponents | None:
    """Estimates the variance components from replicas of a split with the same users.

    Model: m_rs = mean over users u of y_urs, with y_urs = mu + U_u + S_r + (US)_ur + T_rs + e_urs, all effects random
    and independent; users are crossed with splits, and seeds are nested in splits. For n users, R replicas, k seeds:

        seeds  = mean over r of Var_s(m_rs)                                estimates V(T) + V(e) / n
        split  = Var_r(m_r) - seeds / k                                    estimates V(S) + V(US) / n
        users  = (Var_u(y_u) - Q / R) / n                                  estimates V(U) / n
        Q      = sum over u, r of (y_ur - y_u - m_r + m)^2 / (n - 1)(R - 1)

    where a missing index is averaged over, and Var has n - 1 in its denominator. Negative estimates become 0. For a
    mean over cases, y_urs is linearised: m_rs + n / C * (sum of the user's cases - their number * m_rs), C cases in all
    (Cochran, Sampling Techniques, 1977, section 6.4). Of several numbers of seeds, k is the harmonic mean.

    Source: analysis of variance of a random-effects model; Searle, Casella and McCulloch, Variance Components, 1992,
    chapter 4; Brennan, Generalizability Theory, 2001, chapter 3.

    Args:
        replicas: For each replica, a sample for each seed; all over the same users.

    Returns:
        The components; None for fewer than two replicas or two users.

    Raises:
        ValueError: The replicas have different users.
    """
    if len(replicas) < 2:
        return None
    users = [np.unique(seeds[0].users) for seeds in replicas]
    if any(not np.array_equal(users[0], replica_users) for replica_users in users[1:]):
        raise ValueError("the replicas have different users")
    n = len(users[0])
    if n < 2:
        return None
    figures = [[float(sample.values.mean()) for sample in seeds] for seeds in replicas]
    of_users = np.stack([np.mean([_of_users(sample) for sample in seeds], axis=0) for seeds in replicas])
    by_seed = [np.var(values, ddof=1) for values in figures if len(values) > 1]
    seeds = float(np.mean(by_seed)) if by_seed else None
    per_seed = float(np.mean([1 / len(values) for values in figures]))
    means = np.array([np.mean(values) for values in figures])
    split = float(np.var(means, ddof=1)) - (seeds or 0.0) * per_seed
    users_part = _persistent(of_users)
    usual = float(np.mean(np.var(of_users, axis=1, ddof=1))) / n
    return VarianceComponents(float(means.mean()), max(split, 0.0), max(users_part, 0.0), seeds, usual)


def _of_users(sample: Sample) -> Float64Array:
    """Returns float64[users], whose mean is that of the sample."""
    sums = UserSums.of(sample.values[:, None], sample.users)
    mean = sums.means[0]
    residuals = sums.sums[:, 0] - sums.counts * mean
    return np.asarray(mean + residuals * (len(sums) / sums.counts.sum()))


def _persistent(of_users: Float64Array) -> float:
    """Returns the variance of the mean over users that does not change with the replica, from [replicas, users]."""
    n_replicas, n = of_users.shape
    rest = of_users - of_users.mean(axis=0) - of_users.mean(axis=1)[:, None] + of_users.mean()
    within = float((rest**2).sum()) / ((n - 1) * (n_replicas - 1))
    between = float(np.var(of_users.mean(axis=0), ddof=1))
    return float((between - within / n_replicas) / n)
