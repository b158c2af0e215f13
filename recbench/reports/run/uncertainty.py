"""How sure the figures of a table are: intervals, and which differences are more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from typing import Self

import numpy as np

from recbench.evaluation.bootstrap import RESAMPLES, Interval
from recbench.evaluation.inference import Difference, Sample, infer, seed_mean
from recbench.evaluation.metric import Measure
from recbench.evaluation.paired_tests import ALPHA, Int8Array, detectable_difference, holm, mcnemar_of_hits, whole_hits
from recbench.evaluation.ranking import Ranking, Ranks
from recbench.evaluation.user_groups import UserGroups

SeedRanks = dict[int, Ranks]
"""The ranks of one configuration by seed, all of the same cases; empty if it has none."""

ModelRanks = Mapping[Ranking, SeedRanks]
"""The ranks of one configuration in each ranking."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One model's place by one metric.

    Attributes:
        interval: 95 % interval of its mean, from a bootstrap over users; None for a single user.
        best: Whether no mean is higher; False where nothing is compared.
        level_with_best: Whether it is another than the best, and cannot be distinguished from it: p >= 5 % after Holm.
        below_reference: Whether it is significantly worse than the reference, which is popularity: p < 5 % after Holm.
    """

    interval: Interval | None
    best: bool = False
    level_with_best: bool = False
    below_reference: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models on the same cases, by one measure.

    Attributes:
        measure: The metric and its cut-off.
        first: Which of the summaries.
        second: Which of the summaries.
        evidence: What the cases say about the first minus the second, each model's seeds averaged case by case.
        p_adjusted: Its p after Holm. All pairs of models by this measure, in its ranking, are one family.
        mcnemar: Of McNemar's exact test, one p for each seed that both models have; None for metrics other than hits,
            and where users have several cases.
    """

    measure: Measure
    first: int
    second: int
    evidence: Difference
    p_adjusted: float
    mcnemar: tuple[float, ...] | None

    @property
    def tied(self) -> float:
        """Share of cases, or of users for a metric of users, in which both are as good."""
        return max(1.0 - self.evidence.won - self.evidence.lost, 0.0)

    @property
    def detectable(self) -> float:
        """The smallest true difference that this comparison finds with 80 % power at the 5 % level."""
        return detectable_difference(self.evidence.standard_error)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """What the cases say about the figures.

    Attributes:
        standings: For each model, by measure; without the measures for whose ranking it has no ranks.
        pairs: All pairs of models that have ranks, metric by metric.
        notes: What cannot be computed, and why.
    """

    standings: tuple[dict[str, Standing], ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]

    @property
    def significant(self) -> tuple[Pair, ...]:
        """The pairs that differ significantly."""
        return tuple(pair for pair in self.pairs if pair.p_adjusted < ALPHA)

    def without_marks(self) -> "Uncertainty":
        """Returns the same without any mark: of the best model, models level with it, and models below popularity."""
        standings = tuple(
            {name: Standing(standing.interval) for name, standing in of_model.items()} for of_model in self.standings
        )
        return replace(self, standings=standings)


