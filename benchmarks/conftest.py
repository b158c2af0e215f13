"""Speed only: one thread unless RECBENCH_BENCH_THREADS says more; no network."""

import os
from typing import TYPE_CHECKING

import pytest

from recbench.builtin_models import make_importable
from recbench.trials.machine import library_settings

if TYPE_CHECKING:
    from recbench.data.interactions import Interactions
    from recbench.tasks.task import Task

THREADS = int(os.environ.get("RECBENCH_BENCH_THREADS", "1"))
# Before any numeric library is loaded.
os.environ.update(library_settings(THREADS))
make_importable()


@pytest.fixture(scope="session")
def threads() -> int:
    return THREADS


@pytest.fixture(scope="session")
def interactions() -> "Interactions":
    """The size of MovieLens 100K."""
    from recbench.data.synthetic import SyntheticParameters, generate

    return generate(SyntheticParameters(n_users=943, n_items=1_682, density=0.063))


@pytest.fixture(scope="session")
def task(interactions: "Interactions") -> "Task":
    from recbench.tasks.build import split_and_draw
    from recbench.tasks.named_specs import builtin_specs

    return split_and_draw(builtin_specs()["synthetic"].model_copy(update={"digest": None}), interactions)
