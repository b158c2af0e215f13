"""Cases whose true hit rate is known: one a user, or many of users who differ in tastes and in number of cases."""

import numpy as np

TRUE_HIT_RATE = 0.4
SPREAD = 4.0
"""Of users' own hit rates: the sum of the parameters of their beta distribution."""


def single_hits(rng: np.random.Generator, n_users: int) -> tuple[np.ndarray, np.ndarray]:
    """Users int32[n], hits float64[n], one case a user."""
    return np.arange(n_users, dtype=np.int32), (rng.random(n_users) < TRUE_HIT_RATE).astype(np.float64)


def clustered_hits(rng: np.random.Generator, n_users: int) -> tuple[np.ndarray, np.ndarray]:
    """The same with 1 to some 20 cases a user; a user's cases are alike."""
    counts = 1 + rng.poisson(rng.gamma(1.0, 5.0, n_users))
    rates = rng.beta(SPREAD * TRUE_HIT_RATE, SPREAD * (1 - TRUE_HIT_RATE), n_users)
    users = np.repeat(np.arange(n_users, dtype=np.int32), counts)
    return users, (rng.random(len(users)) < rates[users]).astype(np.float64)


def two_alike(rng: np.random.Generator, n_users: int, clustered: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Users, and hits of two models of which neither is better; they agree on some users more than on others."""
    users, _ = clustered_hits(rng, n_users) if clustered else single_hits(rng, n_users)
    rates = rng.beta(SPREAD * TRUE_HIT_RATE, SPREAD * (1 - TRUE_HIT_RATE), (2, n_users))
    swap = rng.random(n_users) < 0.5
    first, second = np.where(swap, rates, rates[::-1])[:, users]
    return users, *((rng.random(len(users)) < rate).astype(np.float64) for rate in (first, second))
