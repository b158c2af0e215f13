"""How long a run still takes, from the trials that have ended and the epochs of those that run."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from recbench.trials.events import Event, EventKind
from recbench.trials.planned import PlannedTrial


@dataclass(slots=True)
class _Running:
    """A trial that runs.

    Attributes:
        title: Its configuration.
        since: When it began.
        share: The share of its work that is done; 0 if that is unknown.
    """

    title: str
    since: float
    share: float = 0.0


class TimeLeft:
    """Estimates the seconds until the last trial ends.

    A trial takes as long as the other seeds of its configuration took; without any, as long as its epochs promise; and
    else as long as an average trial.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: Counter[str] = Counter()
        self._running: dict[str, _Running] = {}
        self._seconds: dict[str, list[float]] = {}
        self._at_a_time = 1

    def on_event(self, event: Event) -> None:
        """Follows the run."""
        if event.kind is EventKind.PLANNED:
            self._waiting = Counter(trial.model.requested.title for trial in event.planned)
        elif event.trial is not None:
            self._on_trial(event.trial, event)

    @property
    def seconds(self) -> float | None:
        """The seconds; None as long as nothing is known of any trial, and when no trial is left."""
        now = self._clock()
        known = self._known(now)
        if not known or not (self._running or self._waiting.total()):
            return None
        average = fmean(known.values())
        left = sum(known.get(title, average) * count for title, count in self._waiting.items())
        for trial in self._running.values():
            left += max(known.get(trial.title, average) - (now - trial.since), 0.0)
        return left / self._at_a_time

    def _known(self, now: float) -> dict[str, float]:
        """Returns the seconds of a trial of each configuration of which something is known."""
        known = {trial.title: (now - trial.since) / trial.share for trial in self._running.values() if trial.share}
        return known | {title: fmean(seconds) for title, seconds in self._seconds.items()}

    def _on_trial(self, trial: PlannedTrial, event: Event) -> None:
        title = trial.model.requested.title
        running = self._running.get(trial.label)
        match event.kind:
            case EventKind.STARTED:
                self._waiting[title] -= self._waiting[title] > 0
                self._running[trial.label] = _Running(title, self._clock())
                self._at_a_time = max(self._at_a_time, len(self._running))
            case EventKind.EPOCH if running is not None:
                epochs = trial.model.parameters.get("epochs")
                if isinstance(epochs, int) and epochs > 0:
                    running.share = min(event.epoch / epochs, 1.0)
            case EventKind.LOST if running is not None:
                self._running[trial.label] = _Running(title, self._clock())
            case EventKind.ENDED if running is not None:
                del self._running[trial.label]
                self._seconds.setdefault(title, []).append(self._clock() - running.since)


def duration(seconds: float) -> str:
    """Returns a duration as people say it.

    >>> duration(0.4), duration(59.6), duration(200), duration(7500)
    ('0 s', '1 min', '3 min', '2 h 5 min')
    """
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
