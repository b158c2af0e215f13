"""Known answers in the full ranking, by ``score`` and by ``score_all``."""

import numpy as np

from recbench.evaluation.full_ranking import rank_catalogue
from recbench.evaluation.ranking import Ranks
from recbench.selftest.check import check, expect
from recbench.selftest.same_ranks import IntArray, same_ranks, take_cases
from recbench.selftest.scorers import FullScorer, Scorer, Scores, constant, levels, oracle
from recbench.tasks.task import Cases, Task

N_USERS = 32
"""Users whose cases are ranked among the full catalogue; all users take too long on large tasks."""


@check("the full catalogue is ranked by the same rules")
def full_ranking(task: Task) -> str:
    """Some users with all of their cases: known answers, by score() and score_all(), against a plain count."""
    rows = _cases_of_some_users(task.test)
    cases, train = take_cases(task.test, rows), task.train_set()
    n = task.catalogue_sizes[rows] - 1

    def ranks(scores: Scores) -> Ranks:
        whole = rank_catalogue(FullScorer(scores, task.n_items), train, cases).ranks
        tiles = rank_catalogue(Scorer(scores), train, cases, tile_cells_at_once=max(task.n_items // 3, 1)).ranks
        same_ranks(whole, tiles)
        return whole

    for scores, better, tied, what in (
        (constant, 0, n, "a constant scorer"),
        (oracle(cases, task.n_items), 0, 0, "an oracle"),
        (oracle(cases, task.n_items, sign=-1.0), n, 0, "an inverse oracle"),
    ):
        result = ranks(scores)
        wrong = (result.n_others != n) | (result.better != better) | (result.tied != tied)
        case = int(wrong.argmax())
        expect(
            not wrong.any(),
            f"{what} has {result.better[case]} items above the positive of case {rows[case]} and {result.tied[case]} "
            f"tied, of {result.n_others[case]}; there are {n[case]} that its user has not interacted with "
            f"({int(wrong.sum()):,} of {len(wrong):,} cases are wrong)",
        )
    agreed = same_ranks(_counted_plainly(task, cases, levels(0)), ranks(levels(0)))
    return f"constant, oracle, inverse; score() and score_all() alike: {agreed}"


def _cases_of_some_users(cases: Cases) -> IntArray:
    users = np.unique(cases.users)
    some = users[np.linspace(0, len(users) - 1, min(N_USERS, len(users))).astype(np.intp)]
    return np.flatnonzero(np.isin(cases.users, some))


def _counted_plainly(task: Task, cases: Cases, scores: Scores) -> Ranks:
    """Returns full ranks, counted case by case from the task's rows and not from its train set."""
    counts = np.empty((3, len(cases)), dtype=np.int32)
    every_item = np.arange(task.n_items, dtype=np.int32)
    for case, (user, item) in enumerate(zip(cases.users, cases.items, strict=True)):
        seen = [task.items[task.users == user], cases.items[cases.users == user]]
        others = np.setdiff1d(every_item, np.concatenate(seen))
        own = scores(np.array([user]), np.array([[item]]))[0, 0]
        values = scores(np.array([user]), others[None, :])[0]
        counts[:, case] = len(others), (values > own).sum(), (values == own).sum()
    return Ranks(cases.users, *counts)
