"""The context that a model gets: three values, and two messages to the running trial.

A learning curve is taken inside ``end_epoch``, so the call must lead to the test cases; the object that the model calls
must not. ``ModelContext`` therefore has no reference to the harness at all. Its messages go to the listener of the
running trial, which is kept in a context variable: that is state of the thread, and neither an attribute, a closure nor
the contents of a module.

How far that goes: from the objects that a model is given, no attribute, closure, base of an array or reference that the
garbage collector knows leads to a held-out row (``tests/test_quarantine.py`` walks them all). A model runs in the
harness's process, though. One that imports the harness's modules and asks them, walks the stack's frames, searches all
objects of the garbage collector, or reads the task's file can find anything; nothing in Python prevents that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from recbench.device import Device
from recbench.protocol import TrainContext

_listener: ContextVar[TrainContext] = ContextVar("recbench_listener")


class ModelContext:
    """The ``TrainContext`` that models get.

    Args:
        seed: The trial's seed.
        threads: Threads the model may use.
        device: What the user wants to train on.
    """

    __slots__ = ("_device", "_seed", "_threads")

    def __init__(self, seed: int, threads: int, device: Device) -> None:
        self._seed = seed
        self._threads = threads
        self._device = device

    @property
    def seed(self) -> int:
        """The trial's seed."""
        return self._seed

    @property
    def threads(self) -> int:
        """Threads the model may use."""
        return self._threads

    @property
    def device(self) -> Device:
        """What the user wants to train on."""
        return self._device

    def end_epoch(self, loss: float | None = None) -> bool:
        """Tells the running trial; see ``TrainContext.end_epoch``.

        Raises:
            FloatingPointError: The loss is not finite.
            RuntimeError: No trial listens in this thread.
        """
        return _running("end_epoch").end_epoch(loss)

    def report(self, **facts: bool | int | float | str) -> None:
        """Tells the running trial; see ``TrainContext.report``.

        Raises:
            RuntimeError: No trial listens in this thread.
        """
        _running("report").report(**facts)


@contextmanager
def context_for_model(context: TrainContext) -> Iterator[ModelContext]:
    """Makes ``context`` the listener of the block, and gives the object through which a model reaches it."""
    token = _listener.set(context)
    try:
        yield ModelContext(context.seed, context.threads, context.device)
    finally:
        _listener.reset(token)


def _running(call: str) -> TrainContext:
    try:
        return _listener.get()
    except LookupError:
        raise RuntimeError(
            f"{call}() was called while no trial runs in this thread; call it from the thread in which fit() was called"
        ) from None
