"""Seconds and peak memory from a ratings file to a loaded task, and how both grow with the rows.

    python benchmarks/task_scale.py --rows 1,5,25 --negatives uniform,popularity

The ratings are made up: 60,000 items, a user for each 156 rows (160,000 users at 25 million rows), popularity and
activity skewed, times to the second, rows in the order of time, ids of twelve digits. Every size is read, built, stored
and loaded in a process of its own, whose peak memory is what is shown. Files go to a temporary folder: up to 40 bytes
a row for the ratings, and 30 for the task.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tabulate import tabulate

N_ITEMS = 60_000
ROWS_OF_USER = 156
STAGES = ("read", "number", "split, draw", "digest", "verify", "store", "load")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1,5,25", help="millions of rows, comma-separated")
    parser.add_argument("--negatives", default="popularity", help="uniform, popularity, or both")
    parser.add_argument("--form", default="parquet", choices=["parquet", "csv"])
    parser.add_argument("--worker", nargs=2, metavar=("FILE", "METHOD"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(measure(Path(arguments.worker[0]), arguments.worker[1])))  # noqa: T201
        return
    rows = []
    for method in arguments.negatives.split(","):
        for millions in map(float, arguments.rows.split(",")):
            rows.append(run(round(millions * 1e6), method, arguments.form))
            print(json.dumps(rows[-1]), file=sys.stderr)  # noqa: T201
    cells = [
        [
            f"{row['rows']:,}",
            row["method"],
            *(f"{row[s]:.2f}" for s in STAGES),
            f"{row['build']:.1f}",
            f"{row['gb']:.2f}",
        ]
        for row in rows
    ]
    print(tabulate(cells, ["rows", "negatives", *STAGES, "all before storing", "peak GB"], tablefmt="pipe"))  # noqa: T201
    for method in arguments.negatives.split(","):
        own = [row for row in rows if row["method"] == method]
        if len(own) > 1:
            x, y = (np.log([row[name] for row in own]) for name in ("rows", "build"))
            slope = np.polyfit(x, y, 1)[0]
            last = np.polyfit(x[-2:], y[-2:], 1)[0]
            print(f"{method}: seconds grow as rows ** {slope:.2f}, between the two largest as ** {last:.2f}")  # noqa: T201


def run(n_rows: int, method: str, form: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="recbench-scale-") as folder:
        path = Path(folder) / f"ratings.{form}"
        make = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); "
                f"import task_scale; task_scale.write_ratings({str(path)!r}, {n_rows})"]  # fmt: skip
        subprocess.run(make, check=True)
        done = subprocess.run(
            [sys.executable, __file__, "--worker", str(path), method], check=True, stdout=subprocess.PIPE, text=True
        )
    return json.loads(done.stdout)


def write_ratings(path: str, n_rows: int) -> None:
    """Writes distinct (user, item) pairs with times."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(0)
    n_users = max(n_rows // ROWS_OF_USER, 2)
    activity, popularity = (np.cumsum(np.arange(1, n + 1) ** -skew) for n, skew in ((n_users, 0.4), (N_ITEMS, 0.8)))
    keys = np.empty(0, dtype=np.int64)
    while len(keys) < n_rows:
        n_draws = (n_rows - len(keys)) * 5 // 4 + 1000
        users = np.searchsorted(activity, rng.random(n_draws) * activity[-1])
        items = np.searchsorted(popularity, rng.random(n_draws) * popularity[-1])
        keys = np.unique(np.concatenate([keys, users * N_ITEMS + items]))
    keys = keys[np.sort(rng.permutation(len(keys))[:n_rows])]
    keys = rng.permutation(keys)
    table = pa.table(
        {
            "user": 100_000_000_003 + 977 * (keys // N_ITEMS),
            "item": 900_000_000_001 - 983 * (keys % N_ITEMS),
            "rating": rng.integers(1, 11, n_rows).astype(np.float32) / 2,
            "timestamp": np.sort(rng.integers(1_000_000_000, 1_600_000_000, n_rows)),
        }
    )
    if path.endswith(".csv"):
        pyarrow.csv.write_csv(table, path)
    else:
        pyarrow.parquet.write_table(table, path)


def measure(path: Path, method: str) -> dict[str, object]:
    from recbench.data.readers.ratings_files import read_interactions
    from recbench.tasks import task_file
    from recbench.tasks.build import split_and_draw
    from recbench.tasks.named_specs import builtin_specs
    from recbench.tasks.spec import Negatives
    from recbench.tasks.verification_cache import verify_and_cache

    seconds: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - began

    rules = {"digest": None, "negatives": Negatives(method=method, count=100)}  # type: ignore[arg-type]
    spec = builtin_specs()["synthetic"].model_copy(update=rules)
    target = path.with_suffix(".task")
    with stage("read"):
        interactions = read_interactions(path)
    n_rows, n_users, n_items = len(interactions), interactions.n_users, interactions.n_items
    with stage("number"):
        interactions = interactions.numbered_by_hash()
    with stage("split, draw"):
        task = split_and_draw(spec, interactions)
    del interactions
    with stage("digest"):
        digest = task.digest
    with stage("verify"):
        verify_and_cache(task)
    with stage("store"):
        task_file.save(task, target)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    del task
    with stage("load"):
        again = task_file.load(target)
    assert again.digest == digest
    build = sum(seconds[name] for name in STAGES[:5])
    return {"rows": n_rows, "users": n_users, "items": n_items, "method": method, **seconds, "build": build,
            "gb": peak / 1e9, "sha256": digest}  # fmt: skip


if __name__ == "__main__":
    main()
