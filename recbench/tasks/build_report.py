"""What a build read, kept and guessed, in one line."""

import logging
from collections.abc import Sequence

from recbench.data.reading import Reading
from recbench.data.times import Unit, date_text
from recbench.protocol import Int64Array
from recbench.tasks.exchange.forms import Order
from recbench.tasks.leakage import tied_in_time
from recbench.tasks.spec import FileData, FrameData
from recbench.tasks.task import Task

log = logging.getLogger(__name__)

MOST = 0.5
"""From this share of tied cases on, the report is a warning."""


def report_build(task: Task, readings: Sequence[Reading | None], unit: Unit | None) -> None:
    """Logs a line on the build of a task, and one on ties in time where there are any.

    Args:
        task: The task.
        readings: What was read; None for rows that were in no file.
        unit: What the task's times count since 1970; None if it has none.
    """
    read = [str(reading) for reading in readings if reading is not None]
    log.info("%s: %skept %s", task.name, f"read {' and '.join(read)}; " if read else "", ", ".join(_kept(task, unit)))
    report_ties(task)


def report_ties(task: Task) -> None:
    """Logs how many cases are the last of their user by chance, because other rows have the same time."""
    if getattr(task.spec.split, "order", None) is not Order.TIMESTAMP:
        return
    tied = tied_in_time(task)
    if tied is None or not tied.any():
        return
    level = logging.WARNING if tied.mean() >= MOST else logging.INFO
    log.log(
        level,
        "%s: %s of %s cases have the same time as a train row of their user (a tie). %s decides which of them is held "
        "out.",
        task.name, f"{int(tied.sum()):,}", f"{len(tied):,}",
        "A draw" if isinstance(task.spec.dataset, FileData | FrameData) else "Their order in the file",
    )  # fmt: skip


def _kept(task: Task, unit: Unit | None) -> list[str]:
    counts = {"rows": task.n_train + len(task.test), "users": task.n_users, "items": task.n_items}
    texts = [f"{count:,} {noun}" for noun, count in counts.items()]
    times = [part for part in (task.timestamps, task.test_times) if part is not None and len(part)]
    return [*texts, _period(times, unit)] if times and unit is not None else texts


def _period(times: Sequence[Int64Array], unit: Unit) -> str:
    first, last = min(int(part.min()) for part in times), max(int(part.max()) for part in times)
    return f"{'times' if unit is Unit.ORDER else 'dates'} {date_text(first, unit)} to {date_text(last, unit)}"
