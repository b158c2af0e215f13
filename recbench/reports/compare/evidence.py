"""What the cases say about models and pairs of models: means, intervals, p-values. It decides nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recbench.evaluation.bootstrap import RESAMPLES, Interval
from recbench.evaluation.inference import Difference, Sample, infer, seed_mean
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranks
from recbench.records.grouping import TrialGroup
from recbench.reports.compare.matching import Match
from recbench.reports.spread import Spread

Key = tuple[int, str]
"""A match and a measure's name."""


class LevelIntervals:
    """The intervals of one side's levels, computed together when the first is needed: tables do not show them."""

    def __init__(self, samples: Mapping[Key, Sample], resamples: int) -> None:
        """Keeps what is needed to compute them.

        Args:
            samples: The values of each level.
            resamples: Of the bootstrap.
        """
        self._samples, self._resamples = samples, resamples

    def of(self, key: Key) -> Interval | None:
        """Returns the interval of a level."""
        return self._computed[key]

    @cached_property
    def _computed(self) -> dict[Key, Interval | None]:
        limits, _ = infer(list(self._samples.values()), resamples=self._resamples)
        return dict(zip(self._samples, limits, strict=True))


@dataclass(frozen=True, slots=True)
class Level:
    """One model by one measure.

    Attributes:
        spread: Means over cases, over the seeds that are done.
        chance: What random order has in expectation; None where the metric does not say.
        key: What it is called in ``intervals``.
        intervals: Compute its interval.
    """

    spread: Spread
    chance: float | None
    key: Key
    intervals: LevelIntervals = field(repr=False)

    @property
    def interval(self) -> Interval | None:
        """95 % interval of the mean, from a bootstrap over users; None for a single user."""
        return self.intervals.of(self.key)


@dataclass(frozen=True, slots=True)
class Measured:
    """A match, measured. All are by measure, such as ``hr@10``.

    Attributes:
        base: Of BASE; empty if it has no ranks.
        current: Of CURRENT; empty if it has no ranks.
        evidence: Of CURRENT minus BASE, each with its seeds averaged case by case; empty where there is nothing to
            compare.
        lacking: Why a measure of a pair is not compared, such as a record without a full ranking.
        same_ranks: The measures in whose ranking both sides have the same ranks.
        seed_differences: CURRENT minus BASE of each seed; empty unless both have the same seeds.
    """

    base: Mapping[str, Level]
    current: Mapping[str, Level]
    evidence: Mapping[str, Difference]
    lacking: Mapping[str, str]
    same_ranks: frozenset[str]
    seed_differences: Mapping[str, Spread]


def measure_matches(
    matches: Sequence[Match], paired: Sequence[bool], measures: Sequence[Measure], resamples: int = RESAMPLES
) -> list[Measured]:
    """Measures every match.

    Args:
        matches: What BASE and CURRENT have.
        paired: For each match, whether a difference is to be formed; both then have the same cases.
        measures: Metrics with their cut-offs.
        resamples: Of the bootstrap.

    Raises:
        RecbenchError: A cut-off is beyond the candidates of every case.
    """
    samples: dict[str, dict[Key, Sample]] = {"base": {}, "current": {}}
    differences: dict[Key, Sample] = {}
    lacking: list[dict[str, str]] = [{} for _ in matches]
    same_ranks: list[set[str]] = [set() for _ in matches]
    for number, match in enumerate(matches):
        for measure in measures:
            sides = {"base": _ranks(match.base, measure), "current": _ranks(match.current, measure)}
            for side, ranks in sides.items():
                if ranks:
                    measure.check_cut_off(ranks[0])
                    samples[side][number, measure.name] = seed_mean(ranks, measure)
            if not paired[number]:
                continue
            if reason := _why_not_paired(**sides):
                lacking[number][measure.name] = reason
                continue
            base, current = (samples[side][number, measure.name] for side in sides)
            differences[number, measure.name] = current - base
            if _same_ranks(**sides):
                same_ranks[number].add(measure.name)
    _, inferred_differences = infer([], list(differences.values()), resamples)
    evidence = dict(zip(differences, inferred_differences, strict=True))
    intervals = {side: LevelIntervals(of_side, resamples) for side, of_side in samples.items()}
    chance = _Chance()
    return [
        Measured(
            _levels(number, match.base, measures, intervals["base"], chance),
            _levels(number, match.current, measures, intervals["current"], chance),
            {
                measure.name: known
                for measure in measures
                if (known := evidence.get((number, measure.name))) is not None
            },
            lacking[number],
            frozenset(same_ranks[number]),
            _seed_differences(match, [measure for measure in measures if (number, measure.name) in differences]),
        )
        for number, match in enumerate(matches)
    ]


