"""Models that misbehave in every way that a process can; run by tests/test_faults.py."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np


class Good:
    def fit(self, train, context):
        self.counts = np.bincount(train.items, minlength=train.n_items)

    def score(self, users, items):
        return self.counts[items].astype(np.float32)


class Segfaults(Good):
    def fit(self, train, context):
        context.end_epoch()
        print("about to fall")
        time.sleep(0.2)
        context.end_epoch()
        ctypes.string_at(0)


class Killed(Good):
    def fit(self, train, context):
        os.kill(os.getpid(), signal.SIGKILL)


class Aborts(Good):
    def score(self, users, items):
        os.abort()


class Exits(Good):
    def fit(self, train, context):
        sys.exit(5)


class ExitsHard(Good):
    def fit(self, train, context):
        sys.stderr.write("last words")
        os._exit(7)


class InterruptsItself(Good):
    def fit(self, train, context):
        raise KeyboardInterrupt


class HangsInNativeCode(Good):
    def fit(self, train, context):
        while True:
            ctypes.PyDLL(None).sleep(1000)  # keeps the interpreter's lock


class HangsInAnotherProcess(Good):
    """Its child ignores what can be ignored."""

    def fit(self, train, context):
        if (child := os.fork()) == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(1000)
        Path("child.pid").write_text(str(child), encoding="utf-8")
        os.waitpid(child, 0)


class Leaks(Good):
    def fit(self, train, context):
        self.kept = []
        while True:
            self.kept.append(np.ones(2**20))
            time.sleep(0.005)


class LeaksInAnotherProcess(Leaks):
    def fit(self, train, context):
        if os.fork() == 0:
            super().fit(train, context)
        os.wait()


class TooLarge(Good):
    """More than any machine has."""

    needed = 2**49

    def memory_bytes(self, train):
        return self.needed

    def warm_up(self, train, context):
        os.abort()

    fit = warm_up


class AboveTheLimit(TooLarge):
    needed = 500 * 2**20


class Prints(Good):
    """100 MB, by Python and past it."""

    def fit(self, train, context):
        super().fit(train, context)
        print("the first line")
        for _ in range(50):
            os.write(1, b"x" * 999_999 + b"\n")
            sys.stderr.write("y" * 999_999 + "\n")
        print("the last line")


class Forks(Good):
    """And both of them come back."""

    def fit(self, train, context):
        super().fit(train, context)
        os.fork()


class LeavesThreads(Good):
    def fit(self, train, context):
        super().fit(train, context)
        threading.Thread(target=time.sleep, args=(1000,)).start()


class ChangesItsSurroundings(Good):
    def fit(self, train, context):
        super().fit(train, context)
        os.chdir("/")
        os.environ.clear()
        os.umask(0o777)
        sys.stdout.close()
        sys.stderr = None


class ClosesAll(Good):
    def fit(self, train, context):
        super().fit(train, context)
        os.closerange(0, 256)


class Reads(Good):
    def fit(self, train, context):
        input("what shall I do? ")


class TalksNonsense(Good):
    def fit(self, train, context):
        for descriptor in range(3, 64):
            with contextlib.suppress(OSError):
                os.write(descriptor, b"nonsense\n")


def leave_a_daemon(name):
    """Starts a process in a session of its own, whose parent has ended."""
    if (child := os.fork()) == 0:
        os.setsid()
        if os.fork() == 0:
            Path(name).write_text(str(os.getpid()), encoding="utf-8")
            time.sleep(1000)
        os._exit(0)
    os.waitpid(child, 0)
    while not Path(name).exists() or not Path(name).read_text(encoding="utf-8"):
        time.sleep(0.01)


class LeavesADaemon(Good):
    def fit(self, train, context):
        super().fit(train, context)
        leave_a_daemon("daemon.pid")


class HangsBesideADaemon(HangsInNativeCode):
    def fit(self, train, context):
        leave_a_daemon("daemon.pid")
        super().fit(train, context)


class KillsItsGuardian(Good):
    def fit(self, train, context):
        leave_a_daemon("orphan.pid")
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(1000)


class SignalsItsParents(Good):
    def fit(self, train, context):
        super().fit(train, context)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR2, signal.SIGCHLD):
            os.killpg(os.getpgid(os.getppid()), number)


class EndsByANamelessSignal(Good):
    def fit(self, train, context):
        os.kill(os.getpid(), 40)


class RaisesItsOwn(Good):
    """It is no Exception, and its message cannot be had."""

    def fit(self, train, context):
        class Own(BaseException):
            def __str__(self):
                sys.exit(0)

        raise Own


class SaysTooMuch(Good):
    def fit(self, train, context):
        raise ValueError("x" * 30_000_000)


class ClosesSome(Good):
    """Its files get the numbers of those that it closed."""

    def fit(self, train, context):
        super().fit(train, context)
        os.closerange(3, 256)
        self.files = [os.open(f"mine{number}", os.O_WRONLY | os.O_CREAT) for number in range(8)]


class HangsInFlush(Good):
    def fit(self, train, context):
        super().fit(train, context)
        sys.stdout.flush = lambda: time.sleep(1000)
        sys.stderr = type("Stream", (), {"flush": lambda _: time.sleep(1000)})()


class SharesMemory(Good):
    """Its children share 150 MiB with it."""

    def fit(self, train, context):
        super().fit(train, context)
        self.much = np.ones(150 * 2**17)
        children = [child for _ in range(3) if (child := os.fork()) or time.sleep(1.5) or os._exit(0)]
        for child in children:
            os.waitpid(child, 0)
