"""The accepted baselines of all tasks as one page, made from the records alone."""

from collections.abc import Mapping, Sequence

from recbench.escaping.markdown import code_span, markdown
from recbench.escaping.shell import shell_command
from recbench.records.finished_trial import FinishedTrial
from recbench.reports.differences import Defaults
from recbench.reports.pages.configurations import configurations_section, with_names
from recbench.reports.pages.figure_sections import figure_sections
from recbench.reports.pages.ranked_report import ranked_report, where_from

HEAD = """\
# Accepted baselines

What later runs are compared with: {compare}, {gate}. This page is made from
the records in {folder} by `recbench baseline render`; do not edit it.
"""


def baselines_page(tasks: Mapping[str, Sequence[FinishedTrial]], label: str, defaults: Defaults) -> str:
    """Renders the page, in Markdown; models by HR@10, the best first.

    Args:
        tasks: For each task, the trials accepted under the label.
        label: The label.
        defaults: The defaults of the models.

    Raises:
        RecbenchError: The records of a task are of different digests.
    """
    compare, gate = (code_span(shell_command(["recbench", verb, label, "RUN"])) for verb in ("compare", "gate"))
    head = HEAD.format(compare=compare, gate=gate, folder=code_span(f"baselines/*/{label}/"))
    return "\n".join([head, *(_task(name, trials, defaults) for name, trials in tasks.items())])


def _task(name: str, trials: Sequence[FinishedTrial], defaults: Defaults) -> str:
    report, configurations = with_names(ranked_report(trials), defaults)
    return "\n".join(
        [
            f"## {markdown(name)}",
            "",
            where_from(trials, report),
            "",
            *figure_sections(trials, report, configurations, "###"),
            *configurations_section(configurations, "###"),
        ]
    )
