"""Training of every builtin model; the extra column is train interactions a second.

``bench_ml_100k`` trains on MovieLens 100K, where its task has been built (``recbench run`` does that). ``bench_size``
trains on made-up rows whose number of interactions, users, items or factors grows while the others stay.
"""

from functools import cache
from inspect import signature

import numpy as np
import pytest

from recbench.protocol import TrainSet, WarmUp
from recbench.registry.models import find_model
from recbench.tasks.lookup import load_task, task_names
from recbench.trials.clock import TimedContext
from recbench_models import MODELS

BASE = {"interactions": 1_000_000, "users": 20_000, "items": 5_000, "factors": 64}
SWEEP = [
    *({**BASE, "interactions": interactions} for interactions in (100_000, 1_000_000, 10_000_000)),
    *({**BASE, "users": users} for users in (5_000, 100_000)),
    *({**BASE, "items": items} for items in (1_000, 50_000)),
    *({**BASE, "factors": factors} for factors in (16, 256)),
    {"interactions": 10_000_000, "users": 500_000, "items": 50_000, "factors": 64},
]


SAME_LOSS = {"bpr": {"loss": "bpr", "similarity": "inner"}, "implicit-bpr": {}}
"""So that both models train the same thing."""


@pytest.mark.parametrize("name", sorted(MODELS))
def bench_ml_100k(benchmark, threads, name):
    if "ml-100k" not in task_names():
        pytest.skip("the task ml-100k has not been built")
    measure(benchmark, name, load_task("ml-100k").train_set(), threads, 5, {})


@pytest.mark.parametrize("size", SWEEP, ids=lambda size: "-".join(f"{n}{key[0]}" for key, n in size.items()))
@pytest.mark.parametrize("name", ["bpr", "implicit-bpr"])
def bench_size(benchmark, threads, name, size):
    train = made_up(size["interactions"], size["users"], size["items"])
    measure(benchmark, name, train, threads, 1, {"factors": size["factors"], **SAME_LOSS[name]})


def measure(benchmark, name, train, threads, epochs, parameters):
    """Fits three times, warm-up aside."""
    model_class = find_model(name).load()
    if "epochs" in signature(model_class).parameters:
        parameters = {**parameters, "epochs": epochs}

    def warm():
        model, context = model_class(**parameters), TimedContext(0, threads)
        if isinstance(model, WarmUp):
            model.warm_up(train, context)
        return (model, context), {}

    benchmark.pedantic(lambda model, context: model.fit(train, context), setup=warm, rounds=3)
    passes = parameters.get("epochs", 1)
    benchmark.extra_info["interactions_per_second"] = len(train) * passes / benchmark.stats.stats.median


@cache
def made_up(interactions: int, users: int, items: int) -> TrainSet:
    """Rows of random users and of items by a power law, each pair once."""
    rng = np.random.default_rng(0)
    cumulative = np.cumsum((np.arange(items) + 20.0) ** -0.8)
    rows = np.empty(0, dtype=np.int64)
    while len(rows) < interactions:
        n = int(1.1 * (interactions - len(rows))) + 100
        drawn = np.searchsorted(cumulative, rng.random(n) * cumulative[-1])
        rows = np.unique(np.concatenate([rows, rng.integers(0, users, n) * items + drawn]))
    rows = rng.permutation(rows)[:interactions]
    return TrainSet.from_rows(users, items, (rows // items).astype(np.int32), (rows % items).astype(np.int32))
