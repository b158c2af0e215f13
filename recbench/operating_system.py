"""What not every operating system has: where a function is missing, a portable alternative takes its place.

The rest of recbench calls this module, and never such a function itself. A function is looked up where it is called, so
that a test can remove it. Some alternatives are weaker; ``weaker_guarantees`` names them for ``recbench doctor`` and
for records.
"""

import ctypes
import errno
import faulthandler
import os
import platform
import secrets
import select
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Final, Protocol

import psutil

try:
    import fcntl
except ImportError:  # Windows has no such locks, and does not remove a file that a process has open or mapped.
    fcntl = None  # type: ignore[assignment]

READ_BYTES: Final = 2**16
PIPE_BYTES: Final = 2**20
PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
MARKER: Final = "RECBENCH_PROCESS_TREE"
"""The environment variable by which a process of a tree is found where there are no process groups."""
SECONDS_FOR_SIGNALLED_STACKS: Final = 0.3
SECONDS_FOR_TIMED_STACKS: Final = 1.0
SECONDS_BETWEEN_LOOKS_AT_PARENT: Final = 1.0
SECONDS_FOR_GUARDIAN: Final = 0.5
SECONDS_BETWEEN_LOOKS_AT_GUARDIAN: Final = 0.005
WINDOWS_LOCKED_BYTE: Final = 2**30
SECONDS_TO_KILL: Final = 5.0
"""How long to look for new processes of a tree that is being ended: one may be started while others are killed."""
WINDOWS_ENDINGS: Final = {
    0xC0000005: "access violation",
    0xC000001D: "illegal instruction",
    0xC00000FD: "stack overflow",
    0xC0000017: "no memory",
    0xC0000374: "heap corruption",
    0xC0000409: "abort",
}


class Guarantee(StrEnum):
    """A guarantee that is weaker where an operating system lacks a function."""

    ENDS_WITH_RUN = "ends-with-run"
    ENDS_WITH_TRIAL = "ends-with-trial"
    STACKS_AT_TIMEOUT = "stacks-at-timeout"
    SIGNAL_NAMES = "signal-names"
    OWN_PEAK_MEMORY = "own-peak-memory"
    ALLOWED_CORES = "allowed-cores"


def weaker_guarantees() -> Mapping[Guarantee, str]:
    """Returns what is weaker here than on Linux: each guarantee, and a sentence that says how."""
    missing = {
        Guarantee.ENDS_WITH_RUN: (
            not has_guardians(),
            "If a run is killed, its trials end about a second later; a trial that hangs in native code stays.",
        ),
        Guarantee.ENDS_WITH_TRIAL: (
            not has_guardians(),
            "A process that a model started outlives its trial if its environment was cleared and its parent is gone.",
        ),
        Guarantee.STACKS_AT_TIMEOUT: (
            not hasattr(signal, "SIGUSR1"),
            "The log shows where a trial hangs only if the model does not use faulthandler's timer itself.",
        ),
        Guarantee.SIGNAL_NAMES: (
            not hasattr(signal, "SIGKILL"),
            "A crash is recorded as an exit code, not as a signal.",
        ),
        Guarantee.OWN_PEAK_MEMORY: (
            not _has_own_peak_memory(),
            "The peak memory of a trial may include that of the run that started it.",
        ),
        Guarantee.ALLOWED_CORES: (
            not hasattr(os, "sched_getaffinity") and not hasattr(psutil.Process, "cpu_affinity"),
            "The number of cores is the machine's, not what this process may use.",
        ),
    }
    return {guarantee: how for guarantee, (is_weaker, how) in missing.items() if is_weaker}


