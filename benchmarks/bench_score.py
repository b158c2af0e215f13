"""Ranking the cases of a task, among candidates and in the whole catalogue."""

import os

import numpy as np
import pytest

from recbench.evaluation.full_ranking import rank_catalogue
from recbench.evaluation.ranking import rank_cases
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.operating_system.memory import peak_memory_bytes
from recbench.protocol import TrainSet
from recbench.tasks.task import Cases


class Table:
    """Looks scores up, at no cost."""

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
    benchmark(compute_metrics, ranks, (1, 5, 10, 20))


class Factors:
    """As much work as a factor model has with all items: one matrix product."""

    def __init__(self, n_users, n_items, factors=64):
        rng = np.random.default_rng(0)
        self.users, self.items = (rng.normal(size=(n, factors)).astype(np.float32) for n in (n_users, n_items))

    def fit(self, train, context):
        pass

    def score(self, users, items):
        return np.einsum("nf,ncf->nc", self.users[users], self.items[items])

    def score_all(self, users):
        return self.users[users] @ self.items.T


def random_problem(n_users, n_items, n_rows):
    """Train rows at random, about n_rows of them, and a case of each user."""
    rng = np.random.default_rng(0)
    keys = np.unique(rng.integers(0, n_users * n_items, n_rows))
    train = TrainSet.from_rows(n_users, n_items, (keys // n_items).astype(np.int32), (keys % n_items).astype(np.int32))
    users = np.arange(n_users, dtype=np.int32)
    items = rng.integers(0, n_items, n_users, dtype=np.int32)
    return train, Cases(users, items, np.empty((n_users, 0), dtype=np.int32))


@pytest.mark.parametrize("top", [None, 10])
def bench_rank_catalogue(benchmark, top):
    """The size of the NCF split of MovieLens 1M."""
    train, cases = random_problem(6_040, 3_706, 994_169)
    benchmark.pedantic(rank_catalogue, (Factors(6_040, 3_706), train, cases, top), warmup_rounds=1, rounds=5)


@pytest.mark.skipif("RECBENCH_BENCH_LARGE" not in os.environ, reason="a minute and 2 GB: set RECBENCH_BENCH_LARGE=1")
@pytest.mark.parametrize("top", [None, 10])
def bench_rank_large_catalogue(benchmark, top):
    """The size of MovieLens 20M."""
    train, cases = random_problem(138_000, 27_000, 20_000_000)
    model = Factors(138_000, 27_000)
    benchmark.extra_info["peak_rss_before_bytes"] = peak_memory_bytes()
    benchmark.pedantic(rank_catalogue, (model, train, cases, top), rounds=1)
    benchmark.extra_info["peak_rss_bytes"] = peak_memory_bytes()
