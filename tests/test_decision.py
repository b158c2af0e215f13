"""The rule that turns evidence into a word, at and around its boundaries."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.evaluation.bootstrap import Interval
from recbench.reports.compare.decision import seed_error, seed_limit, smallest_drop, verdict, with_seeds
from recbench.reports.compare.verdict import MARKS, Verdict
from recbench.reports.spread import Spread

FLOOR, ALPHA = 0.005, 0.05
MIRROR = {Verdict.REGRESSED: Verdict.IMPROVED, Verdict.IMPROVED: Verdict.REGRESSED}

TABLE = {
    "large, beyond seeds, certain": ((-0.02, (-0.03, -0.01), 0.01, 0.001), "regressed"),
    "the same upwards": ((0.02, (0.01, 0.03), 0.01, 0.001), "improved"),
    "no seed noise: the interval guards alone": ((-0.02, (-0.03, -0.01), 0.0, 0.001), "regressed"),
    "seeds without any noise": ((-0.02, (-0.03, -0.01), 0.0, 0.001), "regressed"),
    "large, but seeds explain it": ((-0.02, (-0.03, -0.01), 0.021, 0.001), "inconclusive"),
    "exactly what seeds explain": ((-0.02, (-0.03, -0.01), 0.02, 0.001), "inconclusive"),
    "large, but the interval includes 0": ((-0.02, (-0.045, 0.005), 0.01, 0.001), "inconclusive"),
    "the interval ends at 0": ((-0.02, (-0.04, 0.0), 0.01, 0.001), "inconclusive"),
    "large, but the test says chance": ((-0.02, (-0.039, -0.001), 0.01, 0.06), "inconclusive"),
    "p exactly at the level": ((-0.02, (-0.03, -0.01), 0.01, 0.05), "inconclusive"),
    "certain, but exactly the floor": ((-0.005, (-0.006, -0.004), 0.0, 0.001), "inconclusive"),
    "the floor, to the last digits": ((0.495 - 0.5, (-0.006, -0.004), 0.0, 0.001), "inconclusive"),
    "certain, and just beyond the floor": ((-0.0051, (-0.006, -0.004), 0.0, 0.001), "regressed"),
    "certain, but too small to matter": ((-0.003, (-0.004, -0.002), 0.0, 0.001), "unchanged"),
    "no change at all": ((0.0, (0.0, 0.0), 0.0, 1.0), "unchanged"),
    "the interval fills the floor": ((0.0, (-0.005, 0.005), 0.0, 0.9), "unchanged"),
    "the interval fits, but seeds add to it": ((0.0, (-0.005, 0.005), 0.001, 0.9), "inconclusive"),
    "users and seeds together fit": ((0.001, (-0.002, 0.003), 0.002, 0.9), "unchanged"),
    "seeds alone leave more open": ((0.0, (-0.001, 0.001), 0.006, 0.9), "inconclusive"),
    "a drop beyond the floor is possible": ((0.0, (-0.0051, 0.004), 0.001, 0.9), "inconclusive"),
    "a rise beyond the floor is possible": ((0.0, (-0.004, 0.0051), 0.001, 0.9), "inconclusive"),
}


@pytest.mark.parametrize(("given_values", "word"), TABLE.values(), ids=TABLE)
def test_the_decision_table(given_values, word):
    difference, limits, seeds, p = given_values
    assert verdict(difference, Interval(*limits), seeds, p, FLOOR, ALPHA) == word
    mirrored = verdict(-difference, Interval(-limits[1], -limits[0]), seeds, p, FLOOR, ALPHA)
    assert mirrored == MIRROR.get(Verdict(word), word)


numbers = st.floats(-0.1, 0.1) | st.sampled_from([-FLOOR, FLOOR, 0.0])
evidence = st.tuples(numbers, numbers, numbers).map(sorted)
noise = st.floats(0, 0.1)
p_values = st.floats(0.0001, 1) | st.just(ALPHA)


@given(evidence, noise, p_values, st.floats(0, 0.05))
def test_words_mean_what_they_say(values, seeds, p, floor):
    low, difference, high = values
    word = verdict(difference, Interval(low, high), seeds, p, floor, ALPHA)
    if word is Verdict.REGRESSED:
        assert difference < -floor
        assert high < 0
        assert p < ALPHA
        assert -difference > seeds
    if word is Verdict.UNCHANGED:
        assert low >= -floor - 1e-11
        assert high <= floor + 1e-11
        assert seeds <= floor + 1e-11
    if word is Verdict.INCONCLUSIVE:
        wider = with_seeds(difference, Interval(low, high), seeds)
        assert wider.low < -floor or wider.high > floor
    mirrored = verdict(-difference, Interval(-high, -low), seeds, p, floor, ALPHA)
    assert mirrored == MIRROR.get(word, word)


@given(evidence, noise, p_values, st.floats(0, 0.1), st.floats(0, 1))
def test_more_doubt_never_makes_a_verdict(values, seeds, p, more_noise, more_p):
    """Noisier seeds and higher p-values turn regressed into something weaker, and nothing into regressed."""
    low, difference, high = values
    before = verdict(difference, Interval(low, high), seeds, p, FLOOR, ALPHA)
    after = verdict(difference, Interval(low, high), seeds + more_noise, min(p + more_p, 1), FLOOR, ALPHA)
    assert after in (before, Verdict.UNCHANGED, Verdict.INCONCLUSIVE)


def test_the_smallest_drop_is_what_the_rule_finds_four_times_in_five():
    normal = 2.8015852
    assert smallest_drop(0.01, 0.0, 0.0, 0.005, 0.05, 1) == pytest.approx(normal * 0.01)
    assert smallest_drop(0.0, 0.0, 0.0, 0.005, 0.05, 1) == 0.005
    assert smallest_drop(0.001, 0.02, 0.0, 0.005, 0.05, 1) == pytest.approx(0.02 + 0.8416212 * 0.001)
    assert smallest_drop(0.003, 0.02, 0.004, 0.005, 0.05, 1) == pytest.approx(0.02 + 0.8416212 * 0.005)
    assert smallest_drop(0.01, 0.0, 0.0, 0.005, 0.05, 10) > smallest_drop(0.01, 0.0, 0.0, 0.005, 0.05, 1)


@pytest.mark.parametrize(("users_error", "sd", "seeds"), [(0.0005, 0.003, 1), (0.001, 0.003, 5), (0.003, 0.003, 1)])
def test_a_drop_of_that_size_is_found_four_times_in_five(users_error, sd, seeds):
    """A simulation of users and seeds that are normally distributed, with the rule itself."""
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(1_000):
        base = Spread.of((0.5 + rng.normal(0, sd, seeds)).tolist())
        limit = seed_limit(base, base, 1.96, 0.003)
        true = smallest_drop(users_error, limit, seed_error(base, base, 0.003), FLOOR, ALPHA, 1)
        noise = rng.normal(0, users_error) + rng.normal(0, sd * math.sqrt(2 / seeds))
        difference = -true + noise
        half = 1.96 * users_error
        p = 2 * NormalDist().cdf(-abs(difference) / users_error)
        word = verdict(difference, Interval(difference - half, difference + half), limit, p, FLOOR, ALPHA)
        found += word is Verdict.REGRESSED
    assert 0.75 < found / 1_000 < 0.87


def test_every_verdict_has_a_mark():
    assert set(MARKS) == set(Verdict)
    assert (Verdict.REGRESSED.marked, Verdict.NEW.marked) == ("! regressed", "new")
