"""The accepted baselines of all tasks as one page, made from the records alone."""

from collections.abc import Mapping, Sequence

from recbench.records.finished_trial import FinishedTrial
from recbench.reports.cells import escape
from recbench.reports.formats import Format
from recbench.reports.pages.ranked_report import ranked_report, where_from
from recbench.reports.run.table import how_to_read, models_table

HEAD = """\
# Accepted baselines

What later runs are compared with: `recbench compare {label} RUN`, `recbench gate {label} RUN`. This page is made from
the records in `baselines/*/{label}/` by `recbench baseline render`; do not edit it.
"""


def baselines_page(tasks: Mapping[str, Sequence[FinishedTrial]], label: str) -> str:
    """Renders the page, in Markdown; models by HR@10, the best first.

    Args:
        tasks: For each task, the trials accepted under the label.
        label: The label.

    Raises:
        RecbenchError: The records of a task are of different digests.
    """
    return "\n".join([HEAD.format(label=label), *(_task(name, trials) for name, trials in tasks.items())])


def _task(name: str, trials: Sequence[FinishedTrial]) -> str:
    report = ranked_report(trials)
    return "\n".join(
        [
            f"## {escape(name, Format.MARKDOWN)}",
            "",
            where_from(trials, report),
            "",
            models_table(report, Format.MARKDOWN),
            "",
            *(
                f"- {line}"
                for line in (*how_to_read(report, Format.MARKDOWN), *report.uncertainty.notes, *report.code_notes)
            ),
            "",
        ]
    )
