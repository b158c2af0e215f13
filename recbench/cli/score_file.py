"""``recbench score-file``: scores that another program computed."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.execution_options import CutOffs, Task, Track
from recbench.cli.shared.lists import cut_offs
from recbench.cli.shared.output_options import AsJson, Form, RecordsFolder
from recbench.cli.shared.ratings_file_options import ItemColumn, Separator, UserColumn
from recbench.cli.shared.terminal import emit
from recbench.experiments.defaults import DEFAULT_OUTPUT, DEFAULT_TASK, MAX_SEED
from recbench.progress.console import write_message
from recbench.reports.formats import Format


def score_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="File with a user, an item and a score in each row, in any form of 'task build --ratings'."
        ),
    ],
    name: Annotated[str, typer.Option("--name", help="Name of the model in tables and comparisons.")],
    task: Task = DEFAULT_TASK,
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="Seed of the run that made the scores. Use one file per seed.")
    ] = 0,
    k: CutOffs = None,
    ranked: Annotated[
        bool,
        typer.Option(
            "--ranked",
            help="The rows are ranked lists of items without scores: ordered by a column rank, or the best item first.",
        ),
    ] = False,
    missing_last: Annotated[
        bool,
        typer.Option(
            "--missing-last", help="Rank candidates without a score last. Without this option they are an error."
        ),
    ] = False,
    user_column: UserColumn = None,
    item_column: ItemColumn = None,
    score_column: Annotated[
        str | None,
        typer.Option(
            "--score-column", help="Column of scores. Default: score or prediction, else a column of ratings."
        ),
    ] = None,
    separator: Separator = None,
    output: RecordsFolder = DEFAULT_OUTPUT,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a record of the same name and seed that has another result.")
    ] = False,
    track: Track = False,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
) -> None:
    """Evaluate scores or ranked lists of any program on a task, and store them as a record.

    Examples:
      recbench score-file scores.csv --name easer --task ml-100k
      recbench score-file lists.tsv --name sasrec --ranked --task my-shop -o results/others

    Exit codes: 0 done, 2 bad input.
    """
    from recbench.data.readers.layout import Layout
    from recbench.experiments.evaluate import evaluate
    from recbench.reports.run.table import run_table

    result = evaluate(
        task,
        file,
        name=name,
        seed=seed,
        ks=cut_offs(k),
        ranked=ranked,
        missing_last=missing_last,
        layout=Layout(user_column, item_column, "" if ranked else score_column, "", separator),
        output=output,
        force=force,
        track_result=track,
    )
    emit(run_table(result.report, Format.JSON if as_json else form))
    write_message(f"Record: {result.trials[0].place}", "dim")
