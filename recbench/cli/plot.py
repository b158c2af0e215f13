"""``recbench plot``: quality against speed, as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.record_options import RECORDS
from recbench.evaluation.metric_names import builtin_metrics, parse_measure
from recbench.progress.console import messages
from recbench.reports.plots.speed_quality_axes import Cost

METRICS = f"{', '.join(builtin_metrics())}, or one of a plug-in, with a cut-off where it takes one"


def plot(
    runs: Annotated[list[str], typer.Argument(help=f"What to show: {RECORDS}", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The picture: .png, .svg or .pdf.")],
    models: Annotated[str | None, typer.Option(help="Comma-separated: only these.", show_default="all")] = None,
    metric: Annotated[str, typer.Option(metavar="METRIC[@K]", help=f"What is upright: {METRICS}.")] = "hr@10",
    axis: Annotated[Cost, typer.Option("--against", help="What is level.")] = Cost.THROUGHPUT,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the picture even if recbench did not draw it or it was edited.")
    ] = False,
) -> None:
    """Draw what each model is worth against what it costs, from the records of one task.

    Upright are the means with their 95 % intervals over users, level the means with their range over seeds.

    Examples:
      recbench plot results/runs -o speed.png
      recbench plot results/runs -o few.svg --models bpr,ncf,implicit-bpr
      recbench plot before after -o both.svg --metric ndcg@10 --against fit-seconds

    Exit codes: 0 drawn, 2 bad input, 4 no records.
    """
    from recbench.cli.shared.lists import model_names
    from recbench.output_files import OutputFile
    from recbench.records.selection import of_models, read_records
    from recbench.reports.plots.figures import check_picture
    from recbench.reports.plots.speed_quality import speed_quality
    from recbench.reports.plots.speed_quality_plot import draw_speed_quality

    picture = OutputFile(output, force)
    check_picture(picture)
    measure = parse_measure(metric)
    record_sets = [read_records(run) for run in dict.fromkeys(runs)]
    if models is not None:
        record_sets = of_models(record_sets, model_names(models))
    found = speed_quality(record_sets, measure, axis)
    if found.left_out:
        messages().print(f"Not drawn, for they have no figures: {', '.join(found.left_out)}", markup=False)
    for note in found.notes:
        messages().print(note, style="yellow", markup=False)
    messages().print(f"Drawn: {draw_speed_quality(found, picture)}", style="dim", markup=False)
