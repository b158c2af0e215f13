"""Runs ``recbench`` hundreds of times without starting Python and importing everything each time.

A server has the modules imported and forks for each run, which then has a folder, an environment, streams and an exit
code of its own, as a program has. The arguments ``-c CODE`` let it run other Python code. A run that is about the start
of the program, its streams or its signals starts the program itself; so does every run with variables for Python.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tests.forked_program import ForkedProgram
from tests.program_client import RECBENCH, SIZE_BYTES, TRIALS, ask

if TYPE_CHECKING:
    from tests.forked_workers import ForkedWorkers

ROOT = Path(__file__).parent.parent
N_STREAMS = 3
CHUNK = 2**16
IMPORTED = (
    "recbench.experiments.comparison",
    "recbench.experiments.replicated",
    "recbench.experiments.run",
    "recbench.evaluation.metrics.hr",
    "recbench.evaluation.metrics.ndcg",
    "recbench.runners.processes.local",
    "recbench_models",
    "numpy.random",
)
"""With all that these import, and the modules of all verbs. What a verb needs beside them, its run imports."""
EXTRAS = (
    "recbench.experiments.tune",
    "recbench.tuning.tuner",
    "recbench.tuning.study",
    "optuna.storages",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.orm",
    "alembic.command",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
)
"""The same, where the extras are installed: a quarter to half a second for each run that tunes or plots."""


DASK = ("distributed.cli.dask_scheduler", "distributed.cli.dask_worker", "recbench.runners.dask.cluster")
"""For the server of a cluster's programs: the scheduler, the workers, and the runs that use them."""


