"""``recbench export``: records for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.output_options import FILE_ENDINGS, output_file, output_option
from recbench.cli.shared.record_options import RECORDS, note_labels
from recbench.cli.shared.terminal import emit
from recbench.counted import counted
from recbench.errors import RecbenchError
from recbench.experiments.export_targets import FILES, PACKAGES, ExportTarget, check_installed
from recbench.progress.console import write_message


def export(
    run: Annotated[str, typer.Argument(help=f"Records to export: {RECORDS}", show_default=False)],
    to: Annotated[ExportTarget, typer.Option("--to", help="The program that reads the export.", show_default=False)],
    output: Annotated[Path | None, output_option("File of --to parquet")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that has other content.")] = False,
) -> None:
    """Export records to experiment trackers, benchmark services, or a Parquet file.

    Each trial has its metrics with 95 % confidence interval, costs, hyper-parameters, seed, versions and digests.
    bencher and github-action-benchmark get the means over seeds, as JSON on standard output.

    mlflow writes to MLFLOW_TRACKING_URI, wandb to WANDB_PROJECT (with WANDB_MODE=offline, to files). Exporting a trial
    again changes nothing.

    Examples:
      recbench export results/runs --to mlflow
      recbench export main --to bencher > bencher.json
      recbench export results/runs --to parquet -o runs.parquet

    Exit codes: 0 exported, 2 bad input, 4 no records, or no trial is done.
    """
    if (output is not None) != (to in FILES):
        raise (
            RecbenchError(f"--to {to} needs the name of a file.", f"For example: -o runs.{to}")
            if to in FILES
            else RecbenchError(f"--to {to} writes no file, so it does not take -o.", "Leave -o out.")
        )
    if output is not None and output.suffix.lower() in {*FILE_ENDINGS} - {f".{to}"} and not output.is_dir():
        name = output.with_suffix(f".{to}")
        raise RecbenchError(f"-o {output} is not named like a {to} file.", f"For example: -o {name}")
    check_installed(to)
    from recbench.escaping.file_names import file_name
    from recbench.experiments import export as exports
    from recbench.records.selection import read_records

    records = read_records(run)
    note_labels(records)
    if output is not None:
        path = output_file(output, Path(f"{file_name(records.trials[0].record.task.name)}.{to}"))
        exports.export_parquet(records.trials, path, force=force)
        write_message(f"Written: {path}", "dim")
    elif to in PACKAGES:
        done = exports.SERVICES[to](records.trials)
        known = f"; {done.known} had been exported before" if done.known else ""
        write_message(f"Exported to {to}: {counted(done.written, 'trial')}{known}.", "dim")
    else:
        emit(exports.export_text(records.trials, to))
