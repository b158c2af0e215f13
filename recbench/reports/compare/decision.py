"""From evidence to a verdict: one rule, the same for ``compare`` and ``gate``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.inference import Difference
from recbench.evaluation.paired_tests import POWER, holm
from recbench.evaluation.student import student_quantile
from recbench.reports.compare.comparison import Compared, Comparison
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.verdict import Verdict
from recbench.reports.spread import Spread

SLACK = 1e-12
"""A change that equals the floor on paper differs from it in the last digits."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one model by one metric.

    Attributes:
        verdict: The word.
        reasons: Why, in words.
        p_adjusted: p after Holm; None where nothing was compared.
        seed_limit: The largest change that seeds explain; None where nothing was compared.
        seed_sd_assumed: Whether a side has one seed, so that the limit rests on the policy's assumption.
        smallest_drop: The smallest true drop that would have been called regressed with 80 % power; None where nothing
            was compared, or both runs are identical in every case.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    p_adjusted: float | None = None
    seed_limit: float | None = None
    seed_sd_assumed: bool = False
    smallest_drop: float | None = None


def verdict(
    difference: float,
    interval: Interval,
    seed_limit: float,
    p_adjusted: float,
    floor: float,
    alpha: float,
    paired_limit: float | None = None,
    rare: float = 0.0,
) -> Verdict:
    """Returns ``regressed``, ``improved``, ``unchanged`` or ``inconclusive``; the first line that holds decides.

    d is the difference CURRENT minus BASE, [low, high] its 95 % interval over users, f the floor, s the seed limit,
    [low', high'] the interval over users and seeds, p that after Holm, r what users that were not seen may change:

    ============  ===============  ===============  ============  =========
    verdict       size             seeds            interval      test
    ============  ===============  ===============  ============  =========
    regressed     d < -f           d < -s           high < 0      p < alpha
    improved      d > f            d > s            low > 0       p < alpha
    unchanged     -                -                -f <= low' and high' <= f and r <= f
    inconclusive  everything else
    ============  ===============  ===============  ============  =========

    So ``unchanged`` is a finding: what was measured excludes any change beyond the floor, a drop above all. A drop that
    is significant but too small to matter is ``unchanged`` if its interval ends within the floor, and else
    ``inconclusive``, like a drop that is large but may be chance. Swapping the sides swaps ``regressed`` and
    ``improved`` and leaves the others as they are. For reading an interval against a margin on both sides: Schuirmann
    (Journal of Pharmacokinetics and Biopharmaceutics, 1987).

    Args:
        difference: d.
        interval: [low, high].
        seed_limit: s; see ``seed_limit``.
        p_adjusted: p.
        floor: f.
        alpha: Level of the test.
        paired_limit: The seed limit for [low', high']; see ``paired_limit``. None for s.
        rare: r; see ``Difference.rare``.
    """
    beyond = max(floor + SLACK, seed_limit)
    if p_adjusted < alpha:
        if difference < -beyond and interval.high < 0:
            return Verdict.REGRESSED
        if difference > beyond and interval.low > 0:
            return Verdict.IMPROVED
    wider = with_seeds(difference, interval, seed_limit if paired_limit is None else paired_limit)
    if -floor - SLACK <= wider.low and wider.high <= floor + SLACK and rare <= floor:
        return Verdict.UNCHANGED
    return Verdict.INCONCLUSIVE


def with_seeds(difference: float, interval: Interval, seed_limit: float) -> Interval:
    """Returns the interval of a difference over users and seeds: the squares of both distances to its ends add up."""
    return Interval(
        difference - math.hypot(difference - interval.low, seed_limit),
        difference + math.hypot(interval.high - difference, seed_limit),
    )


def seed_error(base: Spread, current: Spread, assumed_sd: float) -> float:
    """Returns the standard error of a difference of two means over seeds: sqrt(sd_b^2 / n_b + sd_c^2 / n_c).

    The standard deviation of a side with one seed is ``assumed_sd``.
    """
    return math.sqrt(sum(_variances(base, current, assumed_sd)))


def seed_limit(base: Spread, current: Spread, z: float, assumed_sd: float) -> float:
    """Returns the largest difference of two means over seeds that seeds alone explain: t * ``seed_error``.

    A standard deviation of a few seeds is itself uncertain, so t is the quantile of Student's t distribution that z is
    of the normal distribution, with the degrees of freedom of Welch (Biometrika, 1947). For three seeds on each side
    with the same standard deviation, and z = 1.96, t is 2.78. The assumed standard deviation counts as known.
    """
    variances = _variances(base, current, assumed_sd)
    uncertain = sum(
        variance**2 / (len(side.values) - 1)
        for side, variance in zip((base, current), variances, strict=True)
        if side.sd is not None
    )
    degrees = sum(variances) ** 2 / uncertain if uncertain > 0 else math.inf
    return student_quantile(z, degrees) * math.sqrt(sum(variances))


def paired_limit(differences: Spread, z: float) -> float:
    """Returns how far the mean difference of several seeds may be from that of all seeds: t * sd / sqrt(n).

    If both sides have the same seeds, what they have in common cancels out, as it does not in ``seed_limit``. t is that
    of ``seed_limit``, with n - 1 degrees of freedom.

    Args:
        differences: Of each seed; two or more.
        z: Quantile of the normal distribution.
    """
    assert differences.sd is not None
    n = len(differences.values)
    return student_quantile(z, n - 1) * differences.sd / math.sqrt(n)


def _variances(base: Spread, current: Spread, assumed_sd: float) -> list[float]:
    return [(assumed_sd if side.sd is None else side.sd) ** 2 / len(side.values) for side in (base, current)]


