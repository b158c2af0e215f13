"""Metrics that the harness must report for scorers whose result is known, on any task."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from recbench.data.ordering import pair_keys
from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.metrics.ndcg import ndcg
from recbench.evaluation.ranking import Ranks, rank_cases
from recbench.protocol import FloatArray, Int32Array
from recbench.selftest.chance import MISSED, hits_interval
from recbench.selftest.check import Check, check, expect
from recbench.selftest.full_ranking import full_ranking
from recbench.selftest.repetition import trials_repeat
from recbench.selftest.same_ranks import same_ranks, take_cases, take_ranks
from recbench.selftest.scorers import Scorer, constant, hashed, levels, neighbouring, oracle
from recbench.tasks.task import NO_ITEM, Cases, Task
from recbench.tasks.verify import verify

IntArray = npt.NDArray[np.intp]

ROUNDS = 8
"""Seeds of the random scorer."""


def known_answers(task: Task) -> Iterator[Check]:
    """Yields every check of the harness on the task, each as soon as it is done."""
    for run in CHECKS:
        yield run(task)


@check("the task keeps its rules")
def task_is_valid(task: Task) -> str:
    """``recbench.tasks.verify``."""
    verify(task)
    return f"{task.digest[:19]}: digest, indices, split and candidates"


@check("no test row is in train")
def train_and_test_are_apart(task: Task) -> str:
    """Counted again, independently of ``verify``, because every metric depends on it."""
    shared = _shared(task, (task.users, task.items), (task.test.users, task.test.items))
    expect(not shared, f"test rows are in train: {shared}")
    return f"{task.n_train:,} train rows, {len(task.test):,} test rows, none in both"


@check("no validation row is in test, or left in the train set of validation")
def validation_is_apart(task: Task) -> str:
    """Validation rows are train rows; a model does not learn from them while they evaluate it."""
    validation = (task.validation.users, task.validation.items)
    shared = _shared(task, validation, (task.test.users, task.test.items))
    expect(not shared, f"validation rows are in test: {shared}")
    train = task.train_set_for_validation()
    left = _shared(task, validation, (train.users, train.items))
    expect(not left, f"validation rows are learned from: {left}")
    return f"{len(task.validation):,} validation rows"


@check("a constant scorer gets k / (n + 1)")
def constant_scorer(task: Task) -> str:
    """All n negatives of a case are tied with its positive, so each of the n + 1 ranks is equally likely."""
    ranks = rank_cases(Scorer(constant), task.test)
    n = (task.test.negatives != NO_ITEM).sum(axis=1)
    k = cut_off(task.test)
    for cut in sorted({1, k}):
        expected = cut / (n + 1)
        hits = hit_rate(ranks, cut)
        wrong = hits != expected
        case = int(wrong.argmax())
        expect(
            not wrong.any(),
            f"HR@{cut} is {hits[case]} for case {case} with {n[case]} negatives, and should be {expected[case]} "
            f"({int(wrong.sum()):,} of {len(n):,} cases are wrong)",
        )
        gains = (1 / np.log2(np.arange(cut) + 2.0)).sum() / (n + 1)
        off = float(np.abs(ndcg(ranks, cut) - gains).max())
        expect(off < 1e-12, f"NDCG@{cut} is off by up to {off}")
    return f"HR@{k} {float(hit_rate(ranks, k).mean()):.6f}, exact for each of {len(n):,} cases"


@check("a random scorer is within chance")
def random_scorer(task: Task) -> str:
    """Hashes of user, item and seed, on one case of each user, for these are independent of each other.

    Cases of one user share candidates and so hits: a (user, item) pair has one score. Each seed takes another case of
    those who have several.
    """
    k, hits, n_negatives = cut_off(task.test), 0.0, []
    order = np.argsort(task.test.users, kind="stable")
    _, first, counts = np.unique(task.test.users[order], return_index=True, return_counts=True)
    for seed in range(ROUNDS):
        cases = take_cases(task.test, order[first + seed % counts])
        hits += float(hit_rate(rank_cases(Scorer(hashed(seed)), cases), k).sum())
        n_negatives.append(cases.n_negatives)
    n = np.concatenate(n_negatives)
    fewest, most = hits_interval(n, k)
    expect(
        fewest <= hits <= most,
        f"{hits:,.0f} hits at {k} in {len(n):,} independent draws; all but {MISSED:g} of random scorers have "
        f"{fewest:,} to {most:,}",
    )
    return (
        f"HR@{k} {hits / len(n):.4f} over {len(n):,} independent draws; exact interval, missed with probability "
        f"{MISSED:g}: {fewest / len(n):.4f} to {most / len(n):.4f}"
    )


@check("an oracle gets 1")
def perfect_scorer(task: Task) -> str:
    """The held-out item above all others, in every case."""
    ranks = rank_cases(Scorer(oracle(task.test, task.n_items)), task.test)
    for metric in (hit_rate, ndcg):
        worst = float(metric(ranks, 1).min())
        expect(worst == 1, f"{metric.__name__} at 1 is {worst} for case {int(metric(ranks, 1).argmin())}")
    return "HR@1 and NDCG@1 of every case"


@check("an inverse oracle gets 0")
def worst_scorer(task: Task) -> str:
    """The held-out item below all others, in every case: a hit only if the list holds all candidates."""
    ranks = rank_cases(Scorer(oracle(task.test, task.n_items, sign=-1.0)), task.test)
    last = int(task.test.n_negatives.min())
    for metric in (hit_rate, ndcg):
        best = float(metric(ranks, last).max())
        expect(best == 0, f"{metric.__name__} at {last} is {best} for case {int(metric(ranks, last).argmax())}")
    return f"HR@{last} and NDCG@{last} of every case"


@check("the order of candidates moves no rank")
def order_of_candidates(task: Task) -> str:
    """Negatives in another order, for each case its own; ``NO_ITEM`` stays at the end."""
    keys = np.random.default_rng(0).random(task.test.negatives.shape)
    order = np.argsort(np.where(task.test.negatives == NO_ITEM, 2.0, keys), axis=1)
    shuffled = replace(task.test, negatives=np.take_along_axis(task.test.negatives, order, axis=1))
    return same_ranks(_plain(task), rank_cases(Scorer(levels(0)), shuffled))


@check("the order of cases and the size of blocks move no rank")
def order_of_cases(task: Task) -> str:
    """Cases in another order, scored in blocks of another size."""
    order = np.random.default_rng(0).permutation(len(task.test))
    ranks = rank_cases(Scorer(levels(0)), take_cases(task.test, order), cases_at_once=777)
    return same_ranks(take_ranks(_plain(task), order), ranks)


@check("renaming users and items moves no rank")
def renaming(task: Task) -> str:
    """Users and items under other indices, and a scorer that knows them under these."""
    rng = np.random.default_rng(0)
    new_user = rng.permutation(task.n_users).astype(np.int32)
    # NO_ITEM is the index -1, and so the last: it keeps its name.
    new_item = np.append(rng.permutation(task.n_items), NO_ITEM).astype(np.int32)
    old_user, old_item = np.argsort(new_user).astype(np.int32), np.argsort(new_item[:-1]).astype(np.int32)
    renamed = Cases(new_user[task.test.users], new_item[task.test.items], new_item[task.test.negatives])
    scores = levels(0)
    ranks = rank_cases(Scorer(lambda users, items: scores(old_user[users], old_item[items])), renamed)
    return same_ranks(_plain(task), replace(ranks, users=old_user[ranks.users]))


@check("an affine change of scores moves no rank")
def affine_change(task: Task) -> str:
    """4 x - 200 of small whole numbers: exact in floating point, and no score is above 0 any more."""
    return same_ranks(_plain(task), _changed(task, lambda scores: 4 * scores - 200))


@check("a monotone change of scores moves no rank")
def monotone_change(task: Task) -> str:
    """x**3 of small whole numbers, and the same order squeezed into neighbouring numbers: both exact."""
    same_ranks(_plain(task), _changed(task, lambda scores: scores**3))
    return same_ranks(_plain(task), rank_cases(Scorer(neighbouring(levels(0))), task.test))


@check("scores in float32 and float64 give the same ranks")
def precision(task: Task) -> str:
    """Of numbers that both hold, as close as float32 has them."""
    single, double = (Scorer(neighbouring(levels(0), dtype)) for dtype in (np.float32, np.float64))
    return same_ranks(rank_cases(single, task.test), rank_cases(double, task.test))


CHECKS = (
    task_is_valid,
    train_and_test_are_apart,
    validation_is_apart,
    constant_scorer,
    random_scorer,
    perfect_scorer,
    worst_scorer,
    order_of_candidates,
    order_of_cases,
    renaming,
    affine_change,
    monotone_change,
    precision,
    full_ranking,
    trials_repeat,
)


def cut_off(cases: Cases) -> int:
    """10, or half of the candidates of the case that has fewest, where they are fewer than 20."""
    return min(10, (int(cases.n_negatives.min()) + 1) // 2)


def _plain(task: Task) -> Ranks:
    return rank_cases(Scorer(levels(0)), task.test)


def _changed(task: Task, change: Callable[[FloatArray], FloatArray]) -> Ranks:
    scores = levels(0)
    return rank_cases(Scorer(lambda users, items: change(scores(users, items))), task.test)


def _shared(task: Task, first: tuple[Int32Array, Int32Array], second: tuple[Int32Array, Int32Array]) -> str:
    """Describes the (user, item) pairs that two sets of rows share; empty if none."""
    shared = np.intersect1d(pair_keys(*first, task.n_items), pair_keys(*second, task.n_items))
    if not len(shared):
        return ""
    user, item = divmod(int(shared[0]), task.n_items)
    return f"{len(shared):,}; the first is user {task.user_ids[user]!r}, item {task.item_ids[item]!r}"
