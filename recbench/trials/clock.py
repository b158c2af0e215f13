"""The clock of a training run, and the context through which a model keeps it informed."""

import math
import time
from collections.abc import Callable, Sequence

from recbench.device import Device
from recbench.trials.cpu_clock import CpuClock
from recbench.trials.energy import EnergyClock

MOST_PASSES_TIMED = 10_000
"""The durations of later passes are not kept, so that a model cannot fill the memory with them."""


class TimedContext:
    """The harness's ``TrainContext``: counts epochs, and stops the clock while it is at work itself.

    Args:
        seed: The trial's seed.
        threads: Threads the model may use.
        on_epoch: See the attribute.
        clock: Seconds that only grow.
        device: What the user wants to train on.
        energy: Measures the energy while the clock runs; None for not at all.

    Attributes:
        on_epoch: Called after each epoch, off the clock, with its number from 1 and the loss.
        epochs: Passes over the train rows so far.
        refused: Calls of ``end_epoch`` that do not count: after ``finish``, or from inside ``on_epoch``.
        loss: Loss of the last pass, where the model told it.
        facts: What the model reported.
    """

    def __init__(
        self,
        seed: int,
        threads: int,
        on_epoch: Callable[[int, float | None], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        device: Device = "auto",
        energy: EnergyClock | None = None,
    ) -> None:
        self._seed = seed
        self._threads = threads
        self.on_epoch = on_epoch
        self._clock = clock
        self._device = device
        self._energy = energy
        self._elapsed = 0.0
        self._since: float | None = None
        self._cpu = CpuClock()
        self._passes: list[float] = []
        self._seconds_of_passes = 0.0
        self._counts = True
        self._diverged: FloatingPointError | None = None
        self.epochs = 0
        self.refused = 0
        self.loss: float | None = None
        self.facts: dict[str, bool | int | float | str] = {}

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

    @property
    def seconds(self) -> float:
        """Seconds that the clock has run."""
        running = 0.0 if self._since is None else self._clock() - self._since
        return self._elapsed + running

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of this process, its threads and its children while the clock ran."""
        return self._cpu.seconds

    @property
    def pass_seconds(self) -> Sequence[float]:
        """Seconds of each of the first ``MOST_PASSES_TIMED`` passes, from one call of ``end_epoch`` to the next."""
        return self._passes

    def start(self) -> None:
        """Starts the clock."""
        if self._energy is not None:
            self._energy.start()
        self._cpu.start()
        self._since = self._clock()

    def set_back(self, seconds: float) -> None:
        """Takes off seconds in which the clock has run although the model did not train."""
        self._elapsed -= seconds

    def stop(self) -> None:
        """Stops the clock, if it runs."""
        if self._since is not None:
            self._elapsed = self.seconds
            self._since = None
            self._cpu.stop()
            if self._energy is not None:
                self._energy.stop()

    def finish(self) -> None:
        """Stops the clock for good: calls of ``end_epoch`` do not count any more.

        Raises:
            FloatingPointError: A loss was not finite, and the model has caught the error of ``end_epoch``.
        """
        self.stop()
        self._cpu.finish()
        self._counts = False
        if self._diverged is not None:
            raise self._diverged

    def end_epoch(self, loss: float | None = None) -> bool:
        """Counts a pass over the train rows; see ``TrainContext.end_epoch``.

        Raises:
            FloatingPointError: The loss is not finite: more training would only cost time.
        """
        if not self._counts:
            self.refused += 1
            return False
        # While the clock runs: a framework that computes later trains when the loss becomes a number.
        number = None if loss is None else float(loss)
        running = self._since is not None
        self.stop()
        try:
            self.epochs += 1
            self._time_pass()
            if number is not None and not math.isfinite(number):
                error = FloatingPointError(f"the training loss after epoch {self.epochs} is {number}")
                # The first error has the cause; the losses of later passes only follow from it.
                self._diverged = self._diverged or error
                raise error
            self.loss = number
            self._tell()
        finally:
            # Also after an error, which the model may catch and go on training.
            if running:
                self.start()
        return True

    def _tell(self) -> None:
        if self.on_epoch is None:
            return
        # The model may be scored there, and must not count epochs in score().
        self._counts = False
        try:
            self.on_epoch(self.epochs, self.loss)
        finally:
            self._counts = True

    def _time_pass(self) -> None:
        if len(self._passes) < MOST_PASSES_TIMED:
            self._passes.append(self._elapsed - self._seconds_of_passes)
            self._seconds_of_passes = self._elapsed

    def report(self, **facts: bool | int | float | str) -> None:
        """Keeps what the model tells; see ``TrainContext.report``."""
        self.facts.update(facts)
