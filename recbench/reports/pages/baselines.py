"""The accepted baselines of all tasks as one page, made from the records alone."""

from collections.abc import Mapping, Sequence

from recbench.escaping.markdown import code_span, markdown
from recbench.escaping.shell import shell_command
from recbench.records.finished_trial import FinishedTrial
from recbench.reports.formats import Format
from recbench.reports.pages.ranked_report import correction_lines, ranked_report, where_from
from recbench.reports.rendering import render_lines
from recbench.reports.run.findings import contradiction_notes
from recbench.reports.run.table import how_to_read, models_table

HEAD = """\
# Accepted baselines

What later runs are compared with: {compare}, {gate}. This page is made from
the records in {folder} by `recbench baseline render`; do not edit it.
"""


def baselines_page(tasks: Mapping[str, Sequence[FinishedTrial]], label: str) -> str:
    """Renders the page, in Markdown; models by HR@10, the best first.

    Args:
        tasks: For each task, the trials accepted under the label.
        label: The label.

    Raises:
        RecbenchError: The records of a task are of different digests.
    """
    compare, gate = (code_span(shell_command(["recbench", verb, label, "RUN"])) for verb in ("compare", "gate"))
    head = HEAD.format(compare=compare, gate=gate, folder=code_span(f"baselines/*/{label}/"))
    return "\n".join([head, *(_task(name, trials) for name, trials in tasks.items())])


def _task(name: str, trials: Sequence[FinishedTrial]) -> str:
    report = ranked_report(trials)
    return "\n".join(
        [
            f"## {markdown(name)}",
            "",
            where_from(trials, report),
            "",
            models_table(report, Format.MARKDOWN),
            "",
            *render_lines(
                [
                    *how_to_read(report, Format.MARKDOWN),
                    *contradiction_notes(report, most=None),
                    *correction_lines(report),
                    *report.uncertainty.notes,
                    *report.code_notes,
                ],
                Format.MARKDOWN,
            ),
            "",
        ]
    )
