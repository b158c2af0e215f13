"""Progress of a run: one type of event, sent through one function."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from recbench.records.schema import CurvePoint
from recbench.trials.planned import PlannedTrial


class EventKind(StrEnum):
    """What has happened; the fields of ``Event`` that each kind sets are in brackets."""

    IMPORTING = "importing"
    """A model is imported (name)."""
    PLANNED = "planned"
    """The plan is known (total: trials; done: those with a record; planned: those that are going to run; n_train)."""
    STARTED = "started"
    """A trial begins (trial, worker)."""
    PHASE = "phase"
    """A part of a trial begins (name: ``import``, ``warm-up``, ``fit``, ``score``, ``full`` or ``serving``)."""
    MEMORY = "memory"
    """The model says how much memory it needs, before it starts (done: that; total: what is available; in bytes)."""
    EPOCH = "epoch"
    """A pass over the train rows is complete (epoch, loss, seconds of training)."""
    PROGRESS = "progress"
    """Part of a phase without epochs is complete (done, total)."""
    POINT = "point"
    """The learning curve has another point (point)."""
    LOST = "lost"
    """The worker of a trial has disappeared; the trial begins again on another worker (trial)."""
    ENDED = "ended"
    """A trial has ended (trial, result, kept)."""
    TICK = "tick"
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        kind: What has happened.
        trial: The trial; None where the event is about no trial, and inside the trial's own process.
        name: A model or a phase.
        worker: Address of the cluster's worker; None on this machine.
        epoch: Number of the epoch, from 1.
        loss: Mean training loss of the epoch, where the model reports it.
        seconds: Seconds of training so far.
        done: Units that are complete.
        total: All units.
        n_train: Train rows of one epoch.
        point: A point of the learning curve.
        result: What the trial gave: its record in a run, a ``recbench.tuning.past.PastTrial`` in a tuning.
        kept: Whether a trial that has ended need not run again.
        planned: The trials that are going to run; empty where that is not known before, as in a tuning.
    """

    kind: EventKind
    trial: PlannedTrial | None = None
    name: str = ""
    worker: str | None = None
    epoch: int = 0
    loss: float | None = None
    seconds: float = 0.0
    done: int = 0
    total: int = 0
    n_train: int = 0
    point: CurvePoint | None = None
    result: Any = None
    kept: bool = True
    planned: tuple[PlannedTrial, ...] = ()

    def to_json(self) -> str:
        """Returns the event as one line of JSON; for events of a trial's own process, without ``result``."""
        return json.dumps(_events().dump_python(self, mode="json", exclude_defaults=True))


@cache
def _events() -> TypeAdapter[Event]:
    """Returns what reads and writes events; made for the first of them, for a trial's process needs none."""
    return TypeAdapter(Event)


TICK = Event(EventKind.TICK)

Notify = Callable[[Event], None]
"""The one method of whoever follows a run."""

IsWanted = Callable[[PlannedTrial], bool]
"""Whether a trial should continue. A runner ends a trial that should not, and sends no further event about it."""


def event_from_json(text: str | bytes) -> Event:
    """Reads what ``Event.to_json`` wrote.

    Raises:
        ValueError: The text is no event.
    """
    return _events().validate_python(json.loads(text))


def about(trial: PlannedTrial, notify: Notify) -> Notify:
    """Returns a function that passes a trial's own events on, with the trial."""
    return lambda event: notify(replace(event, trial=trial))


def ignore(event: Event) -> None:
    """Ignores an event."""


def always(trial: PlannedTrial) -> bool:  # noqa: ARG001
    """Every trial continues to its end."""
    return True
