"""The best ten items of each user from the same factors: recbench's full ranking beside the rankers of frameworks.

    recbench env create implicit               # each framework that should take part
    python -m benchmarks.top_k                 # the size of MovieLens 20M, one thread

Every contender runs in a process of its own, in the environment of its framework, and with the same random factors and
train rows. In a round they run in turns. The time is CPU time, because that depends less on other programs. The matrix
product alone, whose result nobody reads, is the physical limit. recbench also counts, for a held-out item of each user,
how many items have a higher score, which the frameworks do not.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

TOP: Final = 10
USERS_AT_ONCE: Final = 1_000
SHARE_OF_LENSKIT: Final = 20
"""LensKit ranks one user at a time, so it ranks a twentieth of them."""


def product(data: dict[str, Any]) -> Callable[[], None]:
    """Every score, and nothing else."""
    users, items = data["users"], data["items"]
    scores = np.empty((USERS_AT_ONCE, len(items)), dtype=np.float32)

    def work() -> None:
        for start in range(0, len(users), USERS_AT_ONCE):
            block = users[start : start + USERS_AT_ONCE]
            np.matmul(block, items.T, out=scores[: len(block)])

    return work


def recbench(data: dict[str, Any], top: int | None = TOP) -> Callable[[], Any]:
    """The full ranking, with the lists unless ``top`` is None."""
    from recbench.evaluation.full_ranking import rank_catalogue
    from recbench.protocol import TrainSet
    from recbench.tasks.task import Cases

    n_users, n_items = len(data["users"]), len(data["items"])
    train = TrainSet.from_rows(n_users, n_items, data["rows_user"], data["rows_item"])
    cases = Cases(np.arange(n_users, dtype=np.int32), data["held_out"], np.empty((n_users, 0), dtype=np.int32))

    class Factors:
        def fit(self, train: Any, context: Any) -> None: ...

        def score(self, users: Any, items: Any) -> Any:
            return np.einsum("nf,ncf->nc", data["users"][users], data["items"][items])

        def score_all(self, users: Any) -> Any:
            return data["users"][users] @ data["items"].T

    def work() -> Any:
        ranked = rank_catalogue(Factors(), train, cases, top)
        return ranked.top

    return work


def _liked(data: dict[str, Any]) -> Any:
    from scipy.sparse import csr_matrix

    ones = np.ones(len(data["rows_user"]), dtype=np.float32)
    shape = (len(data["users"]), len(data["items"]))
    return csr_matrix((ones, (data["rows_user"], data["rows_item"])), shape=shape)


def implicit(data: dict[str, Any]) -> Callable[[], Any]:
    """``implicit.cpu.topk``, which ``recommend()`` of its factor models calls."""
    from implicit.cpu.topk import topk

    liked, threads = _liked(data), data["threads"]
    return lambda: topk(data["items"], data["users"], TOP, filter_query_items=liked, num_threads=threads)[0]


def rectools(data: dict[str, Any]) -> Callable[[], Any]:
    """``ImplicitRanker``, which ``recommend()`` of its factor models calls."""
    from rectools.models.rank import Distance, ImplicitRanker

    liked, ids = _liked(data), np.arange(len(data["users"]))
    ranker = ImplicitRanker(Distance.DOT, data["users"], data["items"], num_threads=data["threads"])
    return lambda: ranker.rank(ids, TOP, filter_pairs_csr=liked)[1]


def lenskit(data: dict[str, Any]) -> Callable[[], Any]:
    """``ItemList.top_n``, which its ranker calls for one user, after the product of PyTorch."""
    import torch
    from lenskit.data import ItemList

    torch.set_num_threads(data["threads"])
    users, items = torch.from_numpy(data["users"]), torch.from_numpy(data["items"])
    liked, numbers = _liked(data), np.arange(len(items))

    def work() -> None:
        for user in range(0, len(users), SHARE_OF_LENSKIT):
            seen = liked.indices[liked.indptr[user] : liked.indptr[user + 1]]
            unseen = np.delete(numbers, seen)
            scores = torch.mv(items[torch.from_numpy(unseen)], users[user])
            ItemList(item_nums=unseen, item_ids=unseen, scores=scores).top_n(TOP)

    return work


CONTENDERS: Final[dict[str, tuple[str, Callable[[dict[str, Any]], Callable[[], Any]]]]] = {
    "matrix product alone": ("", product),
    "recbench, ranks": ("", lambda data: recbench(data, None)),
    "recbench, ranks and lists": ("", recbench),
    "implicit": ("implicit", implicit),
    "RecTools": ("rectools", rectools),
    "LensKit": ("lenskit", lenskit),
}


def run_one(name: str, file: str, threads: int) -> None:
    """Runs one contender in this process, and prints its figures as JSON."""
    with np.load(file, allow_pickle=False) as arrays:
        data: dict[str, Any] = dict(arrays) | {"threads": threads}
    work = CONTENDERS[name][1](data)
    began, cpu_began = time.perf_counter(), time.process_time()
    lists = work()
    share = SHARE_OF_LENSKIT if name == "LensKit" else 1
    figures = {
        "cpu": (time.process_time() - cpu_began) * share,
        "seconds": (time.perf_counter() - began) * share,
        "sum": None if lists is None else int(np.asarray(lists, dtype=np.int64).sum()),
    }
    print(json.dumps(figures))  # noqa: T201


def main() -> None:
    """Runs all contenders in turns, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=138_000)
    parser.add_argument("--items", type=int, default=27_000)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run_one(*options.one, options.threads)
        return
    from recbench.experiments.environments import State, environments
    from recbench.foreign.environments import environment_python
    from recbench.trials.machine import library_settings

    interpreters = {"": sys.executable} | {
        environment.lock.name: str(environment_python(environment.lock.name))
        for environment in environments()
        if environment.state is State.READY
    }
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "data.npz"))
        rng = np.random.default_rng(0)
        keys = np.unique(rng.integers(0, options.users * options.items, options.rows))
        np.savez(
            file,
            users=rng.normal(size=(options.users, options.factors)).astype(np.float32),
            items=rng.normal(size=(options.items, options.factors)).astype(np.float32),
            rows_user=(keys // options.items).astype(np.int32),
            rows_item=(keys % options.items).astype(np.int32),
            held_out=rng.integers(0, options.items, options.users, dtype=np.int32),
        )
        names = [name for name, (framework, _) in CONTENDERS.items() if framework in interpreters]
        rounds: list[dict[str, dict[str, Any]]] = []
        for _ in range(options.rounds):
            rounds.append({})
            for name in names:
                ended = subprocess.run(
                    [
                        interpreters[CONTENDERS[name][0]], __file__, "--threads", str(options.threads),
                        "--one", name, file,
                    ],
                    env={**os.environ, **library_settings(options.threads)},
                    stdout=subprocess.PIPE,
                    check=True,
                    text=True,
                )  # fmt: skip
                rounds[-1][name] = json.loads(ended.stdout)
    print("| contender | CPU seconds | users per CPU second | ratio to the product | spread | sum of the lists |")  # noqa: T201
    print("|---|---|---|---|---|---|")  # noqa: T201
    for name in names:
        cpu = statistics.median(figures[name]["cpu"] for figures in rounds)
        ratios = [figures[name]["cpu"] / figures[names[0]]["cpu"] for figures in rounds]
        sums = {figures[name]["sum"] for figures in rounds}
        print(  # noqa: T201
            f"| {name} | {cpu:.1f} | {options.users / cpu:,.0f} | {statistics.median(ratios):.2f} "
            f"| {min(ratios):.2f} to {max(ratios):.2f} | {', '.join(str(one) for one in sums if one is not None)} |"
        )


if __name__ == "__main__":
    main()
