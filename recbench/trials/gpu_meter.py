"""Energy, memory and utilisation of the GPUs that a trial uses, through NVML (the package nvidia-ml-py)."""

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from recbench.operating_system.descendants import is_own
from recbench.records.cost_values import GpuUse

MILLIJOULES: Final = 1000
SECONDS_BETWEEN: Final = 0.1


class GpuMeter:
    """Measures the GPUs on which this process, or one below it, computes; others do not count.

    Args:
        nvml: The module ``pynvml``, after ``nvmlInit``.
        clock: Seconds that only grow.
    """

    def __init__(self, nvml: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._nvml, self._clock = nvml, clock
        self._gpus = [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
        self._last = self._energy()
        self._sampled_at = -SECONDS_BETWEEN
        self._memory: list[int] = []
        self._utilisation: list[float] = []
        self._has_energy = True

    @property
    def is_used(self) -> bool:
        """Whether the trial computes on a GPU, and the driver tells that GPU's energy."""
        return bool(self._own()) and self._has_energy

    def since_last(self) -> float | None:
        """Returns the joules of the trial's GPUs since the last reading; None if a GPU does not tell."""
        now, last = self._energy(), self._last
        self._last = now
        own = self._own()
        self._sample(own)
        used = [None if now[number] is None or last[number] is None else now[number] - last[number] for number in own]  # type: ignore[operator]
        known = [amount for amount in used if amount is not None]
        self._has_energy = self._has_energy and len(known) == len(used)
        return sum(known) / MILLIJOULES if len(known) == len(used) else None

    def use(self) -> GpuUse | None:
        """Returns what was sampled; None if the trial did not compute on a GPU."""
        if not self._utilisation:
            return None
        mean = sum(self._utilisation) / len(self._utilisation)
        return GpuUse(
            peak_memory_bytes=max(self._memory, default=None),
            utilisation=min(max(mean, 0.0), 1.0),
            n_samples=len(self._utilisation),
        )

    def _sample(self, own: dict[int, int | None]) -> None:
        now = self._clock()
        if not own or now - self._sampled_at < SECONDS_BETWEEN:
            return
        self._sampled_at = now
        memory = [size for size in own.values() if size is not None]
        if len(memory) == len(own):
            self._memory.append(sum(memory))
        with self._ignored_errors():
            rates = [self._nvml.nvmlDeviceGetUtilizationRates(self._gpus[number]).gpu for number in own]
            self._utilisation.append(sum(rates) / len(rates) / 100)

    def _own(self) -> dict[int, int | None]:
        """Returns the trial's memory on each GPU that it computes on, by the number of the GPU."""
        memory: dict[int, int | None] = {}
        for number, gpu in enumerate(self._gpus):
            with self._ignored_errors():
                running = self._nvml.nvmlDeviceGetComputeRunningProcesses(gpu)
                sizes = [process.usedGpuMemory for process in running if is_own(process.pid)]
                if sizes:
                    memory[number] = None if None in sizes else sum(sizes)
        return memory

    def _energy(self) -> list[int | None]:
        readings: list[int | None] = []
        for gpu in self._gpus:
            energy = None
            with self._ignored_errors():
                energy = int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(gpu))
            readings.append(energy)
        return readings

    @contextmanager
    def _ignored_errors(self) -> Iterator[None]:
        """Ignores that a GPU, or the driver, has no such figure."""
        with suppress(self._nvml.NVMLError):
            yield


def gpu_meter() -> GpuMeter | None:
    """Returns the meter of this machine; None without a GPU, its driver or the package nvidia-ml-py."""
    try:
        nvml: Any = importlib.import_module("pynvml")
        nvml.nvmlInit()
        return GpuMeter(nvml)
    # Without a driver or a GPU, it raises errors of its own.
    except Exception:  # noqa: BLE001
        return None
