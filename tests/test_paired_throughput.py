"""Throughput by pairs of trials: the statistics, and the verdicts that follow from them."""

import math
from itertools import combinations, product

import numpy as np
import pytest

from recbench.evaluation import paired_ratios
from recbench.evaluation.paired_ratios import (
    alternation,
    fewest_pairs,
    median_interval,
    median_noise,
    paired_ratio,
    signed_rank_p,
)
from recbench.reports.compare.comparison import compare_records
from recbench.reports.compare.gate import GateOutcome, gate
from recbench.reports.compare.paired_throughput import Control, decide_paired_speed
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.verdict import Verdict
from tests.examples import a_set, a_trial, some_trials

N = 6


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(paired_ratios, "DRAWS", 1000)


QUIET = np.array([0.01, -0.02, 0.03, -0.01, 0.015, -0.025])
NOISY = QUIET * 20


def test_trials_alternate_so_that_a_steady_change_of_the_machine_cancels_out():
    order = list(alternation(4))
    mean = {
        is_second: np.mean([place for place, trial in enumerate(order) if trial[1] == is_second])
        for is_second in (0, 1)
    }
    assert sorted(order) == sorted(product(range(4), (False, True)))
    assert mean[0] == mean[1]


def test_the_interval_covers_the_median_and_no_fewer_pairs_do():
    assert (fewest_pairs(), fewest_pairs(outliers=1), fewest_pairs(outliers=2)) == (N, 9, 12)
    rng = np.random.default_rng(0)
    for n in (6, 15, 40):
        draws = rng.standard_t(1.5, (600, n))
        covered = np.mean([bounds.low <= 0 <= bounds.high for bounds in map(median_interval, draws)])
        assert 0.94 <= covered <= 0.99
    interval = median_interval(np.arange(9.0))
    assert (interval.low, interval.high) == (1.0, 7.0)  # P(B <= 1) = 10 / 512


def test_the_noise_of_the_control_hardly_depends_on_an_outlier():
    def by_hand(values):
        medians = [abs(np.median(np.multiply(values, signs))) for signs in product((-1, 1), repeat=len(values))]
        return np.quantile(medians, 0.95)

    assert median_noise(QUIET, N) == pytest.approx(by_hand(QUIET))
    assert median_noise(QUIET, 20) < median_noise(QUIET, N) < median_noise(QUIET, 7) * 1.5
    spoilt = np.array([*QUIET[:-1], 3.0])
    assert median_noise(spoilt, N) < 0.04


def test_the_p_value_is_the_share_of_draws_that_are_as_extreme():
    pairs, control = np.array([-0.3, -0.2, 0.05, -0.2]), np.array([0.1, -0.2, 0.0])
    sizes = np.abs(np.concatenate([pairs, control]))
    ranks = [np.mean(np.flatnonzero(np.sort(sizes) == size)) + 1 if size else 0 for size in sizes]
    observed = abs(np.sign(pairs) @ ranks[:4])
    draws = [
        abs(np.dot(signs, [ranks[place] for place in subset])) >= observed - 1e-9
        for subset in combinations(range(7), 4)
        for signs in product((-1, 1), repeat=4)
    ]
    assert signed_rank_p(pairs, control) == pytest.approx(np.mean(draws), abs=0.04)
    assert signed_rank_p(QUIET - 0.2, QUIET) < 0.002
    assert signed_rank_p(np.zeros(N), np.zeros(N)) == 1.0


def test_a_slow_machine_in_one_of_the_two_parts_makes_no_false_alarm():
    """The pairs vary a hundred times more than the control: then the test alone would reject too often."""
    rng = np.random.default_rng(1)
    limit = -math.log1p(-0.1)
    false_alarms = 0
    for _ in range(100):
        ratio = paired_ratio(rng.normal(0, 1, N), rng.normal(0, 0.01, N))
        false_alarms += ratio.p < 0.05 and ratio.interval.high < 0 and ratio.shift < -limit
    assert false_alarms <= 5


def timed(walls, cpus=None, **changes):
    """The trials of a model, one a seed, whose fits take these seconds."""
    cpus = walls if cpus is None else cpus
    return [
        a_trial("bpr", seed, fit_seconds=wall, fit_cpu_seconds=cpu, interactions_per_second=1 / wall, **changes)
        for seed, (wall, cpu) in enumerate(zip(walls, cpus, strict=True))
    ]


