"""``recbench plot``: quality against speed, as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.execution_options import OnlyModels, metrics_option
from recbench.cli.shared.lists import cut_offs, only_item
from recbench.cli.shared.output_options import output_file, output_option, replace_option
from recbench.cli.shared.record_options import RECORDS
from recbench.evaluation.metric_names import read_measures
from recbench.progress.console import write_message
from recbench.reports.plots.speed_quality_axes import Cost


def plot(
    runs: Annotated[list[str], typer.Argument(help=f"Records to show: {RECORDS}", show_default=False)],
    output: Annotated[Path, output_option("Picture, .png, .svg or .pdf")],
    models: OnlyModels = None,
    metrics: Annotated[
        list[str] | None, metrics_option("Metric on the vertical axis, such as ndcg@10", "hr@10")
    ] = None,
    axis: Annotated[Cost, typer.Option("--x-axis", help="Value on the horizontal axis.")] = Cost.THROUGHPUT,
    force: Annotated[bool, replace_option("the picture", made="draw it")] = False,
) -> None:
    """Plot quality against speed, from the records of one task.

    Vertical: the mean of a metric with its 95 % confidence interval over users. Horizontal: the mean with its range
    over seeds.

    Examples:
      recbench plot results/runs -o speed.png
      recbench plot results/runs -o few.svg --models bpr,ncf,implicit-bpr
      recbench plot before after -o both.svg --metrics ndcg@10 --x-axis fit-seconds

    Exit codes: 0 drawn, 2 bad input, 4 no records.
    """
    from recbench.escaping.file_names import file_name
    from recbench.output_files import OutputFile
    from recbench.records.selection import of_models, read_records
    from recbench.reports.plots.figures import check_picture
    from recbench.reports.plots.speed_quality import speed_quality
    from recbench.reports.plots.speed_quality_plot import draw_speed_quality

    (measure,) = read_measures([only_item("--metrics", metrics or ["hr"])], cut_offs(None))
    record_sets = [read_records(run) for run in dict.fromkeys(runs)]
    if models is not None:
        record_sets = of_models(record_sets, models)
    task = record_sets[0].trials[0].record.task.name
    picture = OutputFile(output_file(output, Path(f"{file_name(task)}.png")), force)
    check_picture(picture)
    content = speed_quality(record_sets, measure, axis)
    if content.left_out:
        write_message(f"Not drawn, because they have no figures: {', '.join(content.left_out)}")
    for note in content.notes:
        write_message(note, "yellow")
    write_message(f"Drawn: {draw_speed_quality(content, picture)}", "dim")