def smallest_drop(
    standard_error: float, seeds: float, seeds_error: float, floor: float, alpha: float, n_cells: int
) -> float:
    """Returns the smallest true drop that is called regressed with 80 % power, by the normal approximation.

    max(floor, s, z(1 - alpha / (2 m)) * se) + z(.8) * sqrt(se^2 + se_seeds^2): an observed drop must pass the highest
    of the three bars, and falls short of the true one by z(.8) standard errors in one of five comparisons. For m gated
    cells the test's bar is Bonferroni's, the first step of Holm.

    Args:
        standard_error: se, over users.
        seeds: s; see ``seed_limit``.
        seeds_error: se_seeds; see ``seed_error``.
        floor: Minimum effect.
        alpha: Level of the test.
        n_cells: m.
    """
    normal = NormalDist()
    bar = max(floor, seeds, normal.inv_cdf(1 - alpha / (2 * n_cells)) * standard_error)
    return bar + normal.inv_cdf(POWER) * math.hypot(standard_error, seeds_error)


def decide(comparison: Comparison, policy: Policy, families: Sequence[Sequence[str]]) -> list[dict[str, Decision]]:
    """Decides every model by every metric.

    Args:
        comparison: What was measured.
        policy: The limits.
        families: Metrics whose p-values Holm adjusts together, over all models and tasks; each metric is in one. A
            metric of users that equals a metric of cases of its family is the same test, and counts once.

    Returns:
        For each model of the comparison, its decisions by metric, in the order of the comparison's metrics.
    """
    decisions: dict[tuple[int, str], Decision] = {}
    for family in families:
        cells = [
            (number, metric) for number, model in enumerate(comparison.models) for metric in family
            if metric in model.measured.evidence
        ]  # fmt: skip
        tests = {cell: _test_of(cell, family, comparison) for cell in cells}
        distinct = [cell for cell in cells if tests[cell] == cell]
        p_values = holm([comparison.models[number].measured.evidence[metric].p for number, metric in distinct])
        adjusted = dict(zip(distinct, p_values, strict=True))
        for number, metric in cells:
            model, p = comparison.models[number], adjusted[tests[number, metric]]
            decisions[number, metric] = _of_cell(model, metric, p, policy, len(distinct))
    for number, model in enumerate(comparison.models):
        for metric in comparison.metrics:
            if model.obstacle:
                decisions[number, metric] = Decision(model.obstacle.verdict, (model.obstacle.reason,))
            elif reason := model.measured.lacking.get(metric):
                decisions[number, metric] = Decision(Verdict.NOT_COMPARABLE, (reason,))
    return [
        {metric: decisions[number, metric] for metric in comparison.metrics if (number, metric) in decisions}
        for number in range(len(comparison.models))
    ]


def _test_of(cell: tuple[int, str], family: Sequence[str], comparison: Comparison) -> tuple[int, str]:
    """Returns the cell of the family whose test is that of a cell."""
    number, metric = cell
    same = comparison.same_as(metric)
    return (number, same) if same in family else cell


def _of_cell(model: Compared, metric: str, p_adjusted: float, policy: Policy, n_cells: int) -> Decision:
    evidence = model.measured.evidence[metric]
    spreads = model.measured.base[metric].spread, model.measured.current[metric].spread
    error = seed_error(*spreads, policy.assumed_seed_sd)
    seeds = seed_limit(*spreads, policy.seed_z, policy.assumed_seed_sd)
    floor = policy.floor_of(model.names, metric)
    is_same = metric in model.measured.same_ranks
    of_seeds = model.measured.seed_differences.get(metric)
    paired = None if of_seeds is None or of_seeds.sd is None else paired_limit(of_seeds, policy.seed_z)
    word = (
        Verdict.UNCHANGED
        if is_same
        else verdict(
            evidence.difference, evidence.interval, seeds, p_adjusted, floor, policy.alpha, paired, evidence.rare
        )
    )
    return Decision(
        word if model.is_caused else word.without_cause,
        ("identical in every case",) if is_same else tuple(_reasons(word, evidence, seeds, p_adjusted, policy, floor)),
        p_adjusted,
        seeds,
        any(spread.sd is None for spread in spreads),
        # Without any difference there is nothing to tell from how much differences vary.
        smallest_drop(evidence.standard_error, seeds, error, floor, policy.alpha, n_cells)
        if evidence.standard_error > 0
        else None,
    )


def _reasons(
    word: Verdict, evidence: Difference, seeds: float, p_adjusted: float, policy: Policy, floor: float
) -> list[str]:
    if word is not Verdict.INCONCLUSIVE:
        return []
    size, interval = abs(evidence.difference), evidence.interval
    reasons = []
    if interval.low < -floor - SLACK or interval.high > floor + SLACK:
        reasons.append(f"the confidence interval includes changes larger than {floor:g}")
    elif evidence.rare > floor:
        reasons.append(f"so few users differ that others may change it by up to {evidence.rare:.4f}")
    else:
        reasons.append(f"with the variation between seeds, changes larger than {floor:g} are possible")
    if size <= floor + SLACK:
        reasons.append(f"the change is not larger than {floor:g}")
    if size <= seeds:
        reasons.append(f"the variation between seeds explains changes up to {seeds:.4f}")
    if interval.low <= 0 <= interval.high:
        reasons.append("the confidence interval includes 0")
    elif p_adjusted >= policy.alpha:
        reasons.append(f"p is {p_adjusted:.3f} after Holm")
    return reasons
