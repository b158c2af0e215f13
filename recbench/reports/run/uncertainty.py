"""How sure the figures of a table are: intervals, and which differences are more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from recbench.evaluation.bootstrap import RESAMPLES, Interval
from recbench.evaluation.inference import Difference, Sample, infer, seed_mean
from recbench.evaluation.metric import Measure
from recbench.evaluation.paired_tests import ALPHA, detectable_difference, holm, mcnemar_p_value
from recbench.evaluation.ranking import Ranks

SeedRanks = dict[int, Ranks]
"""The ranks of one configuration by seed, all of the same cases; empty if it has none."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One model's place by one metric.

    Attributes:
        interval: 95 % interval of its mean over cases, from a bootstrap over users; None for a single user.
        best: Whether no mean is higher; False where nothing is compared.
        level_with_best: Whether it is another than the best, and cannot be distinguished from it: p >= 5 % after Holm.
    """

    interval: Interval | None
    best: bool = False
    level_with_best: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models on the same cases, by one measure.

    Attributes:
        measure: The metric and its cut-off.
        first: Which of the summaries.
        second: Which of the summaries.
        evidence: What the cases say about the first minus the second, each model's seeds averaged case by case.
        p_adjusted: Its p after Holm, over all pairs of this measure.
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
        """Share of cases in which both are as good."""
        return max(1.0 - self.evidence.won - self.evidence.lost, 0.0)

    @property
    def detectable(self) -> float:
        """The smallest true difference that this comparison finds with 80 % power at the 5 % level."""
        return detectable_difference(self.evidence.standard_error)


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

    def without_marks(self) -> "Uncertainty":
        """Returns the same without a best model and models level with it."""
        standings = tuple(
            {name: Standing(standing.interval) for name, standing in one.items()} for one in self.standings
        )
        return replace(self, standings=standings)


def uncertainty(ranks: Sequence[SeedRanks], measures: Sequence[Measure], resamples: int = RESAMPLES) -> Uncertainty:
    """Compares models on the cases of one task.

    Args:
        ranks: For each model, its ranks by seed.
        measures: What to compare them by.
        resamples: Of the bootstrap.
    """
    present = [number for number, by_seed in enumerate(ranks) if by_seed]
    standings: list[dict[str, Standing]] = [{} for _ in ranks]
    if not present:
        return Uncertainty(tuple(standings), (), ())
    single = len(np.unique(next(iter(ranks[present[0]].values())).users)) < 2
    notes = ["A single user: no interval and no comparison of models can be computed."] if single else []
    if all(len(ranks[number]) == 1 for number in present):
        notes.append("One seed: how much another seed would change is not known; --seeds 3 or more tells.")
    if single:
        for number in present:
            standings[number] = {measure.name: Standing(None) for measure in measures}
        return Uncertainty(tuple(standings), (), tuple(notes))
    places = list(combinations(range(len(present)), 2))
    means = [[seed_mean(ranks[number].values(), measure) for number in present] for measure in measures]
    levels = [one for of_models in means for one in of_models]
    differences = [of_models[a] - of_models[b] for of_models in means for a, b in places]
    limits, evidence = infer(levels, differences, resamples)
    pairs: list[Pair] = []
    for number, measure in enumerate(measures):
        own = limits[number * len(present) : (number + 1) * len(present)]
        of_pairs = evidence[number * len(places) : (number + 1) * len(places)]
        found = _pairs(measure, places, present, ranks, of_pairs)
        best, level = _best(means[number], places, found)
        for place, summary in enumerate(present):
            standings[summary][measure.name] = Standing(own[place], place in best, place in level - best)
        pairs += found
    return Uncertainty(tuple(standings), tuple(pairs), tuple(notes))


def _best(
    means: Sequence[Sample], places: Sequence[tuple[int, int]], pairs: Sequence[Pair]
) -> tuple[set[int], set[int]]:
    """Returns the models with the highest mean, and those that do not differ significantly from one of them."""
    values = np.array([one.values.mean() for one in means])
    best = set(np.flatnonzero(values == values.max()).tolist()) if len(means) > 1 else set()
    level = {
        place
        for (a, b), pair in zip(places, pairs, strict=True)
        if best & {a, b} and pair.p_adjusted >= ALPHA
        for place in (a, b)
    }
    return best, level


def _pairs(
    measure: Measure,
    places: Sequence[tuple[int, int]],
    present: Sequence[int],
    ranks: Sequence[SeedRanks],
    evidence: Sequence[Difference | None],
) -> list[Pair]:
    """Returns the comparisons by one measure."""
    known = [one for one in evidence if one is not None]
    adjusted = holm([one.p for one in known])
    return [
        Pair(measure, present[a], present[b], one, p, _mcnemar(measure, ranks[present[a]], ranks[present[b]]))
        for (a, b), one, p in zip(places, known, adjusted, strict=True)
    ]


def _mcnemar(measure: Measure, first: SeedRanks, second: SeedRanks) -> tuple[float, ...] | None:
    users = next(iter(first.values())).users
    if not measure.metric.is_hit or len(np.unique(users)) < len(users):
        return None
    return tuple(
        mcnemar_p_value(measure.values(first[seed]), measure.values(second[seed]))
        for seed in sorted(first.keys() & second.keys())
    )