class ProcessTree:
    """A process of its own, and all that it starts.

    Ctrl-C in a terminal does not reach it.

    Args:
        command: The program and its arguments.
        environment: Its environment variables.
        options: More arguments of ``subprocess.Popen``.

    Attributes:
        process: The process.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], **options: Any) -> None:
        self._marker = secrets.token_hex(8)
        self._killed = False
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            command, env={**environment, MARKER: self._marker}, **_own_session(), **options
        )

    def has_ended(self) -> bool:
        """Whether the process is over. Its id is not given back before ``kill``: it could then be another's."""
        if self.process.returncode is not None:
            return True
        if hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        if not hasattr(os, "killpg"):
            # Windows keeps the id as long as ``Popen`` keeps the handle.
            return self.process.poll() is not None
        with suppress(psutil.NoSuchProcess):
            return bool(psutil.Process(self.process.pid).status() == psutil.STATUS_ZOMBIE)
        return True

    def await_stacks(self) -> None:
        """Lets the process print where each of its threads is; see ``print_stacks``."""
        if self.has_ended():
            return
        if hasattr(signal, "SIGUSR1"):
            os.kill(self.process.pid, signal.SIGUSR1)
            time.sleep(SECONDS_FOR_SIGNALLED_STACKS)
        else:
            time.sleep(SECONDS_FOR_TIMED_STACKS)

    def kill(self) -> int:
        """Ends the process and all that it started, at once.

        Returns:
            Its exit code; minus the number of the signal, if one ended it.
        """
        if not self._killed:
            self._killed = True
            if not self.has_ended():
                kill_descendants(self.process.pid)
                self._await_guardian()
            if hasattr(os, "killpg"):
                # Before its id is given back.
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        code = self.process.wait()
        if not has_guardians() or code == -signal.SIGKILL:
            # Nobody has adopted the orphans, or a model has ended its guardian.
            _kill_all(self._marked)
        return code

    def _await_guardian(self) -> None:
        """Lets a guardian clear away what was ended; a model may have stopped it, so this does not wait long."""
        end = time.monotonic() + SECONDS_FOR_GUARDIAN
        while has_guardians() and not self.has_ended() and time.monotonic() < end:
            time.sleep(SECONDS_BETWEEN_LOOKS_AT_GUARDIAN)

    def _marked(self) -> list[psutil.Process]:
        """Returns the processes that were started in this tree; those too whose parent is gone."""
        return [one for one in psutil.process_iter() if one.pid != self.process.pid and self._has_marker(one)]

    def _has_marker(self, process: psutil.Process) -> bool:
        # Other users' processes cannot be read, and are not of this tree.
        with suppress(psutil.Error, OSError):
            return bool(process.environ().get(MARKER) == self._marker)
        return False


def describe_ending(code: int) -> tuple[str, str | None]:
    """Says how a process ended.

    Args:
        code: Its exit code; minus the number of a signal.

    Returns:
        The words, and the name of the signal, if it was one.

    >>> describe_ending(7), describe_ending(0xC0000005)
    (('exit code 7', None), ('exit code 0xC0000005, access violation', None))
    """
    if code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return name, name
        return f"signal {-code}", f"signal {-code}"
    if code in WINDOWS_ENDINGS:
        return f"exit code 0x{code:08X}, {WINDOWS_ENDINGS[code]}", None
    return f"exit code {code}", None


def print_stacks(seconds: float | None) -> None:
    """Prints to standard error where each thread of this process is, when ``ProcessTree.await_stacks`` asks for it.

    Where processes cannot be asked by a signal, a timer prints it after the seconds.

    Args:
        seconds: How long the process may go on from now; None for no limit.
    """
    if hasattr(signal, "SIGUSR1"):
        faulthandler.register(signal.SIGUSR1)
    elif seconds is not None:
        faulthandler.dump_traceback_later(seconds)


def has_guardians() -> bool:
    """Whether a process can adopt the orphans among its descendants, and learns at once that its parent is gone."""
    return hasattr(_c_library(), "prctl")


def adopt_orphans() -> None:
    """Makes this process the parent of each descendant whose own parent ends; only where there are guardians."""
    _c_library().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def signal_when_parent_ends(number: int) -> None:
    """Lets the kernel send this process a signal when its parent ends; only where there are guardians.

    The signal also comes if only the thread of the parent ends that has started this process.
    """
    _c_library().prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def kill_descendants(pid: int) -> None:
    """Ends all processes that a process has started, and that these have started, but not the process itself."""

    def descendants() -> list[psutil.Process]:
        with suppress(psutil.Error):
            return psutil.Process(pid).children(recursive=True)
        return []

    _kill_all(descendants)


