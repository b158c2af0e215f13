"""How a trial's process imports the harness: at once, without garbage collector and plugins of pydantic."""

import gc
import importlib
import os
from typing import Final

MODULES: Final = (
    "recbench.errors",
    "recbench.runners.processes.messages",
    "recbench.registry.hyperparameters",
    "recbench.registry.observation",
    "recbench.records.ranks_file",
    "recbench.tasks.task_file",
    "recbench.trials.trial",
    "recbench.trials.machine",
)
"""With all that these import, what a trial needs of the harness."""
PLUGINS: Final = "PYDANTIC_DISABLE_PLUGINS"


def import_harness() -> None:
    """Imports what a trial needs of the harness, before the model's own import is timed.

    The user's folders then come first on the Python path, and a file of the user's must not take the place of a module
    that the harness needs.

    Imports make no garbage. The first class of pydantic looks for plugins among all installed packages, and the
    messages of a trial need none. A model that uses pydantic itself still gets them: the variable is as before when the
    model is imported. Together they are a tenth of the time that a trial's process needs to start.
    """
    collecting, before = gc.isenabled(), os.environ.get(PLUGINS)
    gc.disable()
    os.environ[PLUGINS] = "1"
    for module in MODULES:
        importlib.import_module(module)
    if before is None:
        del os.environ[PLUGINS]
    else:
        os.environ[PLUGINS] = before
    if collecting:
        # The first collection would look at all that was imported, for 20 ms.
        gc.freeze()
        gc.enable()
