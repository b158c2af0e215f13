"""The tables of a suite in every format. Figures are rounded in tables, and nowhere else."""

from recbench.counted import counted
from recbench.escaping.data_files import json_text
from recbench.evaluation.bootstrap import RESAMPLES, Interval
from recbench.reports.cells import NO_FIGURE, Strong, escape, escape_line
from recbench.reports.column_rendering import on_screen, prose, render_columns
from recbench.reports.columns import Column, Cut, Look, text_column
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text, paragraph
from recbench.reports.seconds import seconds_text
from recbench.reports.suite.document import suite_document
from recbench.reports.suite.suite_report import Standing, SuiteReport
from recbench.reports.suite.task_scores import missing_lines
from recbench.reports.view import DEFAULT_VIEW, View

LEVEL_MARK = "="
SUITE_COLUMNS = ("model", "standing", "rank", "score", "fit", "front", "machine")
"""The names of the columns; only tables of several machines have the last."""


def suite_table(report: SuiteReport, form: Format, view: View = DEFAULT_VIEW) -> str:
    """Renders a suite: the models, the win matrix, and the lines that explain them.

    Args:
        report: The suite.
        form: CSV has full precision and no lines around it; JSON is the document; LaTeX has the lines as comments.
        view: Which columns to show, and the terminal that plain text has to fit.
    """
    if form is Format.JSON:
        return json_text(suite_document(report))
    if form is Format.CSV:
        return _csv(report)
    models = render_columns(_columns(report, form), form, view)
    wins = render_columns(_win_columns(report), form, View(screen=view.screen))
    above = on_screen(paragraph([escape_line(line, form) for line in head(report)], form), view.screen)
    notes = prose([*models.notes, *legend(report), *wins.notes], form, view.screen)
    title = on_screen(paragraph([escape(WINS, form)], form), view.screen)
    return "\n".join([*above, "", models.text, "", *title, "", wins.text, "", *notes])


WINS = "Wins: tasks on which the model of the row has a higher score than the model of the column"


def head(report: SuiteReport) -> list[str]:
    """Returns the lines above the tables."""
    return [f"Suite {report.name}, {scope(report)}", report.headline, *left_out(report)]


def scope(report: SuiteReport) -> str:
    """Returns the metric and the tasks."""
    return f"{report.measure.label}, {len(report.tasks)} tasks: {', '.join(task.name for task in report.tasks)}"


def left_out(report: SuiteReport) -> list[str]:
    """Returns which tasks are not used, and why."""
    lines = [*report.unlisted]
    if report.missing:
        tasks = {gap.task for gap in report.missing}
        lines.append(f"Not used: {counted(len(tasks), 'task')} that not every model has.")
        lines += missing_lines(report.missing)
    return lines


def legend(report: SuiteReport, best: str = "best", seconds: str = "train s", interval: str = "95 %:") -> list[str]:
    """Returns the lines below the tables.

    Args:
        report: The suite.
        best: How the table marks the best model.
        seconds: The header of the training time.
        interval: Which figures of the table are intervals.
    """
    n_models, n_tasks = len(report.standings), len(report.tasks)
    few = " With so few tasks, it finds only large differences." if n_tasks < 10 else ""
    return [
        f"{interval} confidence interval from a paired bootstrap over tasks and users ({RESAMPLES:,} resamples).",
        f"{best}: lowest mean rank; {LEVEL_MARK}: not significantly different from the best (the 95 % interval of the "
        "paired difference of mean ranks includes 0).",
        "Significant differences in mean rank between neighbouring models: "
        f"{report.neighbours_decided} of {n_models - 1}.",
        f"Critical difference of mean ranks (Nemenyi, 5 %): {report.critical_difference:.2f}.{few}",
        f"relative score: score divided by the best score of the task, mean over tasks. {seconds}: geometric mean over "
        "tasks. front: no other model has both a higher relative score and a shorter training time.",
        *report.settings_notes,
        *report.notes,
    ]


def _columns(report: SuiteReport, form: Format) -> list[Column]:
    standings = report.standings
    names = [
        Strong(standing.name) if standing.best and form is not Format.TEXT else standing.name for standing in standings
    ]
    machines = {machine for standing in standings for machine in standing.machines}
    columns = [
        Column("model", (Look("model", names, "l"),), cut=Cut.MIDDLE),
        text_column(
            "standing", ["best" if standing.best else LEVEL_MARK * standing.level_with_best for standing in standings]
        ),
        _figure("rank", "mean rank", [(standing.mean_rank, standing.rank_interval) for standing in standings], 2, 1),
        _figure(
            "score",
            "relative score",
            [(standing.relative_score, standing.score_interval) for standing in standings],
            3,
            2,
            -1,
        ),
        Column(
            "fit",
            (Look("train s", [_seconds(standing) for standing in standings], rank=3),),
            keys=[standing.fit_seconds for standing in standings],
        ),
        text_column("front", ["front" if standing.on_front else "" for standing in standings], rank=4),
    ]
    if len(machines) > 1:
        columns.append(
            text_column("machine", [", ".join(standing.machines) for standing in standings], rank=5, cut=Cut.END)
        )
    return columns


def _figure(
    name: str, header: str, figures: list[tuple[float, Interval]], digits: int, rank: int, sign: int = 1
) -> Column:
    values = [f"{value:.{digits}f}" for value, _ in figures]
    limits = [f"{text.low:.{digits}f}-{text.high:.{digits}f}" for _, text in figures]
    both = [f"{value} [{limit}]" for value, limit in zip(values, limits, strict=True)]
    return Column(
        name,
        (Look(header, values, rank=rank), Look("95 %", limits, rank=rank)),
        (Look(header, both, rank=rank + 5), Look(header, values, rank=rank)),
        [sign * value for value, _ in figures],
    )


def _win_columns(report: SuiteReport) -> list[Column]:
    numbers = range(len(report.standings))
    names = [f"{number + 1} {report.standings[number].name}" for number in numbers]
    return [
        Column("model", (Look("model", names, "l"),), cut=Cut.MIDDLE),
        *(
            text_column(
                str(column + 1),
                [NO_FIGURE if row == column else f"{report.wins[row, column]:.0f}" for row in numbers],
                "r",
                rank=column + 1,
            )
            for column in numbers
        ),
    ]


def _seconds(standing: Standing) -> str:
    return NO_FIGURE if standing.fit_seconds is None else seconds_text(standing.fit_seconds)


def _csv(report: SuiteReport) -> str:
    headers = ["model", "source", "mean_rank", "mean_rank_low", "mean_rank_high", "relative_score"]
    headers += ["relative_score_low", "relative_score_high", "fit_seconds", "on_pareto_front"]
    headers += [f"{report.measure.name} {task.name}" for task in report.tasks]
    rows: list[list[object]] = [
        [
            standing.name, standing.source, standing.mean_rank, standing.rank_interval.low, standing.rank_interval.high,
            standing.relative_score, standing.score_interval.low, standing.score_interval.high, standing.fit_seconds,
            standing.on_front, *standing.scores,
        ]
        for standing in report.standings
    ]  # fmt: skip
    return csv_text(rows, headers)
