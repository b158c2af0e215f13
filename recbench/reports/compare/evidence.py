"""What the cases say about models and pairs of models: means, intervals, p-values. It decides nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recbench.evaluation.bootstrap import RESAMPLES, Interval
from recbench.evaluation.inference import Difference, Sample, infer, seed_mean
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranks
from recbench.records.grouping import TrialGroup
from recbench.reports.compare.matching import Match
from recbench.reports.spread import Spread


@dataclass(frozen=True, slots=True)
class Level:
    """One model by one measure.

    Attributes:
        spread: Means over cases, over the seeds that are done.
        interval: 95 % interval of their mean, from a bootstrap over users; None for a single user.
        chance: What random order has in expectation; None where the metric does not say.
    """

    spread: Spread
    interval: Interval | None
    chance: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """A match, measured. All are by measure, such as ``hr@10``.

    Attributes:
        base: Of BASE; empty if it has no ranks.
        current: Of CURRENT; empty if it has no ranks.
        evidence: Of CURRENT minus BASE, each with its seeds averaged case by case; empty where there is nothing to
            compare.
        lacking: Why a measure of a pair is not compared, such as a record without a full ranking.
    """

    base: Mapping[str, Level]
    current: Mapping[str, Level]
    evidence: Mapping[str, Difference]
    lacking: Mapping[str, str]


Key = tuple[int, str, str]
"""A match, one of BASE and CURRENT, and a measure's name."""


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
    samples: dict[Key, Sample] = {}
    differences: dict[tuple[int, str], Sample] = {}
    lacking: list[dict[str, str]] = [{} for _ in matches]
    for number, match in enumerate(matches):
        for measure in measures:
            sides = {"base": _ranks(match.base, measure), "current": _ranks(match.current, measure)}
            for side, ranks in sides.items():
                if ranks:
                    measure.check_cut_off(ranks[0])
                    samples[number, side, measure.name] = seed_mean(ranks, measure)
            if not paired[number]:
                continue
            if reason := _why_not_paired(**sides):
                lacking[number][measure.name] = reason
                continue
            base, current = (samples[number, side, measure.name] for side in sides)
            differences[number, measure.name] = current - base
    limits, found = infer(list(samples.values()), list(differences.values()), resamples)
    intervals = dict(zip(samples, limits, strict=True))
    evidence = dict(zip(differences, found, strict=True))
    chance = _Chance()
    return [
        Measured(
            _levels(number, "base", match.base, measures, intervals, chance),
            _levels(number, "current", match.current, measures, intervals, chance),
            {one.name: known for one in measures if (known := evidence.get((number, one.name))) is not None},
            lacking[number],
        )
        for number, match in enumerate(matches)
    ]


def _ranks(group: TrialGroup | None, measure: Measure) -> list[Ranks]:
    """Returns the ranks of the seeds that are done, in the ranking of a measure.

    None if a seed has no such ranks, or if they are of different numbers of cases.
    """
    found = [trial.ranks_in(measure.ranking) for trial in (group.done if group else ())]
    ranks = [one for one in found if one is not None]
    return ranks if len(ranks) == len(found) and len({len(one) for one in ranks}) == 1 else []


def _why_not_paired(base: Sequence[Ranks], current: Sequence[Ranks]) -> str:
    """Returns why a measure of two groups on the same cases is not compared; empty if it can be."""
    lacking = [side for side, ranks in (("BASE", base), ("CURRENT", current)) if not ranks]
    if lacking:
        have = "have" if lacking[1:] else "has"
        return f"{' and '.join(lacking)} {have} no full ranking of every seed; run again with --full"
    if any(not np.array_equal(one.n_others, base[0].n_others) for one in (*base, *current)):
        return "the cases differ: a case has another number of ranked items"
    return ""


def _levels(
    number: int,
    side: str,
    group: TrialGroup | None,
    measures: Sequence[Measure],
    intervals: Mapping[Key, Interval | None],
    chance: "_Chance",
) -> dict[str, Level]:
    levels = {}
    for measure in measures:
        ranks = _ranks(group, measure)
        if group is None or not ranks:
            continue
        spread = Spread.of(trial.mean(measure) for trial in group.done)
        assert spread is not None
        levels[measure.name] = Level(spread, intervals[number, side, measure.name], chance.of(measure, ranks[0]))
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