def die_with_parent(parent: int) -> None:
    """Ends this process when the process ``parent``, which started it, ends.

    On Linux the kernel does it, also while a model is in native code.

    Args:
        parent: Its id, as it was when it started this process.
    """
    if has_guardians():
        signal_when_parent_ends(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        return
    try:
        # Not getppid: in a virtual environment of Windows, a launcher stands between the two.
        watched = psutil.Process(parent)
    except psutil.NoSuchProcess:
        os._exit(1)
    threading.Thread(target=_die_with, args=(watched,), daemon=True).start()


def flush_native_output() -> None:
    """Writes what native code has printed and the C library still holds."""
    _c_library().fflush(None)


def terminating_signals() -> tuple[signal.Signals, ...]:
    """Returns the signals by which another program ends this one, or its terminal; Windows only sends Ctrl-Break."""
    return tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


def available_cores() -> int:
    """Returns how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    if hasattr(psutil.Process, "cpu_affinity"):
        return len(psutil.Process().cpu_affinity() or [0])
    return os.cpu_count() or 1


def processor_name() -> str:
    """Returns the model name of the processor; its architecture where the system does not know the name."""
    # Only Linux has this file.
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        # The name is for people only, and the fallback below has one.
        with suppress(OSError, subprocess.SubprocessError):
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=10, check=True)
            return done.stdout.strip()
    return platform.processor() or platform.machine()


_kept_peak = 0


def keep_peak_memory() -> None:
    """Keeps the peak memory of this process, for somebody is going to let the system measure it anew."""
    global _kept_peak
    _kept_peak = peak_memory_bytes() or 0


def peak_memory_bytes(pid: int | None = None) -> int | None:
    """Returns the peak resident memory of a process so far, where the platform knows it.

    Args:
        pid: The process; this one by default.
    """
    peak = _peak_memory(pid)
    return peak if peak is None or pid is not None else max(peak, _kept_peak)


def _peak_memory(pid: int | None) -> int | None:
    # Only Linux has this file.
    with suppress(OSError):
        for line in Path(f"/proc/{pid or 'self'}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    # A process that has ended has no figure.
    with suppress(psutil.Error):
        if (peak := getattr(psutil.Process(pid).memory_info(), "peak_wset", None)) is not None:
            return int(peak)
    if pid is not None:
        return None
    try:
        import resource
    except ImportError:
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def has_use_locks() -> bool:
    """Whether a lock keeps a file that is in use. Where it does not, the system itself keeps such a file."""
    return fcntl is not None


def lock_in_use(descriptor: int) -> None:
    """Marks an open file as in use until its descriptor and all maps of it are closed."""
    # Not every network file system has locks.
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH)


def lock_if_unused(descriptor: int) -> bool:
    """Locks an open file, unless a process uses it; returns whether none does."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # The file system has no locks.
        return True
    return True


def lock_exclusively(descriptor: int) -> bool | None:
    """Locks an open file without waiting. The system frees the lock when the process ends, however it ends.

    Returns:
        Whether this process has the lock now; None if the file system, such as some network file systems, has no locks.

    Raises:
        OSError: The system refuses for another reason.
    """
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            # Far beyond the end: on Windows, no other process can read bytes that are locked.
            os.lseek(descriptor, WINDOWS_LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        if error.errno in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL):
            return None
        raise
    return True


def process_start(pid: int) -> str | None:
    """Returns what tells a process from all others that have had or will have its id on this machine.

    On Linux it does not change if somebody sets the clock.

    Returns:
        None if there is no such process, or it has ended.
    """
    # Only Linux has these files, and only of a process that exists.
    with suppress(OSError, IndexError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # The name of the program, in brackets, may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return None if fields[0] == b"Z" else f"{boot} {fields[19].decode()}"
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    return None


def enlarge_pipe(descriptor: int) -> None:
    """Lets a pipe hold ``PIPE_BYTES``, where its size can be set, so that a writer seldom waits."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        # A user may have too many large pipes already.
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


class IncomingPipe(Protocol):
    """The end of a pipe through which another process talks.

    Attributes:
        ended: Whether nothing will come any more.
    """

    ended: bool

    def read(self) -> bytes:
        """Returns bytes that have come; none if there are none now. Never waits."""
        ...

    def finish(self) -> None:
        """Makes sure that ``read`` returns all that a process sent that has ended."""
        ...


def incoming_pipe(file: IO[bytes]) -> IncomingPipe:
    """Returns the pipe of a file object, which it does not close."""
    return NonBlockingPipe(file) if _can_select_pipes() else ThreadedPipe(file)


def wait_for_pipes(pipes: Sequence[IncomingPipe], seconds: float) -> None:
    """Waits until something has come through one of the pipes, or the time is over."""
    if not _can_select_pipes():
        ThreadedPipe.news.wait(seconds)
        ThreadedPipe.news.clear()
        return
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            if isinstance(pipe, NonBlockingPipe) and not pipe.ended:
                selector.register(pipe, selectors.EVENT_READ)
        if selector.get_map():
            selector.select(seconds)
        else:
            time.sleep(seconds)


class NonBlockingPipe:
    """A pipe that is read without waiting."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.ended = False
        os.set_blocking(file.fileno(), False)

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._file.fileno()

    def read(self) -> bytes:
        """See ``IncomingPipe``."""
        try:
            content = os.read(self._file.fileno(), READ_BYTES)
        except BlockingIOError:
            return b""
        self.ended = not content
        return content

    def finish(self) -> None:
        """See ``IncomingPipe``; there is nothing to do."""


class ThreadedPipe:
    """A pipe that a thread reads, for systems that can only wait for sockets."""

    news = threading.Event()
    """Something has come through one of the pipes."""

    SECONDS_TO_END = 1.0

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._content = bytearray()
        self._lock = threading.Lock()
        self.ended = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def read(self) -> bytes:
        """See ``IncomingPipe``."""
        with self._lock:
            content = bytes(self._content[:READ_BYTES])
            del self._content[:READ_BYTES]
        return content

    def finish(self) -> None:
        """See ``IncomingPipe``. A copy of the process may keep the pipe open, so this does not wait long."""
        self._thread.join(self.SECONDS_TO_END)

    def _listen(self) -> None:
        # The other side has closed the pipe, or this one has.
        with suppress(OSError, ValueError):
            while content := os.read(self._file.fileno(), READ_BYTES):
                with self._lock:
                    self._content += content
                self.news.set()
        self.ended = True
        self.news.set()


def _can_select_pipes() -> bool:
    # ``select.poll`` is missing exactly where pipes cannot be waited for.
    return hasattr(select, "poll") and hasattr(os, "set_blocking")


def _own_session() -> dict[str, Any]:
    if hasattr(subprocess, "CREATE_NEW_PROCESS_GROUP"):
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL("ucrtbase" if os.name == "nt" else None)


def _has_own_peak_memory() -> bool:
    # Elsewhere, resource usage begins with the peak of the process that started this one.
    return Path("/proc/self/status").exists() or hasattr(psutil.Process().memory_info(), "peak_wset")


def _kill_all(find: Callable[[], list[psutil.Process]]) -> None:
    """Ends the processes that ``find`` returns, until it returns none that is alive; at most ``SECONDS_TO_KILL``."""
    end = time.monotonic() + SECONDS_TO_KILL
    while (alive := [one for one in find() if _is_alive(one)]) and time.monotonic() < end:
        for one in alive:
            with suppress(psutil.Error):
                one.kill()


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _die_with(parent: psutil.Process) -> None:
    with suppress(psutil.Error):
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:
            time.sleep(SECONDS_BETWEEN_LOOKS_AT_PARENT)
    os._exit(1)
