"""A trained model in use: which users send requests, and what their answers took."""

from dataclasses import dataclass
from time import perf_counter
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from recbench.data.random_bits import Purpose, RandomBits
from recbench.evaluation.score_arrays import score_array
from recbench.evaluation.top_items import top_items
from recbench.foreign import serving_loop
from recbench.foreign.connection import CLOCK_TOLERANCE, PROCESS, ForeignError
from recbench.foreign.proxy import ForeignModel
from recbench.operating_system.memory import keep_peak_memory
from recbench.protocol import Int32Array, Recommender, TrainSet
from recbench.records.cost_values import LatencyValue, ServingValue
from recbench.trials.serving_plan import ServingPlan

BATCHES: Final = (1, 32, 1024)
"""Users of one request."""
SHARE_OF_GROUP: Final = 10
"""Users with a short and with a long history: the tenth of the users with the fewest and with the most train rows."""
MOST_USERS: Final = 1024
"""Users of a group that send requests, in turns."""
MILLISECONDS: Final = 1000

_Time = Annotated[FiniteFloat, Field(ge=0)]


class _Figures(BaseModel):
    """What ``serving_loop.measure`` returns; another interpreter may return anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: _Time
    n_requests: Annotated[int, Field(ge=1)]
    percentiles: dict[Literal["short", "long"], tuple[_Time, _Time, _Time]]
    cpu_per_request: _Time
    users_per_second: dict[int, Annotated[FiniteFloat, Field(gt=0)]]
    memory_bytes: Annotated[int, Field(ge=0)] | None
    size_bytes: Annotated[int, Field(ge=0)] | None
    size_of: Literal["pickle", "arrays"]
    seconds: _Time


@dataclass(frozen=True, slots=True, eq=False)
class ServedUsers:
    """The users who send requests; the same for every model and seed.

    Attributes:
        short: int32[n], with a short history.
        long: int32[n], with a long history.
        batch: int32[n], any users.
    """

    short: Int32Array
    long: Int32Array
    batch: Int32Array


def served_users(train: TrainSet) -> ServedUsers:
    """Draws the users of requests, among those with train rows; with repetition.

    A short history has at most as many rows as that of the user at the first tenth of all, by the number of rows; a
    long one has at least as many as that of the user at the last tenth.

    Args:
        train: The train rows.
    """
    rows = np.diff(train.indptr)
    known = np.flatnonzero(rows)
    by_rows = known[np.argsort(rows[known], kind="stable")]
    place = (len(by_rows) - 1) // SHARE_OF_GROUP
    low, high = rows[by_rows[place]], rows[by_rows[len(by_rows) - 1 - place]]
    groups = known[rows[known] <= low], known[rows[known] >= high], known
    short, long, batch = (
        users[RandomBits(0, Purpose.SERVED_USERS, number).below(len(users), MOST_USERS)].astype(np.int32)
        for number, users in enumerate(groups)
    )
    return ServedUsers(short, long, batch)


def serve(model: Recommender, train: TrainSet, plan: ServingPlan) -> ServingValue:
    """Measures a trained model in use, in the process in which it is.

    Args:
        model: The trained model.
        train: The train rows.
        plan: How many requests, and how long.

    Raises:
        ValueError: Scores cannot be ranked, or what another interpreter returned are no such figures.
        ForeignError: The other interpreter says that it took longer than it can have.
    """
    users = served_users(train)
    arrays = {"short": users.short, "long": users.long, "users": users.batch}
    numbers = {
        "k": plan.k,
        "requests": plan.requests,
        "seconds": plan.seconds,
        "warm_up": plan.warm_up,
        "batch_seconds": plan.batch_seconds,
        "batches": BATCHES,
    }
    began = perf_counter()
    if isinstance(model, ForeignModel):
        figures = _Figures.model_validate(model.serve(numbers, arrays))
        if figures.seconds > perf_counter() - began + CLOCK_TOLERANCE:
            raise ForeignError(f"{PROCESS} says that it took {figures.seconds} s")
    else:
        keep_peak_memory()
        figures = _Figures.model_validate(
            serving_loop.measure(model, train, {**numbers, **arrays}, top_items, score_array)
        )
    return ServingValue(
        k=plan.k,
        short=_latency(figures, "short", users.short, train),
        long=_latency(figures, "long", users.long, train),
        first_request_ms=figures.first * MILLISECONDS,
        cpu_ms=figures.cpu_per_request * MILLISECONDS,
        users_per_second=figures.users_per_second,
        memory_bytes=figures.memory_bytes,
        size_bytes=figures.size_bytes,
        size_of=figures.size_of,
        requests=plan.requests,
        seconds=plan.seconds,
    )


def _latency(figures: _Figures, name: Literal["short", "long"], users: Int32Array, train: TrainSet) -> LatencyValue:
    p50, p95, p99 = (seconds * MILLISECONDS for seconds in figures.percentiles[name])
    rows: Any = np.diff(train.indptr)[users]
    return LatencyValue(
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        n_requests=figures.n_requests,
        fewest_rows=int(rows.min()),
        most_rows=int(rows.max()),
    )
