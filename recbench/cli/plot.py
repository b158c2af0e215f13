"""``recbench plot``: quality against speed, as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.record_options import SIDE
from recbench.progress.console import messages
from recbench.reports.plots.speed_quality_axes import Cost, Quality


def plot(
    runs: Annotated[list[str], typer.Argument(help=f"What to show: {SIDE}", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The picture: .png, .svg or .pdf.")],
    models: Annotated[str | None, typer.Option(help="Comma-separated: only these.", show_default="all")] = None,
    metric: Annotated[Quality, typer.Option(help="What is upright.")] = Quality.HR,
    axis: Annotated[Cost, typer.Option("--against", help="What is level.")] = Cost.THROUGHPUT,
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
    from recbench.records.selection import of_models, read_side
    from recbench.reports.plots.speed_quality import speed_quality
    from recbench.reports.plots.speed_quality_plot import draw_speed_quality

    sides = [read_side(run) for run in dict.fromkeys(runs)]
    if models is not None:
        sides = of_models(sides, model_names(models))
    found = speed_quality(sides, metric, axis)
    if found.left_out:
        messages().print(f"Not drawn, for they have no figures: {', '.join(found.left_out)}", markup=False)
    for note in found.notes:
        messages().print(note, style="yellow", markup=False)
    messages().print(f"Drawn: {draw_speed_quality(found, output)}", style="dim", markup=False)
