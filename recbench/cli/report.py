"""``recbench report``: records as one HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.execution_options import OnlyModels, PageMetrics
from recbench.cli.shared.lists import cut_offs
from recbench.cli.shared.output_options import ReplacePage, output_file, output_option
from recbench.cli.shared.record_options import RECORDS, note_labels
from recbench.cli.shared.terminal import emit
from recbench.evaluation.metric_names import read_measures
from recbench.progress.console import write_message

PAGE = Path("report.html")


def report(
    runs: Annotated[list[str], typer.Argument(help=f"Records to show: {RECORDS}", show_default=False)],
    models: OnlyModels = None,
    metrics: PageMetrics = None,
    output: Annotated[Path | None, output_option("HTML page", show_default=str(PAGE))] = None,
    force: ReplacePage = False,
) -> None:
    """Write one HTML page from records of any tasks. It needs no network and no other file.

    The page has a sortable table with confidence intervals, quality against cost, all pairs of models, learning curves,
    cohorts, hyper-parameters, the history of accepted baselines, downloads, and the commands that repeat the run.

    Examples:
      recbench report results/runs
      recbench report results/leaderboards/ml-100k -o ml-100k.html
      recbench report before after -o both.html --metrics ndcg@10,hr@10

    Exit codes: 0 written, 2 bad input, 4 no records.
    """
    from recbench.experiments.report import render_report
    from recbench.output_files import OutputFile

    file = OutputFile(output_file(output, PAGE), force)
    file.check()
    page = render_report(runs, read_measures(metrics, cut_offs(None)) if metrics else None, models)
    note_labels(*page.runs)
    for warning in page.warnings:
        write_message(warning, "yellow")
    file.write(page.text.encode("utf-8", "backslashreplace"))
    emit(f"{file.path} written")
