"""Trials are repeatable: the seed reaches the model, and nothing else changes the ranks."""

import numpy as np

from recbench.records.schema import Status
from recbench.registry.hyperparameters import configure
from recbench.registry.models import find_model
from recbench.selftest.check import check, expect
from recbench.tasks.task import Task
from recbench.trials.conditions import Conditions
from recbench.trials.events import ignore
from recbench.trials.trial import run_trial

MODEL = "random"
"""The builtin model whose every score follows from the seed."""


@check("two trials of one seed agree; two seeds differ")
def trials_repeat(task: Task) -> str:
    """Whole trials, by the same code as ``recbench run``."""
    reference = find_model(MODEL)
    configuration = configure(reference, reference.load(), {})
    ranks = []
    for seed in (0, 0, 1):
        outcome = run_trial(task, configuration, seed, Conditions(), ignore)
        expect(outcome.record.status is Status.DONE and outcome.ranks is not None, str(outcome.record.error))
        assert outcome.ranks is not None
        ranks.append(outcome.ranks.candidates.better)
    expect(np.array_equal(ranks[0], ranks[1]), f"{MODEL}: two trials of seed 0 give different ranks")
    expect(not np.array_equal(ranks[0], ranks[2]), f"{MODEL}: seeds 0 and 1 give the same ranks")
    return f"model {MODEL}, {len(task.test):,} ranks"
