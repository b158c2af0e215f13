"""The energy that the processors of this machine use, from the counters of Linux (powercap, RAPL).

Linux gives the counters to root alone unless the administrator allows more. Other programs on the machine use energy
too, so a figure holds for an otherwise idle machine. Nothing is estimated: without a counter there is no figure.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

POWERCAP: Final = Path("/sys/class/powercap")
MICROJOULES: Final = 1_000_000
MOST_WATTS: Final = 1000
"""More than any processor package uses: whether a counter may have made a turn more than its readings show."""


class Meter(Protocol):
    """Measures energy between readings."""

    def since_last(self) -> float | None:
        """Returns the joules since the last reading; None where they are not known."""
        ...


class EnergyMeter:
    """Measures the joules of all processor packages between readings.

    A counter starts again at 0 after at most minutes, so read more often.

    Args:
        folder: Where Linux has the counters; None for the usual folder.
        clock: Seconds that only grow.
    """

    def __init__(self, folder: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        # Subzones, such as intel-rapl:0:0, are parts of their package; "psys" contains the packages.
        all_zones = sorted((POWERCAP if folder is None else folder).glob("intel-rapl:*"))
        zones = [zone for zone in all_zones if _text(zone / "name").startswith("package")]
        self._ranges = {zone / "energy_uj": _number(zone / "max_energy_range_uj") for zone in zones}
        self._clock = clock
        self._read_at = clock()
        self._last = {counter: _number(counter) for counter in self._ranges}

    @property
    def can_be_read(self) -> bool:
        """Whether there is a sensor, and the system lets it be read."""
        return bool(self._last) and None not in self._last.values()

    def since_last(self) -> float | None:
        """Returns the joules since the last reading; None without a sensor that can be read, or after too long."""
        if not self._last:
            return None
        now, at = {counter: _number(counter) for counter in self._last}, self._clock()
        most = (at - self._read_at) * MOST_WATTS * MICROJOULES
        used = [_used(self._last[counter], now[counter], self._ranges[counter], most) for counter in now]
        self._last, self._read_at = now, at
        known = [amount for amount in used if amount is not None]
        return sum(known) / MICROJOULES if len(known) == len(used) else None


class EnergyClock:
    """Adds up the energy while a clock runs; as ``CpuClock`` does for CPU time.

    Args:
        meters: The meters, by the name of their sensor.
    """

    def __init__(self, meters: Mapping[str, Meter]) -> None:
        self._meters = dict(meters)
        self._joules: dict[str, float | None] = dict.fromkeys(self._meters, 0.0)

    def start(self) -> None:
        """Starts the clock."""
        for meter in self._meters.values():
            meter.since_last()

    def stop(self) -> None:
        """Stops the clock."""
        for name, meter in self._meters.items():
            used, before = meter.since_last(), self._joules[name]
            self._joules[name] = None if used is None or before is None else before + used

    def take(self) -> dict[str, float]:
        """Returns the joules by sensor, without sensors that do not know them, and begins again at 0."""
        taken = {name: joules for name, joules in self._joules.items() if joules is not None}
        self._joules = dict.fromkeys(self._meters, 0.0)
        return taken


def _used(before: int | None, now: int | None, highest: int | None, most: float) -> int | None:
    """Returns the difference of two readings of a counter.

    Args:
        before: The first reading.
        now: The second.
        highest: The value after which the counter starts again at 0.
        most: The most that it can have counted meanwhile.
    """
    if before is None or now is None:
        return None
    if now < before and highest is None:
        return None
    used = now - before if now >= before else now + (highest or 0) - before
    # Where a whole turn more is possible, nothing is known.
    return None if highest is not None and used + highest <= most else used


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        # Many systems let only root read the counters: no sensor, then.
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() else None
