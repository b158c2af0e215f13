"""Five epochs of every builtin model that trains; the extra column is train interactions a second."""

import pytest

from recbench.protocol import WarmUp
from recbench.trials.clock import TimedContext
from recbench.trials.registry import find_model

EPOCHS = 5


@pytest.mark.parametrize("name", ["bpr", "implicit-bpr", "ncf"])
def bench_fit(benchmark, task, name):
    train = task.train_set()
    model_class = find_model(name).load()

    def warm():
        model, context = model_class(epochs=EPOCHS), TimedContext(0, threads=1)
        if isinstance(model, WarmUp):
            model.warm_up(train, context)
        return (model, context), {}

    benchmark.pedantic(lambda model, context: model.fit(train, context), setup=warm, rounds=3)
    benchmark.extra_info["interactions_per_second"] = len(train) * EPOCHS / benchmark.stats.stats.median
