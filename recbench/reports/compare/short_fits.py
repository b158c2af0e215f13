"""Models whose fits are too short to time, so that a ratio of throughputs would mean nothing."""

from statistics import median

from recbench.reports.compare.comparison import Compared
from recbench.reports.timing_notes import SHORTEST_FIT


def has_short_fit(model: Compared) -> bool:
    """Whether the fits of BASE or of CURRENT took less time than a clock can measure well; by the median of seeds."""
    sides = [side.done for side in (model.match.base, model.match.current) if side]
    seconds = [[trial.record.fit_seconds for trial in side if trial.record.fit_seconds is not None] for side in sides]
    return any(median(of_side) < SHORTEST_FIT for of_side in seconds if of_side)
