"""What the cases say about models and pairs of models: means, intervals, p-values. No judgement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recbench.errors import RecbenchError
from recbench.evaluation.bootstrap import RESAMPLES, Interval, intervals, resampled_means
from recbench.evaluation.metric import Float64Array
from recbench.evaluation.paired_tests import sign_flip_p_values
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.user_sums import UserSums
from recbench.reports.compare.matching import Match
from recbench.reports.run.summary import Spread
from recbench.reports.run.uncertainty import METRICS


@dataclass(frozen=True, slots=True)
class Level:
    """One model by one metric.

    Attributes:
        spread: Means over cases, over the seeds that are done.
        interval: 95 % interval of their mean, from a bootstrap over users; None for a single user.
        chance: What random order has in expectation: for HR@k the mean over cases of min(1, k / (n + 1)), n items
            besides the positive; None for other metrics.
    """

    spread: Spread
    interval: Interval | None
    chance: float | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """CURRENT minus BASE by one metric, on the same cases, each side's seeds averaged case by case.

    Attributes:
        difference: Of the means over cases.
        interval: Its 95 % interval, from a paired bootstrap over users.
        p: Of the sign-flip randomisation test over users, two-sided.
        standard_error: Of the difference, over users.
        won: Share of cases in which CURRENT is better.
        lost: Share of cases in which it is worse.
    """

    difference: float
    interval: Interval
    p: float
    standard_error: float
    won: float
    lost: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A match, measured. All are by metric, such as ``hr@10``.

    Attributes:
        base: Of BASE; empty if it has no ranks.
        current: Of CURRENT; empty if it has no ranks.
        evidence: Of the difference; empty where there is none to measure.
    """

    base: Mapping[str, Level]
    current: Mapping[str, Level]
    evidence: Mapping[str, Evidence]


def measure(
    matches: Sequence[Match], paired: Sequence[bool], metrics: Sequence[str], resamples: int = RESAMPLES
) -> list[Measured]:
    """Measures every match.

    Args:
        matches: What is on the two sides.
        paired: For each match, whether a difference is to be formed; both sides then have the same cases.
        metrics: Names such as ``hr@10``.
        resamples: Of the bootstrap.

    Raises:
        RecbenchError: A cut-off is beyond the candidates of every case.
    """
    columns: list[dict[tuple[str, str], Float64Array]] = []
    users: list[dict[str, bytes]] = []
    for match, difference in zip(matches, paired, strict=True):
        found: dict[tuple[str, str], Float64Array] = {}
        users.append({})
        for side, ranks in _ranks(match).items():
            users[-1][side] = ranks[0].users.tobytes()
            for metric in metrics:
                found[side, metric] = np.mean([_values(one, metric) for one in ranks], axis=0)
        if difference:
            users[-1]["difference"] = users[-1]["current"]
            found |= {("difference", name): found["current", name] - found["base", name] for name in metrics}
        columns.append(found)
    # All that has the same users is resampled together: drawing costs more than summing.
    results: list[dict[tuple[str, str], Evidence | Interval | None]] = [{} for _ in matches]
    for group in dict.fromkeys(key for keys in users for key in keys.values()):
        places = [(n, key) for n, found in enumerate(columns) for key in found if users[n][key[0]] == group]
        values = np.column_stack([columns[n][key] for n, key in places])
        for (n, key), result in zip(
            places, _infer(values, np.frombuffer(group, dtype=np.int32), places, resamples), strict=True
        ):
            results[n][key] = result
    return [
        Measured(
            _levels("base", match, metrics, result),
            _levels("current", match, metrics, result),
            {name: one for name in metrics if isinstance(one := result.get(("difference", name)), Evidence)},
        )
        for match, result in zip(matches, results, strict=True)
    ]


def _ranks(match: Match) -> dict[str, list[Ranks]]:
    sides = {"base": match.base, "current": match.current}
    ranks = {
        side: [trial.ranks for trial in configured.done if trial.ranks is not None]
        for side, configured in sides.items()
        if configured is not None
    }
    return {side: found for side, found in ranks.items() if found and len({len(one) for one in found}) == 1}


def _infer(
    values: Float64Array,
    users: np.ndarray[tuple[int], np.dtype[np.int32]],
    places: Sequence[tuple[int, tuple[str, str]]],
    resamples: int,
) -> list[Evidence | Interval | None]:
    """Returns an interval for each column; for a difference, all of the evidence."""
    by_user = UserSums.of(values, users)
    if len(by_user) < 2:
        return [None] * len(places)
    limits = intervals(resampled_means(by_user, resamples))
    errors, means = by_user.standard_errors(), by_user.means
    of_pairs = [number for number, (_, (side, _)) in enumerate(places) if side == "difference"]
    found: list[Evidence | Interval | None] = list(limits)
    if of_pairs:
        p_values = sign_flip_p_values(UserSums(by_user.sums[:, of_pairs], by_user.counts))
        for number, p in zip(of_pairs, p_values.tolist(), strict=True):
            difference = values[:, number]
            found[number] = Evidence(
                float(means[number]),
                limits[number],
                p,
                float(errors[number]),
                float((difference > 0).mean()),
                float((difference < 0).mean()),
            )
    return found


def _levels(
    side: str, match: Match, metrics: Sequence[str], result: Mapping[tuple[str, str], Evidence | Interval | None]
) -> dict[str, Level]:
    levels = {}
    ranks = _ranks(match).get(side, [])
    for metric in metrics if ranks else ():
        spread = Spread.of(float(_values(one, metric).mean()) for one in ranks)
        interval = result.get((side, metric))
        assert spread is not None
        assert not isinstance(interval, Evidence)
        levels[metric] = Level(spread, interval, _chance(ranks[0], metric))
    return levels


def _values(ranks: Ranks, metric: str) -> Float64Array:
    name, _, k = metric.partition("@")
    if int(k) > (most := int(ranks.n_others.max()) + 1):
        raise RecbenchError(f"{metric}: the cut-off is more than the {most} candidates of a case.", "Use a smaller k.")
    return METRICS[name](ranks, int(k))


def _chance(ranks: Ranks, metric: str) -> float | None:
    name, _, k = metric.partition("@")
    return float(np.minimum(1.0, int(k) / (ranks.n_others + 1.0)).mean()) if name == "hr" else None
