"""Models of the same sizes share what TensorFlow compiles: a second fit in a process begins at once."""

import sys

import numpy as np
import pytest

from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext

pytest.importorskip("tensorflow")

from recbench_models.bpr import BPR
from recbench_models.lightgcn import LightGCN
from recbench_models.mf import MF


def traces():
    """How often each compiled function of the models has been traced."""
    return {
        (module.__name__, name): value.experimental_get_tracing_count()
        for module in list(sys.modules.values())
        if module.__name__.startswith("recbench_models.")
        for name, value in vars(module).items()
        if hasattr(type(value), "experimental_get_tracing_count")
    }


@pytest.mark.parametrize(
    ("model", "n_items", "functions"),
    [
        (lambda: BPR(7, epochs=1, loss="sampled_softmax", similarity="cosine"), 900, ["_softmax_slopes", "_scaled"]),
        (lambda: BPR(7, epochs=1, loss="softmax", negatives=3), 20_000, ["_pair_slopes", "places_in_pool"]),
        (lambda: MF(7, epochs=1), 900, ["_draw", "_slopes"]),
        (lambda: LightGCN(7, epochs=1, loss="sampled_softmax"), 900, ["_softmax_slopes", "row_sums"]),
    ],
    ids=["bpr", "bpr with own negatives", "mf", "lightgcn"],
)
def test_a_second_fit_compiles_nothing(model, n_items, functions):
    rng = np.random.default_rng(0)
    users, items = np.divmod(np.unique(rng.integers(0, 20 * n_items, 600)), n_items)
    train = TrainSet.from_rows(20, n_items, users.astype(np.int32), items.astype(np.int32))
    model().fit(train, TimedContext(0, 1))
    after_first = traces()
    assert {"regularised_update", *functions} <= {name for (_, name), count in after_first.items() if count}
    model().fit(train, TimedContext(1, 1))
    assert traces() == after_first
