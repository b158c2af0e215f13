"""``recbench site``: all results of a project as a web site."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.output_options import FOLDER, OUTPUT, PANEL, check_folder, replace_option
from recbench.cli.shared.record_options import RECORDS, note_labels
from recbench.cli.shared.terminal import emit
from recbench.progress.console import write_message

SITE = Path("public")


def site(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Records; each argument becomes one page: {RECORDS}",
            show_default="all folders of records in results/",
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(*OUTPUT, metavar=FOLDER, help="Folder of the site.", callback=check_folder, rich_help_panel=PANEL),
    ] = SITE,
    force: Annotated[bool, replace_option("files", made="write them")] = False,
) -> None:
    """Write a web site: a report page for each run, the history of accepted baselines, and a feed of its regressions.

    Any static host can serve the folder. To look at the site without a host, open index.html.

    Examples:
      recbench site
      recbench site results/leaderboards/ml-100k main -o public

    Exit codes: 0 written, 2 bad input, 4 no records.
    """
    from recbench.experiments.site import render_site

    made = render_site(runs or ())
    note_labels(*made.runs)
    for warning in made.warnings:
        write_message(warning, "yellow")
    made.write(output, force=force)
    emit(f"{output / 'index.html'} written, with {len(made.files) - 1} more files")
