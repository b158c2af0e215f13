"""The arrays of a task are the same for any number of threads."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from recbench.tasks.build import build
from recbench.tasks.spec import TaskSpec


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ratings")
    rng = np.random.default_rng(0)
    n = 60_000
    rows = pd.DataFrame({
        "user": [f"u{user}" for user in rng.integers(0, 3000, n)],
        "item": (rng.pareto(1.0, n) * 50).astype(np.int64) % 900,
        "rating": rng.integers(1, 6, n).astype(float),
        "timestamp": rng.integers(10**9, 10**9 + 5000, n),
    })  # fmt: skip
    rows.to_csv(folder / "rows.csv", index=False)
    # Many row groups, which Arrow reads side by side.
    rows.to_parquet(folder / "rows.parquet", row_group_size=5000)
    rows.to_json(folder / "rows.json", orient="records", lines=True)
    return folder


@pytest.mark.parametrize("negatives", ["popularity", "uniform"])
def test_the_digest_does_not_depend_on_threads_or_the_form_of_the_file(files, negatives):
    digests = set()
    before = pa.cpu_count(), pa.io_thread_count()
    try:
        for name in ("rows.csv", "rows.parquet", "rows.json"):
            for threads in (1, 2, 7):
                pa.set_cpu_count(threads)
                pa.set_io_thread_count(threads)
                spec = TaskSpec.model_validate({
                    "name": "rows",
                    "dataset": {"source": "file", "path": str(files / name)},
                    "filters": {"k_core": 3},
                    "split": {"method": "leave-one-out"},
                    "negatives": {"method": negatives, "count": 50},
                })  # fmt: skip
                digests.add(build(spec).digest)
    finally:
        pa.set_cpu_count(before[0])
        pa.set_io_thread_count(before[1])
    assert len(digests) == 1
