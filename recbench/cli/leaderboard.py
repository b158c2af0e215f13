"""``recbench leaderboard``: the records of one task as a page."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.execution_options import PageMetrics
from recbench.cli.shared.lists import cut_offs
from recbench.cli.shared.output_options import PANEL, ReplacePage, output_file, output_option
from recbench.cli.shared.pages import Check, write_or_check
from recbench.errors import RecbenchError
from recbench.experiments.defaults import PUBLISHED_FOLDER
from recbench.reports.formats import Format

PAGES = Path("results")
ENDINGS = {Format.MARKDOWN: ".md", Format.LATEX: ".tex"}
"""The formats of a page, with the endings of their files."""


def leaderboard(
    run: Annotated[str, typer.Argument(help="A folder of records of one task.", show_default=False)],
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File of tuned settings.",
            show_default="results/settings/TASK.toml and models/settings/TASK.toml, if they exist",
        ),
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File of published results.",
            show_default=f"{PUBLISHED_FOLDER}/TASK.toml, if it exists",
        ),
    ] = None,
    metrics: PageMetrics = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            metavar="|".join(ENDINGS),
            help="markdown: the page; latex: its tables, for a paper.",
            rich_help_panel=PANEL,
        ),
    ] = Format.MARKDOWN,
    output: Annotated[Path | None, output_option("File of the page", show_default=f"{PAGES}/TASK.md")] = None,
    check: Check = False,
    force: ReplacePage = False,
) -> None:
    """Write a leaderboard page from the records of a run.

    The page lists the models by the first metric, the pairs of models that are not significantly different, published
    results on the task, how the hyper-parameters were chosen, and the commands that make the page.

    Examples:
      recbench leaderboard results/leaderboards/ml-100k
      recbench leaderboard results/runs --published my-paper.toml -o page.md
      recbench leaderboard results/runs --metrics full-recall@20,full-user-ndcg@20
      recbench leaderboard results/runs --format latex -o tables.tex

    Exit codes: 0 written or current, 1 not current, 2 bad input, 4 no records.
    """
    from recbench.escaping.file_names import file_name
    from recbench.escaping.shell import shell_command
    from recbench.evaluation.metric_names import read_measures
    from recbench.experiments.pages import leaderboard_page
    from recbench.output_files import OutputFile
    from recbench.progress.console import write_message

    if form not in ENDINGS:
        raise RecbenchError(
            f"leaderboard does not write {form.value}.",
            f"Use one of: {', '.join(page_format.value for page_format in ENDINGS)}",
        )
    measures = read_measures(metrics, cut_offs(None)) if metrics else None
    given = {"--settings": settings, "--published": published, "-o": output}
    options = [word for option, path in given.items() if path for word in (option, path.as_posix())]
    options += ["--format", form.value] if form is not Format.MARKDOWN else []
    page = leaderboard_page(run, settings, published, measures, options, form)
    for warning in page.warnings:
        write_message(warning, "yellow")
    again = ["recbench", "leaderboard", run, *(["--metrics", ",".join(metrics)] if metrics else []), *options]
    file = OutputFile(output_file(output, PAGES / f"{file_name(page.task)}{ENDINGS[form]}"), force)
    write_or_check(lambda: page.text, file, shell_command(again), check=check)
