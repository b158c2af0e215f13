"""Whatever a model reports, the trial that it has finished is kept."""

import json

import numpy as np
import pytest

from recbench.records import store
from recbench.records.schema import Status
from recbench.registry.hyperparameters import configure
from recbench.registry.models import ModelReference, Origin
from recbench.trials.conditions import Conditions
from recbench.trials.events import ignore
from recbench.trials.facts import kept_facts
from recbench.trials.trial import run_trial


class Hostile:
    shape = ()

    def __str__(self):
        raise RuntimeError

    __repr__ = __eq__ = item = __str__
    __hash__ = None


class LyingText(str):
    def __str__(self):
        return 5


VALUES = [
    float("nan"), -float("inf"), np.float64("nan"), np.float32(0.1), np.int64(3), np.bool_(True), np.array(2.5),
    10**5000, -(2**64), "\ud800", "x" * 10**7, LyingText("text"), b"bytes", None, True, 1 + 2j, np.arange(3), [1],
    {"a": 1}, object(), Hostile(), np.datetime64("2026-01-01"), np.str_("text"), Status.DONE, np.void(b"x"), lambda: 0,
]  # fmt: skip


def test_every_value_becomes_one_that_a_record_can_keep(tmp_path):
    facts = kept_facts({**{f"v{number}": value for number, value in enumerate(VALUES)}, "\udcff": 1})
    text = json.dumps(facts, allow_nan=False, ensure_ascii=False).encode()
    assert len(text) < 20_000
    assert json.loads(text) == facts
    assert (facts["v3"], facts["v4"], facts["v5"], facts["v6"]) == (float(np.float32(0.1)), 3, True, 2.5)
    assert facts["v0"] == "not kept: nan is not a finite number"
    assert facts["v7"] == "not kept: an integer of 16,610 bits"
    assert facts["v16"] == "not kept: a ndarray"
    assert len(kept_facts(dict.fromkeys(map(str, range(10**5)), 1))) == 1001


class Reports:
    repeatable_on_threads = np.arange(2)

    def fit(self, train, context):
        for number, value in enumerate(VALUES):
            context.report(**{f"v{number}": value, "device": np.array(["gpu", "cpu"])})

    def score(self, users, items):
        return items.astype(float)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_training_is_kept_whatever_the_model_reports(board, tmp_path, threads):
    outcome = run_trial(
        board, configure(ModelReference("toy", "toy:Toy", Origin.MODULE), Reports, {}), 0, Conditions(threads), ignore
    )
    assert outcome.record.status is Status.DONE
    assert outcome.record.repeatable is (True if threads == 1 else None)
    stored = store.save(outcome.record, outcome.ranks, tmp_path)
    assert store.load(stored.path).facts == outcome.record.facts
