"""The measurement of a trained model in use. It imports numpy and the standard library, and runs on Python 3.9.

A trial runs this file in the process of the model: recbench imports it, and ``recbench.foreign.host`` executes it in
another interpreter. So both use the same code and the same clock, and no pipe between processes is in a latency.
"""

import io
import pickle
import time
from typing import Any

import numpy as np

CELLS_AT_ONCE = 2**23
"""Scores in one answer of ``score_all``, as in the full ranking."""
TILE_CELLS_AT_ONCE = 2**17
"""Pairs in one call of ``score``, as in the full ranking."""
MOST_OBJECTS = 1_000_000
"""Objects in which arrays are looked for."""


class Requests:
    """Requests for the k best items of users, closed loop: a request starts when the one before it has its answer.

    Args:
        model: The trained model.
        train: The train rows: ``n_items``, ``indptr`` and ``indices``.
        k: Length of the lists.
        best: Returns the indices of the k highest scores; ``recbench.evaluation.top_items.top_items``.
        as_array: Returns scores as an array; ``recbench.evaluation.score_arrays.score_array``.
    """

    def __init__(self, model: Any, train: Any, k: int, best: Any, as_array: Any) -> None:
        self._model, self._train, self._k, self._best, self._as_array = model, train, k, best, as_array
        self._has_score_all = callable(getattr(model, "score_all", None))
        self._items = np.arange(train.n_items, dtype=np.int32)

    def seconds_of(self, users: Any) -> float:
        """Answers one request for some users, and returns its time in seconds.

        Args:
            users: int32[n].

        Raises:
            ValueError: Scores have a wrong shape, or are not finite.
        """
        began = time.perf_counter()
        answers = [answer for block in self._blocks(users) for answer in self._answer(block)]
        seconds = time.perf_counter() - began
        for user, best_scores in zip(users.tolist(), answers):  # noqa: B905 - Python 3.9
            if not np.isfinite(best_scores).all():
                raise ValueError("a score of user index {} is not finite".format(user))
        return seconds

    def _blocks(self, users: Any) -> Any:
        cells = CELLS_AT_ONCE if self._has_score_all else TILE_CELLS_AT_ONCE
        size = max(1, cells // self._train.n_items)
        return [users[start : start + size] for start in range(0, len(users), size)]

    def _answer(self, users: Any) -> Any:
        train, answers = self._train, []
        for user, scores in zip(users.tolist(), self._scores(users)):  # noqa: B905 - Python 3.9
            seen = train.indices[train.indptr[user] : train.indptr[user + 1]]
            # A copy: the array may be the model's own.
            unseen = scores.copy()
            unseen[seen] = -np.inf
            left = min(self._k, train.n_items - len(seen))
            best_items = self._best(unseen, left) if left else np.empty(0, dtype=np.intp)
            if len(best_items) != left:
                raise ValueError("a score of user index {} is not a number".format(user))
            answers.append(unseen[best_items])
        return answers

    def _scores(self, users: Any) -> Any:
        n_items = self._train.n_items
        if self._has_score_all:
            return self._checked(self._model.score_all(users.copy()), (len(users), n_items))
        tiles = []
        for start in range(0, n_items, TILE_CELLS_AT_ONCE):
            items = np.tile(self._items[start : start + TILE_CELLS_AT_ONCE], (len(users), 1))
            tile = self._checked(self._model.score(users.copy(), items), items.shape)
            # A copy where more tiles follow: the model may return the same array again, with the scores of the next.
            tiles.append(tile if items.shape[1] == n_items else tile.copy())
        return tiles[0] if len(tiles) == 1 else np.concatenate(tiles, axis=1)

    def _checked(self, scores: Any, shape: Any) -> Any:
        array = self._as_array(scores)
        if array.shape != shape or not np.issubdtype(array.dtype, np.floating):
            raise ValueError("scores are {} of the shape {}, expected {}".format(array.dtype, array.shape, shape))
        return array


def measure(model: Any, train: Any, plan: Any, best: Any, as_array: Any) -> Any:
    """Measures a trained model in use.

    The first request is timed apart. A warm-up follows, which is not timed. Then requests for one user alternate
    between users with a short and with a long history, so that both have the same machine. At the end come batches.

    Args:
        model: The trained model.
        train: The train rows.
        plan: ``k``; ``requests`` and ``seconds``: how many requests of each group, and how long, at least;
            ``warm_up``: untimed requests; ``batch_seconds``: how long batches of one size, at least; ``batches``: their
            sizes; ``short``, ``long`` and ``users``: int32[n], the users of requests and of batches, which are used in
            turns.
        best: See ``Requests``.
        as_array: See ``Requests``.

    Returns:
        A dictionary of plain numbers, see ``recbench.trials.serving``; times in seconds, sizes in bytes.
    """
    requests = Requests(model, train, plan["k"], best, as_array)
    resident = _status("VmRSS:")
    is_known = resident is not None and _forget_peak()
    groups = {"short": plan["short"], "long": plan["long"]}
    first = requests.seconds_of(plan["long"][:1])
    for number in range(plan["warm_up"]):
        for users in groups.values():
            requests.seconds_of(_turn(users, number, 1))
    times: Any = {name: [] for name in groups}
    began, cpu_began = time.perf_counter(), time.process_time()
    number = 0
    while number < plan["requests"] or time.perf_counter() - began < plan["seconds"]:
        for name, users in groups.items():
            times[name].append(requests.seconds_of(_turn(users, number, 1)))
        number += 1
    cpu_seconds = time.process_time() - cpu_began
    rates = {size: _users_per_second(requests, plan["users"], size, plan["batch_seconds"]) for size in plan["batches"]}
    peak = _status("VmHWM:") if is_known else None
    spent = time.perf_counter() - began
    # At the end, for it may take memory.
    size, size_of = _size(model)
    return {
        "first": first,
        "n_requests": number,
        "percentiles": {name: np.percentile(seconds, (50, 95, 99)).tolist() for name, seconds in times.items()},
        "cpu_per_request": cpu_seconds / (2 * number),
        "users_per_second": rates,
        "memory_bytes": None if peak is None or resident is None else max(peak - resident, 0),
        "size_bytes": size,
        "size_of": size_of,
        "seconds": spent,
    }


def _turn(users: Any, number: int, size: int) -> Any:
    """Returns the users of a request or batch; after the last of them comes the first again."""
    return users[(number * size + np.arange(size)) % len(users)]


def _users_per_second(requests: Requests, users: Any, size: int, seconds: float) -> float:
    requests.seconds_of(_turn(users, 0, size))
    spent, number = 0.0, 0
    while number == 0 or spent < seconds:
        spent += requests.seconds_of(_turn(users, number + 1, size))
        number += 1
    return size * number / spent


def _forget_peak() -> bool:
    """Lets Linux measure the peak memory of this process anew; returns whether it does."""
    try:
        # PTH: pathlib cannot write without truncating.
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write("5")
    except OSError:
        # Only Linux has this file, and a container may forbid it: then the memory is not known.
        return False
    return True


def _status(name: str) -> Any:
    """Returns a figure of this process in bytes; None where the system does not tell."""
    try:
        with open("/proc/self/status", encoding="utf-8") as file:  # noqa: PTH123
            for line in file:
                if line.startswith(name):
                    return int(line.split()[1]) * 1024
    except OSError:
        # Only Linux has this file.
        return None
    return None


class _Counter(io.RawIOBase):
    """A file that counts its bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.n_bytes = 0

    def write(self, content: Any) -> int:
        """Counts."""
        size = memoryview(content).nbytes
        self.n_bytes += size
        return size


def _size(model: Any) -> Any:
    """Returns the bytes of a model, and what they are of: its pickle, or its arrays if it cannot be pickled."""
    counter = _Counter()
    try:
        pickle.Pickler(counter, protocol=5).dump(model)
    except Exception:  # noqa: BLE001 - a model's own code decides what it raises
        return _bytes_of_arrays(model), "arrays"
    return counter.n_bytes, "pickle"


def _bytes_of_arrays(model: Any) -> Any:
    """Returns the bytes of all arrays and tensors that are reachable from a model; None if there is none."""
    sizes: Any = {}
    seen: Any = set()
    left = [model]
    while left and len(seen) < MOST_OBJECTS:
        value = left.pop()
        if id(value) in seen or isinstance(value, (str, bytes, int, float, type)):
            continue
        seen.add(id(value))
        n_bytes = _own_bytes(value)
        if n_bytes is not None:
            sizes[id(value)] = n_bytes
        elif isinstance(value, dict):
            left += list(value.values())
        elif isinstance(value, (list, tuple, set, frozenset)):
            left += list(value)
        else:
            left += list((getattr(value, "__dict__", None) or {}).values())
    return sum(sizes.values()) if sizes else None


def _own_bytes(value: Any) -> Any:
    """Returns the bytes of an array or a tensor; None for anything else."""
    try:
        if isinstance(getattr(value, "nbytes", None), int):
            return value.nbytes
        shape, size = getattr(value, "shape", None), getattr(getattr(value, "dtype", None), "size", None)
        # A variable of TensorFlow has no nbytes.
        return int(np.prod(tuple(shape))) * size if shape is not None and isinstance(size, int) else None
    except Exception:  # noqa: BLE001 - a model's own classes may do anything
        return None
