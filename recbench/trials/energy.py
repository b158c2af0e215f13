"""The energy that the processors of this machine use, from the counters of Linux (powercap, RAPL).

Linux gives the counters to root alone unless the administrator allows more. Other programs on the machine use energy
too, so a figure holds for an otherwise idle machine.
"""

from pathlib import Path
from typing import Final

POWERCAP: Final = Path("/sys/class/powercap")
MICROJOULES: Final = 1_000_000


class EnergyMeter:
    """Measures the joules of all processor packages between readings.

    A counter starts again at 0 after at most minutes, so read more often.

    Args:
        folder: Where Linux has the counters.
    """

    def __init__(self, folder: Path = POWERCAP) -> None:
        # Subzones, such as intel-rapl:0:0, are parts of their package; "psys" contains the packages.
        zones = [zone for zone in sorted(folder.glob("intel-rapl:*")) if _text(zone / "name").startswith("package")]
        self._ranges = {zone / "energy_uj": _number(zone / "max_energy_range_uj") for zone in zones}
        self._last = {counter: _number(counter) for counter in self._ranges}

    def since_last(self) -> float | None:
        """Returns the joules since the last reading; None without a sensor that can be read."""
        if not self._last:
            return None
        now = {counter: _number(counter) for counter in self._last}
        used = [_used(self._last[counter], now[counter], self._ranges[counter]) for counter in now]
        self._last = now
        known = [one for one in used if one is not None]
        return sum(known) / MICROJOULES if len(known) == len(used) else None


def _used(before: int | None, now: int | None, highest: int | None) -> int | None:
    if before is None or now is None:
        return None
    if now >= before:
        return now - before
    return None if highest is None else now + highest - before


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        # Many systems let only root read the counters: no sensor, then.
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() else None
