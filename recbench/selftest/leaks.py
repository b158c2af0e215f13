"""What a score may not depend on: anything but its user, its item, and what was learned.

A score that knows the other candidates of its call knows which lists hold a positive; one that knows its place, its
batch or what was asked before can be had to say anything. All checks ask a trained model and name the leak they find.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from recbench.protocol import FloatArray, Recommender, ScoreAll
from recbench.selftest.check import Check, NotApplicableError, check, expect
from recbench.selftest.questions import Questions, agreement, ask, compare, same_bits

IntArray = npt.NDArray[np.intp]

SMALL_BATCHES = 8
ENOUGH_ROWS = 20
"""Rows from which on it cannot be chance that a rounding has the same sign in all."""


def leaks(model: Recommender, questions: Questions) -> Iterator[Check]:
    """Yields every check of a trained model's scores."""
    for one in CHECKS:
        yield one(model, questions)


@check("scores have the shape of the items, and are floating-point and finite")
def form(model: Recommender, questions: Questions) -> str:
    """For 1, 2 and all candidates a case."""
    users, items = questions.users, questions.items
    widths = sorted({1, min(2, items.shape[1]), items.shape[1]})
    for width in widths:
        asked = np.ascontiguousarray(items[:, :width])
        scores = ask(model, users, asked)
        expect(np.issubdtype(scores.dtype, np.floating), f"score() returned {scores.dtype}")
        wrong = ~np.isfinite(scores)
        row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
        expect(
            not wrong.any(),
            f"{int(wrong.sum()):,} of {wrong.size:,} scores are not finite; user index {users[row]}, item index "
            f"{asked[row, column]} has {scores[row, column]}",
        )
    return f"{scores.dtype}, for {', '.join(map(str, widths))} candidates"


@check("scoring twice gives the same")
def scoring_twice(model: Recommender, questions: Questions) -> str:
    """Bit for bit: no chance in scoring, and no count of calls."""
    first, second = (ask(model, questions.users, questions.items) for _ in range(2))
    expect(same_bits(first, second), _differ(first, second, "the same question, asked twice, has two answers"))
    return f"{first.size:,} scores, bit for bit"


@check("scores do not depend on the other candidates in the call")
def other_candidates(model: Recommender, questions: Questions) -> str:
    """The same pairs alone, in twos, and at the same places beside other items."""
    users, items = questions.users, questions.items
    scores = ask(model, users, items)
    largest = 0.0
    for width, what in ((1, "when it is the only candidate"), (2, "beside one other candidate")):
        few = np.ascontiguousarray(items[:, :width])
        largest = max(largest, compare(scores[:, :width], ask(model, users, few), users, few, scores, what))
    beside = items.copy()
    strangers = np.random.default_rng(2).integers(questions.n_items, size=items[:, 1::2].shape, dtype=np.int32)
    beside[:, 1::2] = strangers
    kept = slice(0, None, 2)
    found = ask(model, users, beside)[:, kept]
    what = "beside other candidates"
    largest = max(largest, compare(scores[:, kept], found, users, items[:, kept], scores, what))
    return f"alone, in twos, beside others: {agreement(largest)}"


@check("scores do not depend on the order of candidates")
def candidate_order(model: Recommender, questions: Questions) -> str:
    """All rows in one order, each row in its own, and one item at every place."""
    users, items = questions.users, questions.items
    rng = np.random.default_rng(3)
    scores = ask(model, users, items)
    together = np.broadcast_to(rng.permutation(items.shape[1]), items.shape)
    each = np.argsort(rng.random(items.shape), axis=1)
    largest = 0.0
    for order in (together, each):
        shuffled = np.take_along_axis(items, order, axis=1)
        expected = np.take_along_axis(scores, order, axis=1)
        found = ask(model, users, shuffled)
        largest = max(largest, compare(expected, found, users, shuffled, scores, "at another place"))
    repeated = np.repeat(items[:, :1], items.shape[1], axis=1)
    everywhere = ask(model, users, repeated)
    first = np.broadcast_to(everywhere[:, :1], everywhere.shape)
    largest = max(largest, compare(first, everywhere, users, repeated, scores, "at another place of a row of itself"))
    _no_bonus_for_a_place(everywhere)
    return f"shuffled, and at every place: {agreement(largest)}"


