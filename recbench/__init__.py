"""recbench: compare implicit-feedback recommenders on one frozen task, with one clock.

>>> import recbench as rb
>>> run = rb.run(["popularity", "random"], "synthetic", seeds=1, output="runs", quiet=True)
>>> run.to_frame()["model"].unique().tolist()
['popularity', 'random']

The names below are imported when they are first used: ``import recbench`` itself loads no numeric library.
"""

import sys

# Before anything that an older Python cannot read. `sys.argv` is ["-m"] while `python -m recbench` imports the package.
if sys.version_info < (3, 11):  # noqa: UP036 - a checkout can be run without being installed
    _version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    _message = f"recbench needs Python 3.11 or newer. This is Python {_version}: {sys.executable}"
    if sys.argv[:1] == ["-m"]:
        sys.exit(_message)
    raise ImportError(_message)

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recbench.builtin_models import make_importable as _make_importable

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "Gate",
    "Model",
    "NothingToCompareError",
    "Policy",
    "RecbenchError",
    "ReplicatedRun",
    "Run",
    "Suite",
    "Sweep",
    "Task",
    "Tuning",
    "__version__",
    "compare",
    "evaluate",
    "load",
    "load_task",
    "make_task",
    "replica_names",
    "run",
    "suite",
    "sweep",
    "tune",
]

if TYPE_CHECKING:
    from recbench.errors import NothingToCompareError, RecbenchError
    from recbench.experiments.api import evaluate, load, run, suite, sweep, tune
    from recbench.experiments.comparison import Comparison, compare
    from recbench.experiments.gates import Gate
    from recbench.experiments.replicated import ReplicatedRun
    from recbench.experiments.results import Run
    from recbench.experiments.suite import Suite
    from recbench.experiments.sweep import Sweep
    from recbench.experiments.tuning import Tuning
    from recbench.registry.requested import Model
    from recbench.reports.compare.policy import Policy
    from recbench.tasks.lookup import load_task
    from recbench.tasks.make import make_task
    from recbench.tasks.replicas import replica_names
    from recbench.tasks.task import Task

# Here, so that ``import recbench_models`` works as soon as recbench is imported, in a checkout too.
_make_importable()

_MODULES = {
    "recbench.errors": ("NothingToCompareError", "RecbenchError"),
    "recbench.experiments.api": ("evaluate", "load", "run", "suite", "sweep", "tune"),
    "recbench.experiments.comparison": ("Comparison", "compare"),
    "recbench.experiments.gates": ("Gate",),
    "recbench.experiments.replicated": ("ReplicatedRun",),
    "recbench.experiments.results": ("Run",),
    "recbench.experiments.suite": ("Suite",),
    "recbench.experiments.sweep": ("Sweep",),
    "recbench.experiments.tuning": ("Tuning",),
    "recbench.registry.requested": ("Model",),
    "recbench.reports.compare.policy": ("Policy",),
    "recbench.tasks.lookup": ("load_task",),
    "recbench.tasks.make": ("make_task",),
    "recbench.tasks.replicas": ("replica_names",),
    "recbench.tasks.task": ("Task",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'recbench' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
