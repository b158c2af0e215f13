"""Made-up interactions with a popularity skew and latent tastes: no network, any size, the same bytes everywhere.

Each row's user is drawn by activity. Its item is the best of a few items drawn by popularity, judged by the inner
product of the user's and the item's latent factors; the more items are compared, the more a user's rows follow taste
rather than popularity. The arithmetic is on whole numbers; the one power function is rounded to 20 bits before it is
used, so that platforms that differ in its last bit still make the same rows.
"""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from recbench.data.ids import IdTable
from recbench.data.interactions import Interactions
from recbench.data.ordering import dense_codes, first_of_each
from recbench.data.random_bits import Purpose, RandomBits
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.protocol import Int64Array

FACTOR_RANGE = 1024
WEIGHT_SCALE = 2**20
ROWS_AT_ONCE = 1_000_000
MAX_ROUNDS = 50


class SyntheticParameters(BaseModel):
    """The shape of a synthetic dataset.

    Attributes:
        n_users: Number of users.
        n_items: Number of items.
        density: Rows / (n_users * n_items).
        popularity_skew: Exponent of the power law of item popularity; 0 makes all items equally popular.
        activity_skew: The same for users.
        factors: Number of latent factors.
        choices: Items compared for each row: 1 means no taste, only popularity.
        seed: Seed of the generator.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_users: int = Field(default=600, ge=2)
    n_items: int = Field(default=400, ge=2)
    density: float = Field(default=0.05, gt=0, le=0.5)
    popularity_skew: float = Field(default=0.6, ge=0, le=3)
    activity_skew: float = Field(default=0.4, ge=0, le=3)
    factors: int = Field(default=4, ge=1, le=256)
    choices: int = Field(default=6, ge=1, le=64)
    seed: int = Field(default=0, ge=0, le=2**63 - 1)

    @property
    def n_rows(self) -> int:
        """Number of distinct (user, item) pairs to make."""
        return round(self.density * self.n_users * self.n_items)


def generate(parameters: SyntheticParameters) -> Interactions:
    """Makes the interactions; their timestamps count the rows, so that file order is time order.

    Raises:
        RecbenchError: The skews leave too few likely pairs for the density.
    """
    bits = RandomBits(parameters.seed, Purpose.SYNTHETIC)
    tastes = _factors(bits, parameters.n_users, parameters.factors)
    traits = _factors(bits, parameters.n_items, parameters.factors)
    activity = _cumulative_weights(parameters.n_users, parameters.activity_skew)
    popularity = _cumulative_weights(parameters.n_items, parameters.popularity_skew)
    keys = np.empty(0, dtype=np.int64)
    for _ in range(MAX_ROUNDS):
        missing = parameters.n_rows - len(keys)
        if not missing:
            break
        fresh = np.concatenate(
            [
                _draw_pairs(bits, min(ROWS_AT_ONCE, missing - done), tastes, traits, activity, popularity, parameters)
                for done in range(0, missing, ROWS_AT_ONCE)
            ]
        )
        keys = np.concatenate([keys, fresh])
        keys = keys[first_of_each(keys)]
    else:
        raise RecbenchError(
            f"A synthetic dataset of {parameters.n_rows:,} rows could not be filled: the popular pairs are used up.",
            "Lower density, popularity_skew, activity_skew or choices, or raise n_users or n_items.",
        )
    users, user_order = dense_codes(keys // parameters.n_items)
    items, item_order = dense_codes(keys % parameters.n_items)
    return Interactions(
        Rows(users, items, timestamps=np.arange(len(keys), dtype=np.int64)),
        IdTable.from_strings(f"u{user}" for user in user_order.tolist()),
        IdTable.from_strings(f"i{item}" for item in item_order.tolist()),
    )


def _factors(bits: RandomBits, rows: int, factors: int) -> Int64Array:
    return bits.below(2 * FACTOR_RANGE + 1, rows * factors).reshape(rows, factors) - FACTOR_RANGE


def _cumulative_weights(n: int, skew: float) -> Int64Array:
    """Sums of the whole-numbered weights round(WEIGHT_SCALE / rank**skew), at least 1 each."""
    weights = np.rint(WEIGHT_SCALE * np.arange(1, n + 1, dtype=np.float64) ** -skew).astype(np.int64)
    return np.cumsum(np.maximum(weights, 1))


def _draw_pairs(
    bits: RandomBits,
    n: int,
    tastes: Int64Array,
    traits: Int64Array,
    activity: Int64Array,
    popularity: Int64Array,
    parameters: SyntheticParameters,
) -> Int64Array:
    """Draws int64[n] pair keys, user * n_items + item."""
    users = np.searchsorted(activity, bits.below(int(activity[-1]), n), side="right")
    items = np.searchsorted(popularity, bits.below(int(popularity[-1]), n * parameters.choices), side="right")
    items = items.reshape(n, parameters.choices)
    affinity = np.zeros(items.shape, dtype=np.int64)
    for factor in range(parameters.factors):
        affinity += tastes[users, factor, None] * traits[:, factor][items]
    chosen: Int64Array = items[np.arange(n), affinity.argmax(axis=1)].astype(np.int64)
    return users.astype(np.int64) * parameters.n_items + chosen
