"""What a score must not depend on: anything but its user, its item, and what the model learned.

A score that depends on the other candidates of its call reveals which lists hold a positive. A score that depends on
its position, its batch or earlier calls can take any value. Every check requests scores of a trained model and names
the pair that differs.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from recbench.evaluation.score_arrays import score_array
from recbench.protocol import FloatArray, Recommender, ScoreAll
from recbench.selftest.check import Check, NotApplicableError, check, expect
from recbench.selftest.score_requests import ScoreRequest, agreement, compare, request_scores, same_bits

IntArray = npt.NDArray[np.intp]

SMALL_BATCHES = 8
ENOUGH_ROWS = 20
"""Rows from which on it cannot be chance that a rounding has the same sign in all."""


def leaks(model: Recommender, request: ScoreRequest) -> Iterator[Check]:
    """Yields every check of a trained model's scores."""
    for run in CHECKS:
        yield run(model, request)


@check("scores have the shape of the items, and are floating-point and finite")
def form(model: Recommender, request: ScoreRequest) -> str:
    """For 1, 2 and all candidates a case."""
    users, items = request.users, request.items
    widths = sorted({1, min(2, items.shape[1]), items.shape[1]})
    for width in widths:
        few = np.ascontiguousarray(items[:, :width])
        scores = request_scores(model, users, few)
        expect(np.issubdtype(scores.dtype, np.floating), f"score() returned {scores.dtype}")
        wrong = ~np.isfinite(scores)
        row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
        expect(
            not wrong.any(),
            f"{int(wrong.sum()):,} of {wrong.size:,} scores are not finite; user index {users[row]}, item index "
            f"{few[row, column]} has {scores[row, column]}",
        )
    return f"{scores.dtype}, for {', '.join(map(str, widths))} candidates"


@check("scoring twice gives the same")
def scoring_twice(model: Recommender, request: ScoreRequest) -> str:
    """Bit for bit: scoring neither draws random numbers nor counts calls."""
    first, second = (request_scores(model, request.users, request.items) for _ in range(2))
    expect(same_bits(first, second), _differ(first, second, "two calls with the same arguments give different scores"))
    return f"{first.size:,} scores, bit for bit"


@check("scores do not depend on the other candidates in the call")
def other_candidates(model: Recommender, request: ScoreRequest) -> str:
    """The same pairs alone, in twos, and at the same positions beside other items."""
    users, items = request.users, request.items
    scores = request_scores(model, users, items)
    largest = 0.0
    for width, what in ((1, "when it is the only candidate"), (2, "beside one other candidate")):
        few = np.ascontiguousarray(items[:, :width])
        largest = max(largest, compare(scores[:, :width], request_scores(model, users, few), users, few, scores, what))
    beside = items.copy()
    strangers = np.random.default_rng(2).integers(request.n_items, size=items[:, 1::2].shape, dtype=np.int32)
    beside[:, 1::2] = strangers
    kept = slice(0, None, 2)
    actual = request_scores(model, users, beside)[:, kept]
    what = "beside other candidates"
    largest = max(largest, compare(scores[:, kept], actual, users, items[:, kept], scores, what))
    return f"alone, in twos, beside others: {agreement(largest)}"


@check("scores do not depend on the order of candidates")
def candidate_order(model: Recommender, request: ScoreRequest) -> str:
    """All rows in one order, each row in its own, and one item at every position."""
    users, items = request.users, request.items
    rng = np.random.default_rng(3)
    scores = request_scores(model, users, items)
    together = np.broadcast_to(rng.permutation(items.shape[1]), items.shape)
    each = np.argsort(rng.random(items.shape), axis=1)
    largest = 0.0
    for order in (together, each):
        shuffled = np.take_along_axis(items, order, axis=1)
        expected = np.take_along_axis(scores, order, axis=1)
        actual = request_scores(model, users, shuffled)
        largest = max(largest, compare(expected, actual, users, shuffled, scores, "at another position"))
    repeated = np.repeat(items[:, :1], items.shape[1], axis=1)
    everywhere = request_scores(model, users, repeated)
    first = np.broadcast_to(everywhere[:, :1], everywhere.shape)
    largest = max(largest, compare(first, everywhere, users, repeated, scores, "in a row of nothing but this item"))
    _check_no_position_bonus(everywhere)
    return f"shuffled, and at every position: {agreement(largest)}"


