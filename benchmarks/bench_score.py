"""Ranking the cases of a task, for a model that costs nothing."""

import numpy as np

from recbench.evaluation.metrics import compute_metrics
from recbench.evaluation.ranking import rank_cases


class Table:
    """Looks scores up."""

    def __init__(self, table):
        self.table = table

    def fit(self, train, context):
        pass

    def score(self, users, items):
        return self.table[users[:, None], items]


def bench_rank_cases(benchmark, task):
    table = np.random.default_rng(0).normal(size=(task.n_users, task.n_items)).astype(np.float32)
    benchmark(rank_cases, Table(table), task.test)


def bench_compute_metrics(benchmark, task):
    table = np.random.default_rng(0).normal(size=(task.n_users, task.n_items)).astype(np.float32)
    ranks = rank_cases(Table(table), task.test)
    benchmark(compute_metrics, ranks, task.test.users, (1, 5, 10, 20))
