"""Building, storing and loading a task of the size of MovieLens 100K."""

import pytest

from recbench.data.synthetic import SyntheticParameters, generate
from recbench.tasks import task_file
from recbench.tasks.build import split_and_draw
from recbench.tasks.named_specs import builtin_specs
from recbench.tasks.verify import verify


def bench_generate(benchmark):
    benchmark(generate, SyntheticParameters(n_users=943, n_items=1_682, density=0.063))


@pytest.mark.parametrize("method", ["uniform", "popularity"])
@pytest.mark.parametrize("split", ["leave-one-out", "leave-last-fraction"])
def bench_split_and_draw(benchmark, interactions, split, method):
    rules = {"method": split, "order": "file"} | ({"fraction": "0.1"} if split == "leave-last-fraction" else {})
    content = builtin_specs()["synthetic"].model_dump(exclude={"digest"})
    spec = type(builtin_specs()["synthetic"]).model_validate(
        content | {"split": rules, "negatives": {"method": method, "count": 100}}
    )
    benchmark(split_and_draw, spec, interactions)


def bench_verify(benchmark, task):
    benchmark(verify, task)


def bench_save(benchmark, task, tmp_path):
    benchmark(task_file.save, task, tmp_path / "task.npz")
