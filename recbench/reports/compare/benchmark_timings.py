"""Two files of benchmarks side by side."""

from dataclasses import dataclass

from recbench.records.benchmark_timings import Timing, Timings

SHORTEST = 1e-12
"""No clock measures fewer seconds; a ratio to them says nothing."""


@dataclass(frozen=True, slots=True)
class TimingPair:
    """One benchmark in the two files; None where a file does not have it."""

    name: str
    base: Timing | None
    current: Timing | None

    @property
    def ratio(self) -> float | None:
        """Median seconds of CURRENT over those of BASE: below 1 is faster."""
        if self.base is None or self.current is None or self.base.seconds < SHORTEST:
            return None
        return self.current.seconds / self.base.seconds


@dataclass(frozen=True, slots=True)
class TimingComparison:
    """All benchmarks of two files, in the order of CURRENT and then what only BASE has."""

    base: Timings
    current: Timings
    pairs: tuple[TimingPair, ...]

    @property
    def same_machine(self) -> bool:
        """Whether both files tell of the same machine."""
        return self.base.machine == self.current.machine


def compare_timings(base: Timings, current: Timings) -> TimingComparison:
    """Pairs benchmarks by their full names."""
    of_base = {timing.name: timing for timing in base.timings}
    of_current = {timing.name: timing for timing in current.timings}
    pairs = tuple(
        TimingPair(name, of_base.get(name), of_current.get(name)) for name in dict.fromkeys([*of_current, *of_base])
    )
    return TimingComparison(base, current, pairs)