@check("scores do not depend on the other cases in the call")
def batches(model: Recommender, request: ScoreRequest) -> str:
    """Cases in another order, one by one, in parts, and twice in one call."""
    users, items = request.users, request.items
    scores = request_scores(model, users, items)
    order = np.random.default_rng(4).permutation(len(users))
    rest = slice(SMALL_BATCHES, None)
    calls: list[tuple[IntArray, str]] = [(order, "among cases in another order")]
    calls += [(np.array([row]), "in a call of its own") for row in range(min(SMALL_BATCHES, len(users)))]
    calls += [(np.arange(len(users))[rest], "without the first cases"), (np.tile(order, 2), "in a call twice as large")]
    largest = 0.0
    for rows, what in calls:
        if len(rows):
            actual = request_scores(model, users[rows], items[rows])
            largest = max(largest, compare(scores[rows], actual, users[rows], items[rows], scores, what))
    return f"reordered, alone, in parts, doubled: {agreement(largest)}"


@check("scores do not depend on earlier calls")
def call_order(model: Recommender, request: ScoreRequest) -> str:
    """The same call before and after a call for other users and items, bit for bit."""
    others = request.different()
    before = request_scores(model, request.users, request.items)
    request_scores(model, others.users, others.items)
    after = request_scores(model, request.users, request.items)
    expect(same_bits(before, after), _differ(before, after, "the scores differ after a call for other users and items"))
    return "bit for bit, with other calls in between"


@check("score() leaves its arguments alone")
def arguments_of_score(model: Recommender, request: ScoreRequest) -> str:
    """The arrays that it is given are as they were."""
    users, items = request.users.copy(), request.items.copy()
    with np.errstate(all="ignore"):
        answer = score_array(model.score(users, items))
    for name, before, after in (("users", request.users, users), ("items", request.items, items)):
        expect(np.array_equal(before, after), f"score() writes into its argument {name}")
        expect(not np.shares_memory(answer, after), f"score() returns its argument {name}")
    return "users, items"


@check("score_all() gives the scores of score()")
def full_catalogue(model: Recommender, request: ScoreRequest) -> str:
    """For a few users together and each alone: otherwise --full would rank another model than the candidates do."""
    if not isinstance(model, ScoreAll):
        raise NotApplicableError("the model has no score_all(); the harness calls score() for all items")
    users = request.users[:SMALL_BATCHES]
    items = np.tile(np.arange(request.n_items, dtype=np.int32), (len(users), 1))
    scores = request_scores(model, users, items)
    largest = 0.0
    for rows in (np.arange(len(users)), *np.arange(len(users))[:, None]):
        of_rows = users[rows]
        answer = np.array(score_array(model.score_all(of_rows)))
        expect(np.array_equal(of_rows, users[rows]), "score_all() writes into its argument users")
        expect(
            answer.shape == items[rows].shape,
            f"score_all() returned the shape {answer.shape} for {len(rows)} users and {request.n_items} items",
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
    full_catalogue,
)


def _differ(first: FloatArray, other: FloatArray, what: str) -> str:
    with np.errstate(all="ignore"):
        differ = first != other
    row, column = np.unravel_index(int(differ.argmax()), differ.shape)
    return f"{what}: {first[row, column]:.9g}, then {other[row, column]:.9g} ({int(differ.sum()):,} of {differ.size:,})"


def _check_no_position_bonus(everywhere: FloatArray) -> None:
    """A bonus too small for ``compare`` still breaks ties; unlike a rounding, it has the same sign in all rows.

    Args:
        everywhere: float[n, c], the scores of one item at all positions of its row.
    """
    if len(everywhere) < ENOUGH_ROWS:
        return
    more, less = everywhere > everywhere[:, :1], everywhere < everywhere[:, :1]
    always = more.all(axis=0) | less.all(axis=0)
    position = int(always.argmax())
    expect(
        not always.any(),
        f"an item at position {position} of its row has another score than at position 0, in the same direction for "
        f"every user: "
        f"{float(everywhere[0, 0])!r} and {float(everywhere[0, position])!r}",
    )