class ProgramServer:
    """The server of a test session. A context manager.

    Args:
        imported: Modules that its programs need beside those that all need.

    Attributes:
        path: Of its socket.
        environment: Its variables: those that this process had when this object was made.
    """

    def __init__(self, imported: Sequence[str] = ()) -> None:
        self._imported = imported
        self._folder = tempfile.TemporaryDirectory(prefix="recbench-tests-")
        self.path = Path(self._folder.name, "socket")
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self.environment = dict(os.environ)

    def __enter__(self) -> "ProgramServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it, and all programs that still run."""
        self._stop()
        self._folder.cleanup()

    def start(self) -> None:
        """Starts it, unless it runs."""
        with self._starting:
            if self._process is None:
                command = [sys.executable, "-m", "tests.program_server", str(self.path), *self._imported]
                self._process = subprocess.Popen(
                    command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, start_new_session=True
                )
                assert self._process.stdout
                assert self._process.stdout.readline() == b"ready\n"

    def can_run(self, environment: Mapping[str, str]) -> bool:
        """Whether a program with these variables can be forked: Python reads those for itself when it starts."""
        variables = {*environment, *self.environment}
        return hasattr(os, "fork") and all(
            environment.get(name) == self.environment.get(name) for name in variables if name.startswith("PYTHON")
        )

    def run(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        timeout: float,
        program: str = RECBENCH,
    ) -> subprocess.CompletedProcess[str]:
        """Does what ``subprocess.run`` does with ``python -m recbench`` and these arguments.

        Args:
            arguments: Of the program.
            folder: Where it runs.
            environment: All of its variables.
            timeout: Seconds after which it is killed.
            program: ``recbench``, a module with a function ``main``, or the path of a script.

        Raises:
            TimeoutError: It was killed.
        """
        self.start()
        with (
            Path(os.devnull).open() as nothing,
            tempfile.TemporaryFile() as output,
            tempfile.TemporaryFile() as messages,
        ):
            streams = [file.fileno() for file in (nothing, output, messages)]
            try:
                status = ask(str(self.path), arguments, str(folder), environment, streams, timeout, program)
            except TimeoutError:
                self._stop()
                raise
            texts = []
            for stream in (output, messages):
                stream.seek(0)
                texts.append(stream.read().decode().replace("\r\n", "\n"))
        return subprocess.CompletedProcess(list(arguments), status, *texts)

    def popen(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        program: str = RECBENCH,
        log: Path | None = None,
    ) -> ForkedProgram:
        """Starts a program and returns at once; see ``run`` for the arguments.

        Args:
            log: The file to which its output and messages are appended. They are pipes otherwise.
        """
        self.start()
        return ForkedProgram(str(self.path), arguments, folder, environment, program, log)

    def _stop(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None
            for path in (str(self.path), str(self.path) + TRIALS):
                Path(path).unlink(missing_ok=True)


def serve(path: str, *imported: str) -> None:
    """Serves until it is killed.

    Args:
        path: Of its socket.
        imported: More modules that its programs need.
    """
    from tests.disk import skip_flushes
    from tests.forked_workers import ForkedWorkers
    from tests.sibling_processes import fork_sibling

    skip_flushes()
    workers = ForkedWorkers()
    from recbench.cli.app import COMMANDS

    for name in (*IMPORTED, *(command.module for command in COMMANDS.values()), *imported):
        importlib.import_module(name)
    for name in EXTRAS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    # The collector leaves alone what all programs share: it would copy their memory.
    gc.collect()
    gc.freeze()
    # Ended handlers need nobody to wait for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as programs, socket.socket(socket.AF_UNIX) as trials:
        listeners = {programs: path, trials: path + TRIALS}
        for listener, name in listeners.items():
            listener.bind(name)
            listener.listen()
        os.write(1, b"ready\n")
        while True:
            for listener in select.select([*listeners], [], [])[0]:
                connection, _ = listener.accept()
                if (os.fork if listener is programs else fork_sibling)() == 0:
                    for other in listeners:
                        other.close()
                    (_handle if listener is programs else _handle_trial)(connection, workers)
                    return
                connection.close()


def _handle(connection: socket.socket, workers: "ForkedWorkers") -> None:
    """Runs one program and answers; returns in the program's own process only."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    (arguments, folder, environment, name), streams = _read_request(connection)
    program = os.fork()
    if program:
        # Its streams end with it.
        for stream in streams:
            os.close(stream)
        # Whoever waits for it may have ended.
        with contextlib.suppress(OSError):
            connection.sendall(b"%d\n" % program)
            _, status = os.waitpid(program, 0)
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    connection.close()
    _take_streams(streams)
    # A shell's background jobs, and so a test run among them, ignore interruptions; below nohup also SIGHUP.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    workers.install()
    _end_with(_main_of(name, arguments, folder))


def _handle_trial(connection: socket.socket, workers: "ForkedWorkers") -> NoReturn:
    """Becomes the process of a trial, and answers with its id."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    (command, folder, environment), streams = _read_request(connection)
    os.setsid()
    os.chdir(folder)
    _take_streams(streams)
    connection.sendall(b"%d\n" % os.getpid())
    workers.become(command, environment)


def _read_request(connection: socket.socket) -> tuple[list[Any], list[int]]:
    """Returns what a request says, and its streams; see ``tests.program_client.send_request``."""
    size, streams, _, _ = socket.recv_fds(connection, SIZE_BYTES, N_STREAMS)
    request = b""
    while len(request) < int.from_bytes(size):
        request += connection.recv(CHUNK)
    return json.loads(request.decode()), streams


def _take_streams(streams: Sequence[int]) -> None:
    """Makes them this process's input, output and messages."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)


def _main_of(name: str, arguments: Sequence[str], folder: str) -> Callable[[], object]:
    """Returns what runs a program: ``recbench``, Python code after ``-c``, a module with a ``main``, or a script."""
    if name == RECBENCH and arguments[:1] == ["-c"]:
        return partial(_run_code, arguments[1])
    sys.path.append(folder)
    if name.endswith(".py"):
        sys.argv = [name, *arguments]
        sys.path.insert(0, str(Path(name).parent.resolve()))
        return partial(_run_script, name)
    if name == RECBENCH:
        sys.argv = [str(ROOT / "recbench" / "__main__.py"), *arguments]
        name = "recbench.__main__"
    else:
        sys.argv = [name, *arguments]
    main: Callable[[], object] = importlib.import_module(name).main
    return main


def _run_code(code: str) -> NoReturn:
    """Does what ``python -c`` does; the modules of recbench are imported again, so that none is there unasked."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "recbench"]:
        del sys.modules[name]
    sys.path.insert(0, "")
    sys.argv = ["-c"]
    program = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(compile(code, "<string>", "exec"), program.__dict__)
    sys.exit(0)


def _run_script(path: str) -> NoReturn:
    runpy.run_path(path, run_name="__main__")
    sys.exit(0)


def _end_with(main: Callable[[], object]) -> NoReturn:
    """Runs the program and ends as Python does, but frees nothing: that takes longer than most of the programs."""
    try:
        main()
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code)
    raise AssertionError("the program returned")


if __name__ == "__main__":
    # The folder of the project is none of the program's.
    del sys.path[0]
    serve(*sys.argv[1:])
