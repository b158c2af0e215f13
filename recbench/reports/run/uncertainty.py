"""How sure the figures of a comparison are: intervals, and which differences are more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from recbench.evaluation.bootstrap import RESAMPLES, Interval, intervals, resampled_means
from recbench.evaluation.metric import Float64Array
from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.metrics.ndcg import ndcg
from recbench.evaluation.paired_tests import ALPHA, detectable_difference, holm, mcnemar_p_value, sign_flip_p_values
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.user_sums import UserSums
from recbench.protocol import Int32Array

METRICS = {"hr": hit_rate, "ndcg": ndcg}


@dataclass(frozen=True, slots=True)
class Standing:
    """One model's place by one metric.

    Attributes:
        interval: 95 % interval of its mean over cases, from a bootstrap over users; None for a single user.
        best: Whether no mean is higher; False where nothing is compared.
        level_with_best: Whether it is another than the best, and cannot be told from it: p >= 5 % after Holm.
    """

    interval: Interval | None
    best: bool = False
    level_with_best: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models on the same cases, by one metric. A difference is that of the first minus the second.

    Attributes:
        metric: Such as ``hr@10``.
        first: Which of the summaries.
        second: Which of the summaries.
        difference: Of the means over cases, each model's seeds averaged case by case.
        interval: Its 95 % interval, from a bootstrap over users.
        p: Of the randomisation test over users.
        p_adjusted: The same after Holm, over all pairs of this metric.
        mcnemar: Of McNemar's exact test, one p for each seed that both models have; None for NDCG, and where users
            have several cases.
        won: Share of cases in which the first model is better.
        lost: Share of cases in which the second is.
        detectable: The smallest true difference that this comparison finds with 80 % power at the 5 % level.
    """

    metric: str
    first: int
    second: int
    difference: float
    interval: Interval
    p: float
    p_adjusted: float
    mcnemar: tuple[float, ...] | None
    won: float
    lost: float
    detectable: float

    @property
    def tied(self) -> float:
        """Share of cases in which both are as good."""
        return max(1.0 - self.won - self.lost, 0.0)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What the cases say about the figures.

    Attributes:
        standings: For each model, by metric; empty for a model that has no ranks.
        pairs: All pairs of models that have ranks, metric by metric.
        notes: What cannot be computed, and why.
    """

    standings: tuple[dict[str, Standing], ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]


def uncertainty(ranks: Sequence[dict[int, Ranks]], ks: Sequence[int], resamples: int = RESAMPLES) -> Uncertainty:
    """Compares models on the cases of one task.

    Args:
        ranks: For each model, its ranks by seed, all of the same cases; empty for a model without any.
        ks: Cut-offs.
        resamples: Of the bootstrap.
    """
    present = [number for number, by_seed in enumerate(ranks) if by_seed]
    standings: list[dict[str, Standing]] = [{} for _ in ranks]
    if not present:
        return Uncertainty(tuple(standings), (), ())
    users = next(iter(ranks[present[0]].values())).users
    single = len(np.unique(users)) < 2
    notes = ["A single user: no interval and no comparison of models can be computed."] if single else []
    if all(len(ranks[number]) == 1 for number in present):
        notes.append("One seed: how much another seed would change is not known; --seeds 3 or more tells.")
    if single:
        for number in present:
            standings[number] = {f"{name}@{k}": Standing(None) for k in ks for name in METRICS}
        return Uncertainty(tuple(standings), (), tuple(notes))
    places = list(combinations(range(len(present)), 2))
    by_seed, values, differences = {}, {}, {}
    for name, k in [(name, k) for k in ks for name in METRICS]:
        metric = f"{name}@{k}"
        of_models = [{seed: METRICS[name](one, k) for seed, one in ranks[number].items()} for number in present]
        means = np.column_stack([np.mean(list(seeds.values()), axis=0) for seeds in of_models])
        by_seed[metric], values[metric] = of_models, means
        differences[metric] = np.column_stack([means, *(means[:, a] - means[:, b] for a, b in places)])
    # All metrics and pairs are resampled together: drawing costs more than summing.
    limits = intervals(resampled_means(UserSums.of(np.hstack(list(differences.values())), users), resamples))
    pairs: list[Pair] = []
    for metric, of_models in by_seed.items():
        own, limits = limits[: differences[metric].shape[1]], limits[differences[metric].shape[1] :]
        found = _pairs(metric, places, present, of_models, differences[metric], own, users)
        means = values[metric].mean(axis=0)
        best = set(np.flatnonzero(means == means.max()).tolist()) if len(present) > 1 else set()
        level = {
            place
            for (a, b), pair in zip(places, found, strict=True)
            if best & {a, b} and pair.p_adjusted >= ALPHA
            for place in (a, b)
        }
        for place, number in enumerate(present):
            standings[number][metric] = Standing(own[place], place in best, place in level - best)
        pairs += found
    return Uncertainty(tuple(standings), tuple(pairs), tuple(notes))


def _pairs(
    metric: str,
    places: Sequence[tuple[int, int]],
    present: Sequence[int],
    by_seed: Sequence[dict[int, Float64Array]],
    columns: Float64Array,
    limits: Sequence[Interval],
    users: Int32Array,
) -> list[Pair]:
    """Returns the comparisons by one metric; ``columns`` and ``limits`` are the models', and then the pairs'."""
    if not places:
        return []
    differences, limits = columns[:, len(present) :], limits[len(present) :]
    by_user = UserSums.of(differences, users)
    p_values, errors = sign_flip_p_values(by_user).tolist(), by_user.standard_errors()
    one_case_each = len(by_user) == len(users) and metric.startswith("hr@")
    return [
        Pair(
            metric,
            present[a],
            present[b],
            float(by_user.means[number]),
            limits[number],
            p_values[number],
            adjusted,
            _mcnemar(by_seed[a], by_seed[b]) if one_case_each else None,
            float((differences[:, number] > 0).mean()),
            float((differences[:, number] < 0).mean()),
            detectable_difference(float(errors[number])),
        )
        for number, ((a, b), adjusted) in enumerate(zip(places, holm(p_values), strict=True))
    ]


def _mcnemar(first: dict[int, Float64Array], second: dict[int, Float64Array]) -> tuple[float, ...]:
    return tuple(mcnemar_p_value(first[seed], second[seed]) for seed in sorted(first.keys() & second.keys()))
