"""Shared by all tests: one thread, a cache of their own, small tasks with known answers."""

import os

# Before any numeric library is loaded.
os.environ.update(
    {
        f"{library}_THREADS": "1"
        for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
    }
)
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# ranx as plain Python, in every test alike: to compile it takes half a minute.
os.environ["NUMBA_DISABLE_JIT"] = "1"

import gc
import logging
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from recbench import testing
from recbench.data.fetch import fetch
from recbench.garbage import without_collection
from recbench.operating_system.processor import available_cores
from recbench.progress.console import messages
from recbench.tasks.task import Task
from tests.disk import skip_flushes
from tests.program_server import ProgramServer
from tests.sibling_processes import can_fork_siblings
from tests.trial_processes import served_popen

ROOT = Path(__file__).parent.parent

skip_flushes()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept-golden", action="store_true", help="rewrite the golden files")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Returns one more than there are cores: a fifth of the time, tests wait for processes that they have started."""
    return available_cores() + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keeps the garbage collector away from imported modules and tests, which stay until the end.

    It would go through all of them again and again: two seconds while tests are collected, and half a second each time
    later.
    """
    with without_collection():
        result = yield
    gc.freeze()
    return result


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for each test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("RECBENCH_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def messages_of_each_test() -> Iterator[None]:
    """Undoes what a command that runs in this process does to the log and to the descriptor of messages."""
    log = logging.getLogger("recbench")
    before = log.handlers[:], log.level, log.propagate
    messages.cache_clear()
    yield
    messages.cache_clear()
    log.handlers[:], log.level, log.propagate = before


@pytest.fixture(scope="session")
def fetched_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache into which ml-100k has been fetched the way a user would."""
    folder = tmp_path_factory.mktemp("fetched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECBENCH_HOME", str(folder))
        fetch("ml-100k")
    return folder


@pytest.fixture
def ml_100k(fetched_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes ml-100k available to a test."""
    monkeypatch.setenv("RECBENCH_HOME", str(fetched_home))
    return fetched_home


@pytest.fixture(scope="session")
def synthetic_task() -> Task:
    return testing.synthetic_task()


@pytest.fixture(scope="session")
def board() -> Task:
    return testing.checkerboard_task()


@pytest.fixture(scope="session")
def program_server() -> Iterator[ProgramServer]:
    with ProgramServer() as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def forked_trials(program_server: ProgramServer) -> Iterator[None]:
    """Has the processes of trials that tests start in their own process forked by the server, where that works."""
    with pytest.MonkeyPatch.context() as patch:
        if can_fork_siblings():
            patch.setattr(subprocess, "Popen", served_popen(program_server))
        yield


@pytest.fixture
def recbench(tmp_path: Path, program_server: ProgramServer) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the program as a user would, in an empty folder."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return _run(program_server, arguments, ["-m", "recbench"], tmp_path, {"COLUMNS": "200", **environment})

    return run


@pytest.fixture
def python(tmp_path: Path, program_server: ProgramServer) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs Python code in a process of its own, in an empty folder."""
    return lambda code: _run(program_server, ["-c", code], [], tmp_path, {})


def _run(
    server: ProgramServer,
    arguments: Sequence[str],
    before: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
) -> subprocess.CompletedProcess[str]:
    """Lets the server run a program, or starts it where the server cannot.

    Args:
        server: The server.
        arguments: What the server runs.
        before: Arguments of Python that a started program needs before those.
        folder: Where the program runs.
        environment: Variables that differ from those of the tests.
    """
    variables = {**os.environ, **environment}
    if server.can_run(variables):
        return server.run(arguments, folder, variables, timeout=300)
    return subprocess.run(
        [sys.executable, *before, *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
