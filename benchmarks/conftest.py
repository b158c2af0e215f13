"""Speed only: one thread, the synthetic task, no network."""

import os

# Before any numeric library is loaded.
os.environ.update(
    dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
)
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import pytest

from recbench.data.interactions import Interactions
from recbench.data.synthetic import SyntheticParameters, generate
from recbench.tasks.build import split_and_draw
from recbench.tasks.shelf import builtin_specs
from recbench.tasks.task import Task


@pytest.fixture(scope="session")
def interactions() -> Interactions:
    """The size of MovieLens 100K."""
    return generate(SyntheticParameters(n_users=943, n_items=1_682, density=0.063))


@pytest.fixture(scope="session")
def task(interactions: Interactions) -> Task:
    return split_and_draw(builtin_specs()["synthetic"].model_copy(update={"digest": None}), interactions)
