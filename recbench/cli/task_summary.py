"""A task's counts as a table."""

from typing import TYPE_CHECKING, Any

from recbench.cli.terminal import emit_table

if TYPE_CHECKING:
    from recbench.tasks.task import Task


def emit_summary(task: "Task") -> None:
    """Writes the counts and the digest to standard output."""
    summary: dict[str, Any] = task.summary()
    rows = [
        [key.replace("n_", "", 1).replace("_", " "), f"{value:,}" if isinstance(value, int) else value]
        for key, value in summary.items()
        if key not in ("name", "waivers")
    ]
    rows.append(["waived", ", ".join(summary["waivers"]) or "nothing"])
    emit_table(rows, [task.name, task.spec.description])