def decided(shift, walls=QUIET, cpus=QUIET, control_walls=None, control_cpus=None, **limits):
    """Decides about revisions whose speed differs by a factor exp(shift), with the noise of each clock."""
    control_walls = walls if control_walls is None else control_walls
    control_cpus = cpus if control_cpus is None else control_cpus
    ones = np.ones(len(walls))
    base, current = timed(ones), timed(np.exp(np.negative(walls) - shift), np.exp(np.negative(cpus) - shift))
    first = timed(np.ones(len(control_walls)))
    second = timed(np.exp(np.negative(control_walls)), np.exp(np.negative(control_cpus)))
    policy = Policy(**{"throughput_drop": 0.1, **limits})
    comparison = compare_records(a_set("base", base), a_set("head", current), policy.measures, 100)
    control = Control(a_set("first", first), a_set("second", second))
    ((decision, by_clock),) = decide_paired_speed(comparison.models, control, policy)
    return decision, by_clock, gate(comparison, policy, "again", speed=[decision])


SLOWER = math.log(0.8)


def test_a_slower_head_is_rejected_and_a_faster_one_passes():
    decision, by_clock, report = decided(SLOWER)
    assert (decision.verdict, report.outcome) == (Verdict.REGRESSED, GateOutcome.REJECTED)
    assert decision.reason.startswith("-20.0% by wall time (95 % -22.0% to -17.6%, 6 pairs, p 0.00")
    assert decision.reason.endswith("noise of the control ±1.8%; -20.0% by CPU time")
    assert by_clock[0].p_adjusted == pytest.approx(2 * by_clock[0].ratio.p)
    assert report.reasons[0].startswith("bpr throughput regressed: -20.0% by wall time")
    decision, _, report = decided(-SLOWER)
    assert (decision.verdict, report.outcome) == (Verdict.IMPROVED, GateOutcome.PASSED)
    assert decided(0.0)[0].verdict is Verdict.UNCHANGED
    assert decided(math.log(0.95))[0].verdict is Verdict.UNCHANGED
    assert decided(math.log(0.95), throughput_drop=0.02)[0].verdict is Verdict.REGRESSED
    assert decided(SLOWER, limits={"bpr:throughput": 0.3})[0].verdict is Verdict.UNCHANGED


def test_cpu_time_decides_while_other_programs_lengthen_wall_time():
    decision, by_clock, _ = decided(SLOWER, walls=NOISY)
    assert decision.verdict is Verdict.REGRESSED
    assert by_clock[0].is_too_noisy
    assert "by CPU time" in decision.reason
    assert "wall time does not decide, the control was too noisy: " in decision.reason
    assert decided(0.0, walls=NOISY)[0].verdict is Verdict.UNCHANGED
    decision, _, report = decided(SLOWER, walls=NOISY, cpus=NOISY)
    assert (decision.verdict, report.outcome) == (Verdict.INCONCLUSIVE, GateOutcome.PASSED)
    assert decision.reason.startswith("the control was too noisy to decide about 10%: end other programs, or use more")
    assert decided(SLOWER, walls=NOISY, cpus=NOISY, strict=True)[2].outcome is GateOutcome.REJECTED
    # A machine that got busy after the control.
    decision = decided(0.0, walls=NOISY, cpus=NOISY, control_walls=QUIET, control_cpus=QUIET)[0]
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.reason.startswith("a change by 10% is neither shown nor excluded: use --seeds 9 or more. ")


def test_one_outlier_among_nine_pairs_hides_no_slow_down():
    quiet = np.array([*QUIET, 0.02, -0.015, 0.005])
    spoilt = np.array([*quiet[:-1], 1.0])
    assert decided(SLOWER, spoilt, spoilt, quiet, quiet)[0].verdict is Verdict.REGRESSED
    assert decided(SLOWER, spoilt[3:], spoilt[3:], quiet, quiet)[0].verdict is Verdict.INCONCLUSIVE


def test_without_cpu_times_wall_time_alone_decides():
    decision, by_clock, _ = decided(SLOWER, cpus=np.full(N, np.inf))
    assert (decision.verdict, [speed.clock for speed in by_clock]) == (Verdict.REGRESSED, ["wall time"])
    assert by_clock[0].p_adjusted == by_clock[0].ratio.p


@pytest.mark.parametrize(
    ("n", "limits", "reason"),
    [
        (5, {}, "5 pairs of trials, and 5 of the control; 6 are needed: use --seeds 6"),
        (3, {"gate_throughput": False}, "the policy turns it off (gate_throughput)"),
        (6, {"throughput_fit_seconds": 2.0}, "a fit takes 1.0"),
    ],
)
def test_throughput_that_is_not_gated_says_why(n, limits, reason):
    decision, by_clock, _ = decided(SLOWER, QUIET[:n], QUIET[:n], **limits)
    assert (decision.verdict, by_clock) == (None, [])
    assert reason in decision.reason


def test_models_that_only_one_revision_has_have_no_throughput():
    base, head = some_trials("bpr", 0.5, N), some_trials("ncf", 0.5, N)
    comparison = compare_records(a_set("base", base), a_set("head", head), Policy().measures, 100)
    control = Control(a_set("first", base), a_set("second", base))
    assert decide_paired_speed(comparison.models, control, Policy()) == [(None, []), (None, [])]
