"""A suite in a report page: its table, the win matrix, and quality against cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.reports.cells import NO_FIGURE
from recbench.reports.html.charts.speed_quality_chart import StyledPoint, speed_quality_figure
from recbench.reports.html.charts.svg import Figure
from recbench.reports.html.tables import Cell, Column, Row, Table, fitting_width
from recbench.reports.plots.short_labels import short_labels
from recbench.reports.plots.speed_quality import QualityPoint
from recbench.reports.plots.styles import Style, style
from recbench.reports.seconds import seconds_text
from recbench.reports.spread import Spread
from recbench.reports.suite.suite_report import Standing, SuiteReport
from recbench.reports.suite.table import left_out, legend, scope

MOST_MODELS = 16
"""More models have no room beside each other in the win matrix."""
LABEL_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class WinRow:
    """A row of the win matrix.

    Attributes:
        name: The model.
        style: How charts draw it.
        wins: For each column, the number of tasks; None for the model itself.
    """

    name: str
    style: Style
    wins: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class SuiteSection:
    """A suite in a page.

    Attributes:
        anchor: Its identifier in the page.
        name: The name of the suite.
        scope: The metric and the tasks.
        verdict: The best models.
        missing: Which tasks are not used, and why.
        tables: The models over all tasks, and the score on each task.
        notes: How to read them.
        wins: The win matrix.
        labels: The number and a short name of each of its columns.
        n_left_out: Models that have no room in it.
        speed_quality: Relative score against training time; None without timings.
    """

    anchor: str
    name: str
    scope: str
    verdict: str
    missing: Sequence[str]
    tables: Sequence[Table]
    notes: Sequence[str]
    wins: Sequence[WinRow]
    labels: Sequence[str]
    n_left_out: int
    speed_quality: Figure | None

    @property
    def wins_fit(self) -> int:
        """The smallest width of a window, in pixels, in which the win matrix has room."""
        return fitting_width(205 + 60 * len(self.wins))


def suite_section(report: SuiteReport, number: int) -> SuiteSection:
    """Returns the section of a suite.

    Args:
        report: The suite.
        number: Its number in the page.
    """
    anchor = f"suite-{number}"
    shown = report.standings[:MOST_MODELS]
    names = short_labels([standing.name for standing in shown], LABEL_CHARACTERS)
    return SuiteSection(
        anchor,
        report.name,
        scope(report),
        report.headline,
        left_out(report),
        (_over_tasks(report), _by_task(report)),
        legend(report, best="★", seconds="training time", interval="[ ]: 95 %"),
        [
            WinRow(
                standing.name,
                style(row),
                tuple(None if row == column else int(report.wins[row, column]) for column in range(len(shown))),
            )
            for row, standing in enumerate(shown)
        ],
        [f"{place} {name}" for place, name in enumerate(names, start=1)],
        len(report.standings) - len(shown),
        _speed_quality(report, anchor),
    )


def _over_tasks(report: SuiteReport) -> Table:
    several = len({machine for standing in report.standings for machine in standing.machines}) > 1
    columns = (
        Column("relative score", "Score divided by the best score of the task: mean over tasks, 95 % interval"),
        Column("mean rank", "1 is the best: mean over tasks, 95 % interval"),
        Column("training time, s", "Geometric mean over tasks"),
        *([Column("machine", "The processors that its trials ran on")] if several else []),
    )
    rows = [
        _row(number, standing, [*_cells(standing), *([Cell(", ".join(standing.machines))] if several else [])])
        for number, standing in enumerate(report.standings)
    ]
    return Table("Over all tasks", columns, tuple(rows))


def _cells(standing: Standing) -> list[Cell]:
    rank, score, seconds = standing.rank_interval, standing.score_interval, standing.fit_seconds
    mark = "best" if standing.best else "equal" if standing.level_with_best else ""
    return [
        Cell(f"{standing.relative_score:.3f}", standing.relative_score, f"[{score.low:.3f}, {score.high:.3f}]"),
        Cell(
            f"{standing.mean_rank:.2f}",
            standing.mean_rank,
            f"[{rank.low:.2f}, {rank.high:.2f}]",
            mark,
        ),
        Cell(NO_FIGURE)
        if seconds is None
        else Cell(seconds_text(seconds), seconds, "front" if standing.on_front else ""),
    ]


def _by_task(report: SuiteReport) -> Table:
    columns = [Column(task.name, f"{report.measure.label}; below, the rank") for task in report.tasks]
    rows = [
        _row(
            number,
            standing,
            [
                Cell(f"{score:.4f}", score, f"rank {rank:g}")
                for score, rank in zip(standing.scores, standing.ranks, strict=True)
            ],
        )
        for number, standing in enumerate(report.standings)
    ]
    return Table(f"{report.measure.label} on each task", tuple(columns), tuple(rows))


def _row(number: int, standing: Standing, cells: Sequence[Cell]) -> Row:
    return Row(standing.name, "", style(number), tuple(cells))


def _speed_quality(report: SuiteReport, anchor: str) -> Figure | None:
    points = [
        StyledPoint(_point(standing, standing.fit_seconds), style(number))
        for number, standing in enumerate(report.standings)
        if standing.fit_seconds is not None
    ]
    return speed_quality_figure(
        f"{anchor}-cost",
        points,
        f"Relative {report.measure.label}",
        "Vertical bars: 95 % confidence interval over tasks and users. Training time: geometric mean over tasks.",
    )


def _point(standing: Standing, seconds: float) -> QualityPoint:
    quality = Spread((standing.relative_score,), standing.relative_score, None)
    return QualityPoint(
        standing.model, standing.name, quality, standing.score_interval, Spread((seconds,), seconds, None)
    )