@check("scores do not depend on the other cases in the call")
def batches(model: Recommender, questions: Questions) -> str:
    """Cases in another order, one by one, in parts, and twice in one call."""
    users, items = questions.users, questions.items
    scores = ask(model, users, items)
    order = np.random.default_rng(4).permutation(len(users))
    rest = slice(SMALL_BATCHES, None)
    asked: list[tuple[IntArray, str]] = [(order, "among cases in another order")]
    asked += [(np.array([row]), "in a call of its own") for row in range(min(SMALL_BATCHES, len(users)))]
    asked += [(np.arange(len(users))[rest], "without the first cases"), (np.tile(order, 2), "in a call twice as large")]
    largest = 0.0
    for rows, what in asked:
        if len(rows):
            found = ask(model, users[rows], items[rows])
            largest = max(largest, compare(scores[rows], found, users[rows], items[rows], scores, what))
    return f"reordered, alone, in parts, doubled: {agreement(largest)}"


@check("scores do not depend on what was asked before")
def call_order(model: Recommender, questions: Questions) -> str:
    """The same call before and after a call for other users and items, bit for bit."""
    others = questions.others()
    before = ask(model, questions.users, questions.items)
    ask(model, others.users, others.items)
    after = ask(model, questions.users, questions.items)
    expect(
        same_bits(before, after), _differ(before, after, "after a call for other users and items, scores are others")
    )
    return "bit for bit, with other questions between"


@check("score() leaves its arguments alone")
def arguments_of_score(model: Recommender, questions: Questions) -> str:
    """The arrays that it is given are as they were."""
    users, items = questions.users.copy(), questions.items.copy()
    with np.errstate(all="ignore"):
        answer = np.asarray(model.score(users, items))
    for name, before, after in (("users", questions.users, users), ("items", questions.items, items)):
        expect(np.array_equal(before, after), f"score() writes into its argument {name}")
        expect(not np.shares_memory(answer, after), f"score() returns its argument {name}")
    return "users, items"


@check("score_all() gives the scores of score()")
def whole_catalogue(model: Recommender, questions: Questions) -> str:
    """For a few users together and each alone: or else --full would rank another model than the candidates do."""
    if not isinstance(model, ScoreAll):
        raise NotApplicableError("the model has no score_all(): score() is asked for all items")
    users = questions.users[:SMALL_BATCHES]
    items = np.tile(np.arange(questions.n_items, dtype=np.int32), (len(users), 1))
    scores = ask(model, users, items)
    largest = 0.0
    for rows in (np.arange(len(users)), *np.arange(len(users))[:, None]):
        asked = users[rows]
        answer: npt.NDArray[Any] = np.array(model.score_all(asked))
        expect(np.array_equal(asked, users[rows]), "score_all() writes into its argument users")
        expect(
            answer.shape == items[rows].shape,
            f"score_all() returned the shape {answer.shape} for {len(rows)} users and {questions.n_items} items",
        )
        expect(np.issubdtype(answer.dtype, np.floating), f"score_all() returned {answer.dtype}")
        largest = max(largest, compare(scores[rows], answer, users[rows], items[rows], scores, "from score_all()"))
    return f"{scores.size:,} scores: {agreement(largest)}"


CHECKS = (
    form,
    scoring_twice,
    other_candidates,
    candidate_order,
    batches,
    call_order,
    arguments_of_score,
    whole_catalogue,
)


def _differ(one: FloatArray, other: FloatArray, what: str) -> str:
    with np.errstate(all="ignore"):
        differ = one != other
    row, column = np.unravel_index(int(differ.argmax()), differ.shape)
    return f"{what}: {one[row, column]:.9g}, then {other[row, column]:.9g} ({int(differ.sum()):,} of {differ.size:,})"


def _no_bonus_for_a_place(everywhere: FloatArray) -> None:
    """A bonus too small for ``compare`` still breaks ties; unlike a rounding, it has the same sign in all rows.

    Args:
        everywhere: float[n, c], the scores of one item at all places of its row.
    """
    if len(everywhere) < ENOUGH_ROWS:
        return
    more, less = everywhere > everywhere[:, :1], everywhere < everywhere[:, :1]
    always = more.all(axis=0) | less.all(axis=0)
    place = int(always.argmax())
    expect(
        not always.any(),
        f"an item at place {place} of its row has another score than at place 0, in the same direction for every user: "
        f"{float(everywhere[0, 0])!r} and {float(everywhere[0, place])!r}",
    )