def uncertainty(
    ranks: Sequence[ModelRanks],
    measures: Sequence[Measure],
    resamples: int = RESAMPLES,
    reference: int | None = None,
) -> Uncertainty:
    """Compares models on the cases of one task.

    A measure of the full ranking compares the models that have a full ranking, by the same intervals and tests as a
    measure of the candidates. Holm corrects the p-values of all pairs of models by one measure together; each measure
    is a family of its own.

    Args:
        ranks: For each model, its ranks by seed in each ranking.
        measures: What to compare them by.
        resamples: Of the bootstrap.
        reference: Which model the others are marked as worse than; None for none.
    """
    compared = [_Compared.of(measure, ranks) for measure in measures]
    standings: list[dict[str, Standing]] = [{} for _ in ranks]
    seeds = [by_seed for of_model in ranks for by_seed in of_model.values() if by_seed]
    if not seeds:
        return Uncertainty(tuple(standings), (), ())
    single = len(np.unique(next(iter(seeds[0].values())).users)) < 2
    notes = ["Only one user: there are no confidence intervals and no tests."] if single else []
    if all(len(by_seed) == 1 for by_seed in seeds):
        notes.append("One seed: the variation between seeds is unknown. Use --seeds 3 or more.")
    if single:
        for metric in compared:
            for number in metric.models:
                standings[number][metric.measure.name] = Standing(None)
        return Uncertainty(tuple(standings), (), tuple(notes))
    limits, evidence = infer(
        [mean for metric in compared for mean in metric.means],
        [metric.means[a] - metric.means[b] for metric in compared for a, b in metric.index_pairs],
        resamples,
    )
    intervals, differences = iter(limits), iter(evidence)
    pairs: list[Pair] = []
    for metric in compared:
        metric_pairs = _pairs(metric, ranks, list(islice(differences, len(metric.index_pairs))))
        best, level = _best(metric, metric_pairs)
        below = _below(reference, metric_pairs)
        for place, (summary, interval) in enumerate(
            zip(metric.models, islice(intervals, len(metric.models)), strict=True)
        ):
            standings[summary][metric.measure.name] = Standing(
                interval, place in best, place in level - best, summary in below
            )
        pairs += metric_pairs
    return Uncertainty(tuple(standings), tuple(pairs), tuple(notes))


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """The models that one measure compares.

    Attributes:
        measure: The measure.
        models: Which of the models have ranks in its ranking.
        means: Their values, seeds averaged.
        index_pairs: All pairs of them, as indices in ``models``.
    """

    measure: Measure
    models: Sequence[int]
    means: Sequence[Sample]
    index_pairs: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, measure: Measure, ranks: Sequence[ModelRanks]) -> Self:
        models = [number for number, of_model in enumerate(ranks) if of_model.get(measure.ranking)]
        means = [seed_mean(ranks[number][measure.ranking].values(), measure) for number in models]
        return cls(measure, models, means, list(combinations(range(len(models)), 2)))


def _best(compared: _Compared, pairs: Sequence[Pair]) -> tuple[set[int], set[int]]:
    """Returns the models with the highest mean, and those that do not differ significantly from one of them."""
    values = np.array([mean.values.mean() for mean in compared.means])
    best = set(np.flatnonzero(values == values.max()).tolist()) if len(values) > 1 else set()
    level = {
        place
        for (a, b), pair in zip(compared.index_pairs, pairs, strict=True)
        if best & {a, b} and pair.p_adjusted >= ALPHA
        for place in (a, b)
    }
    return best, level


def _below(reference: int | None, pairs: Sequence[Pair]) -> set[int]:
    """Returns the models, by number, that are significantly worse than the reference."""
    worse = [
        pair.second if pair.evidence.difference > 0 else pair.first for pair in pairs
        if pair.p_adjusted < ALPHA and reference in (pair.first, pair.second)
    ]  # fmt: skip
    return set(worse) - {reference}


def _pairs(compared: _Compared, ranks: Sequence[ModelRanks], evidence: Sequence[Difference | None]) -> list[Pair]:
    """Returns the comparisons by one measure."""
    known = [pair for pair in evidence if pair is not None]
    adjusted = holm([difference.p for difference in known])
    hits = _hits(compared, ranks)
    pairs = []
    for (a, b), measure, p in zip(compared.index_pairs, known, adjusted, strict=True):
        mcnemar = _mcnemar(hits[a], hits[b]) if hits else None
        pairs.append(Pair(compared.measure, compared.models[a], compared.models[b], measure, p, mcnemar))
    return pairs


def _hits(compared: _Compared, ranks: Sequence[ModelRanks]) -> list[dict[int, Int8Array]]:
    """Returns the hits of each model by seed; empty where McNemar's test does not apply."""
    measure = compared.measure
    if not compared.index_pairs:
        return []
    of_models = [ranks[model][measure.ranking] for model in compared.models]
    users = next(iter(of_models[0].values())).users
    if not measure.metric.is_hit or len(UserGroups.of(users)) < len(users):
        return []
    return [{seed: whole_hits(measure.values(ranks)) for seed, ranks in by_seed.items()} for by_seed in of_models]


def _mcnemar(first: dict[int, Int8Array], second: dict[int, Int8Array]) -> tuple[float, ...]:
    return tuple(mcnemar_of_hits(first[seed], second[seed]) for seed in sorted(first.keys() & second.keys()))
