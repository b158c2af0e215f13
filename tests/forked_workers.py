"""Starts the processes of trials without starting Python and importing the harness each time.

A run that the server of ``tests/program_server.py`` has forked has all modules that a trial's process imports. It forks
that process, which then has what a started process has: a session, streams, an environment, a folder, a search path,
and the modules of the harness only. A trial whose variables for libraries are not the server's is started as usual,
for libraries read them when they are loaded; so is a trial of a run that has loaded other libraries by then.
"""

import contextlib
import gc
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
import types
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

from recbench.runners.processes.harness_imports import import_harness
from recbench.runners.processes.starting import START
from recbench.trials.machine import THREAD_VARIABLES

WORKERS = ("recbench.runners.processes.worker", "recbench.selftest.worker")
"""The modules of the processes of trials, and of models that a self-test checks."""
OF_MODELS = ("scipy.linalg", "scipy.sparse", "scipy.sparse.linalg")
"""Loaded for most models of the tests, and listed by every record anyway."""
LIBRARIES = ("pandas", "pyarrow")
"""They cannot be loaded twice, and a record lists which of them a model has loaded."""
LOADED_ONCE = ("numpy.", "scipy.")
READ_AT_START = (*THREAD_VARIABLES, "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LD_PRELOAD", "TZ")


class ForkedWorkers:
    """What the server knows of the process of a trial; make it before the modules of the verbs are imported.

    Attributes:
        modules: The names of the modules that such a process has loaded before its model.
        environment: The variables of the server.
    """

    def __init__(self) -> None:
        import_harness()
        # Not installed in the environment without extras.
        with contextlib.suppress(ImportError):
            for name in OF_MODELS:
                importlib.import_module(name)
        self.modules = frozenset(sys.modules)
        self.environment = dict(os.environ)

    def install(self) -> None:
        """Lets this process fork the processes of its trials."""
        workers = self

        class ForkingPopen(subprocess.Popen[bytes]):
            def __init__(self, args: Any, **options: Any) -> None:
                environment = options.get("env") or os.environ
                if workers.can_fork(args, environment):
                    # Objects in reference cycles may own descriptors, whose numbers the new process uses again.
                    gc.collect()
                    # It runs when the new process has its folder, its session and its streams, and does not return.
                    options["preexec_fn"] = partial(workers.become, args, environment)
                super().__init__(args, **options)

        subprocess.Popen = ForkingPopen  # type: ignore[misc]

    def can_fork(self, command: Any, environment: Mapping[str, str]) -> bool:
        """Whether a process may be forked instead of started."""
        return (
            is_trial(command)
            and same_at_start(environment, self.environment)
            and not any(name in sys.modules for name in LIBRARIES)
        )

    def become(self, command: list[str], environment: Mapping[str, str]) -> NoReturn:
        """Makes this new process that of a trial, and runs it."""
        try:
            # Nothing of the run's is freed: it would close descriptors.
            gc.freeze()
            gc.enable()
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            for number in signal.valid_signals():
                if callable(signal.getsignal(number)):
                    signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.environ.clear()
            os.environ.update(environment)
            tempfile.tempdir = None
            _, sys.path[:], parent, module = json.loads(command[-1])
            for name in sys.modules.keys() - self.modules:
                if not name.startswith(LOADED_ONCE):
                    del sys.modules[name]
            sys.modules["__main__"] = types.ModuleType("__main__")
            sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.FileIO(0, closefd=False), "utf-8")
            sys.stdout = sys.__stdout__ = _unbuffered(1, "strict")
            sys.stderr = sys.__stderr__ = _unbuffered(2, "backslashreplace")
            if "numpy.random" in sys.modules:
                # Its state would be the same in all trials of a test session.
                sys.modules["numpy.random"].seed()
            importlib.import_module(module).main(parent)
        except KeyboardInterrupt:
            # As Python ends, which the guardian reports.
            os.write(2, traceback.format_exc().encode())
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        except BaseException:  # noqa: BLE001 - it must not return into the run
            os.write(2, traceback.format_exc().encode())
        os._exit(1)


def is_trial(command: Any) -> bool:
    """Whether a command starts the process of a trial, or that of a model in a self-test."""
    return isinstance(command, list) and START in command and json.loads(command[-1])[-1] in WORKERS


def same_at_start(environment: Mapping[str, str], others: Mapping[str, str]) -> bool:
    """Whether two environments have the same variables for libraries and Python, which read them when they start."""
    python = {name for name in {*environment, *others} if name.startswith("PYTHON")}
    return all(environment.get(name) == others.get(name) for name in {*READ_AT_START, *python})


def _unbuffered(descriptor: int, errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.FileIO(descriptor, "w", closefd=False), "utf-8", errors, write_through=True)
