"""The variance of the split, of the users and of the seeds, against simulated known components."""

import numpy as np
import pytest

from recbench.evaluation.inference import Sample
from recbench.evaluation.variance_components import variance_components

USERS, REPLICAS, SEEDS, CASES = 60, 4, 3, 2
TRUE = {"u": 1.5, "s": 0.2, "us": 0.8, "t": 0.15, "e": 0.6}


def simulated(rng, true=TRUE, seeds=SEEDS):
    """Samples of replicas and seeds, with these standard deviations; each user has two cases."""
    users = np.repeat(np.arange(USERS, dtype=np.int32), CASES)
    of_user = rng.normal(0, true["u"], USERS)
    replicas = []
    for _ in range(REPLICAS):
        of_split = rng.normal(0, true["s"]) + rng.normal(0, true["us"], USERS)
        trials = [of_user + of_split + rng.normal(0, true["t"]) + rng.normal(0, true["e"], USERS) for _ in range(seeds)]
        # The two cases of a user differ by a constant that does not change the user's mean.
        replicas.append([Sample(np.repeat(trial, CASES) + np.tile([1.0, -1.0], USERS), users) for trial in trials])
    return replicas


def test_the_estimates_are_right_on_average():
    rng = np.random.default_rng(0)
    estimates = [variance_components(simulated(rng)) for _ in range(200)]
    n = USERS
    expected = {
        "seeds": TRUE["t"] ** 2 + TRUE["e"] ** 2 / n,
        "split": TRUE["s"] ** 2 + TRUE["us"] ** 2 / n,
        "users": TRUE["u"] ** 2 / n,
    }
    for name, value in expected.items():
        assert np.mean([getattr(estimate, name) for estimate in estimates]) == pytest.approx(value, rel=0.12), name
    usual = (TRUE["u"] ** 2 + TRUE["us"] ** 2 + TRUE["e"] ** 2 / SEEDS) / n
    assert np.mean([estimate.usual for estimate in estimates]) == pytest.approx(usual, rel=0.05)
    # The sources add up to the variance of a single figure over other users, splits and seeds.
    single = np.var([simulated(rng)[0][0].values.mean() for _ in range(1000)], ddof=1)
    assert np.mean([estimate.total for estimate in estimates]) == pytest.approx(single, rel=0.12)


def test_a_source_that_does_not_vary_has_no_variance():
    rng = np.random.default_rng(1)
    only_users = variance_components(simulated(rng, dict.fromkeys(TRUE, 0.0) | {"u": 1.0}))
    assert (only_users.split, only_users.seeds) == pytest.approx((0, 0), abs=1e-12)
    assert only_users.users == pytest.approx(only_users.usual)
    one_seed = variance_components(simulated(rng, seeds=1))
    assert one_seed.seeds is None
    assert one_seed.standard_deviations[2] is None
    assert one_seed.total == one_seed.split + one_seed.users


def test_what_cannot_be_decomposed():
    replicas = simulated(np.random.default_rng(2))
    assert variance_components(replicas[:1]) is None
    alone = [[Sample(np.ones(3), np.zeros(3, dtype=np.int32))]] * 2
    assert variance_components(alone) is None
    others = [Sample(sample.values, sample.users + 1) for sample in replicas[1]]
    with pytest.raises(ValueError, match="different users"):
        variance_components([replicas[0], others])