def _ranks(group: TrialGroup | None, measure: Measure) -> list[Ranks]:
    """Returns the ranks of the seeds that are done, in the ranking of a measure.

    None if a seed has no such ranks, or if they are of different numbers of cases.
    """
    all_ranks = [trial.ranks_in(measure.ranking) for trial in (group.done if group else ())]
    ranks = [seed_ranks for seed_ranks in all_ranks if seed_ranks is not None]
    return ranks if len(ranks) == len(all_ranks) and len({len(seed_ranks) for seed_ranks in ranks}) == 1 else []


def _seed_differences(match: Match, measures: Sequence[Measure]) -> dict[str, Spread]:
    if match.base is None or match.current is None:
        return {}
    base, current = ({trial.record.seed: trial for trial in side.done} for side in (match.base, match.current))
    if base.keys() != current.keys():
        return {}
    seeds = sorted(base)
    spreads = {}
    for measure in measures:
        sides = [[side[seed].mean(measure) for seed in seeds] for side in (current, base)]
        of_seeds = Spread.of(new - old for new, old in zip(*sides, strict=True) if new is not None and old is not None)
        if of_seeds is not None:
            spreads[measure.name] = of_seeds
    return spreads


def _same_ranks(base: Sequence[Ranks], current: Sequence[Ranks]) -> bool:
    """Whether the ranks of each seed are on both sides: those of a model without randomness are all the same."""

    def has(side: Sequence[Ranks], wanted: Ranks) -> bool:
        return any(
            np.array_equal(ranks.better, wanted.better) and np.array_equal(ranks.tied, wanted.tied) for ranks in side
        )

    return all(has(current, ranks) for ranks in base) and all(has(base, ranks) for ranks in current)


def _why_not_paired(base: Sequence[Ranks], current: Sequence[Ranks]) -> str:
    """Returns why a measure of two groups on the same cases is not compared; empty if it can be."""
    lacking = [side for side, ranks in (("BASE", base), ("CURRENT", current)) if not ranks]
    if lacking:
        have = "have" if lacking[1:] else "has"
        return f"{' and '.join(lacking)} {have} no full ranking of every seed; run again with --full"
    if any(not np.array_equal(ranks.n_others, base[0].n_others) for ranks in (*base, *current)):
        return "the cases differ: a case has another number of ranked items"
    return ""


def _levels(
    number: int,
    group: TrialGroup | None,
    measures: Sequence[Measure],
    intervals: LevelIntervals,
    chance: "_Chance",
) -> dict[str, Level]:
    levels = {}
    for measure in measures:
        ranks = _ranks(group, measure)
        if group is None or not ranks:
            continue
        spread = Spread.of(trial.mean(measure) for trial in group.done)
        assert spread is not None
        levels[measure.name] = Level(spread, chance.of(measure, ranks[0]), (number, measure.name), intervals)
    return levels


class _Chance:
    """Computes the value under chance of each measure once for all models that have the same cases."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes, bytes], float | None] = {}

    def of(self, measure: Measure, ranks: Ranks) -> float | None:
        """Returns the mean value of a random order; see ``Measure.chance``."""
        key = measure.name, ranks.users.tobytes(), ranks.n_others.tobytes()
        if key not in self._known:
            self._known[key] = measure.chance(ranks)
        return self._known[key]
