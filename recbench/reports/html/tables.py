"""The tables of the report page: what each cell shows, and by what it is sorted."""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.records.schema import Status
from recbench.reports.cells import NO_FIGURE, signed
from recbench.reports.cost_figures import ENERGY, GPU, SERVING, CostFigure, present_figures
from recbench.reports.plots.styles import Style
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import ModelSummary
from recbench.reports.run.uncertainty import Standing
from recbench.reports.seconds import seconds_text
from recbench.reports.spread import Spread
from recbench.reports.timing_notes import DOUBTFUL, SHARED, SHORTEST_FIT, timed_throughput

MEBIBYTE = 2**20
WIDTHS = (480, 640, 800, 960, 1120, 1280, 1380, 10_000)
"""Widths of windows in pixels below which a table shows each row as a card; the last is wider than any window."""


def fitting_width(needed: float) -> int:
    """Returns the smallest of ``WIDTHS`` that has room for so many pixels."""
    return next(width for width in WIDTHS if width >= min(needed, WIDTHS[-1]))


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What it shows.
        value: The number by which rows are sorted; None for the last places.
        detail: A second line, such as an interval.
        mark: What its standing is called: ``best``, ``equal``, ``below``, or nothing.
    """

    text: str
    value: float | None = None
    detail: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        title: Its header.
        help: What the figures are, for readers who point at the header.
    """

    title: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One configuration.

    Attributes:
        name: Its name.
        anchor: Where its hyper-parameters are in the page.
        style: How charts draw it.
        cells: Its figures.
    """

    name: str
    anchor: str
    style: Style
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with one row per configuration.

    Attributes:
        caption: What it shows.
        columns: All columns but the first, which holds the names.
        rows: The rows, by the first column of figures.
        sorted_by: The number of the column by which the rows are sorted, the highest first; None for none.
        has_short_words: Whether the headers are short words, between which they may break, and the figures are short.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    sorted_by: int | None = None
    has_short_words: bool = False

    @property
    def fits(self) -> int:
        """The smallest width of a window, in pixels, in which all columns have room; see the style sheet."""
        return fitting_width(230 + (84 if self.has_short_words else 118) * len(self.columns))


@dataclass(frozen=True, slots=True)
class Named:
    """A configuration as all parts of a page show it.

    Attributes:
        summary: Its figures.
        standings: Where it stands, by measure.
        anchor: Where its hyper-parameters are in the page.
        style: How charts draw it.
    """

    summary: ModelSummary
    standings: dict[str, Standing]
    anchor: str
    style: Style

    def row(self, cells: Sequence[Cell]) -> Row:
        """Returns its row of a table."""
        return Row(self.summary.name, self.anchor, self.style, tuple(cells))


def quality_tables(report: RunReport, models: Sequence[Named]) -> list[Table]:
    """Returns the table of the metrics among the candidates, and that of the full ranking if any model has one."""
    tables = []
    for ranking, caption in (
        (Ranking.CANDIDATES, "Quality among the candidates"),
        (Ranking.FULL, "Quality in the full ranking"),
    ):
        measures = [measure for measure in report.columns if measure.ranking is ranking]
        if measures:
            columns = [Column(measure.label, _help(measure)) for measure in measures]
            rows = [model.row([metric_cell(model, measure) for measure in measures]) for model in models]
            ordered = report.columns.index(measures[0]) == 0
            tables.append(Table(caption, tuple(columns), tuple(rows), 0 if ordered else None))
    return tables


def costs_of(models: Sequence[Named]) -> Table:
    """Returns the table of what each configuration costs, and how its trials ended."""
    columns = (
        Column("training time, s", "Seconds of fit, without warm-up and scoring: mean over seeds"),
        Column("CPU time, s", "CPU seconds of the training: mean over seeds"),
        Column("interactions/s", f"Train rows × epochs / seconds. {NO_FIGURE}: fits under {SHORTEST_FIT} s"),
        Column("epochs", "Passes over the train rows"),
        Column("scoring time, s", "Seconds to rank all cases: mean over seeds"),
        Column("memory, MiB", "Peak memory of the process of a trial: highest seed"),
        Column("seeds", "Trials"),
        Column("status", "How the trials ended"),
    )
    return Table(
        "Cost", columns, tuple(model.row(_cost_cells(model.summary)) for model in models), has_short_words=True
    )


def costs_in_use(models: Sequence[Named]) -> list[Table]:
    """Returns the tables of what each configuration costs in use, and of its energy; none without such figures."""
    records = [trial.record for model in models for trial in model.summary.group.done]
    tables = []
    for caption, figures in (("In use", SERVING), ("Energy and GPUs", (*ENERGY, *GPU))):
        if present := present_figures(records, figures):
            columns = tuple(Column(figure.header) for figure in present)
            rows = [model.row([_cost(model, figure) for figure in present]) for model in models]
            tables.append(Table(caption, columns, tuple(rows), has_short_words=True))
    return tables


def metric_cell(model: Named, measure: Measure) -> Cell:
    """Returns the mean over seeds, its standard deviation, its confidence interval and the mark of its standing."""
    spread, standing = model.summary.figure(measure), model.standings.get(measure.name)
    if spread is None:
        return Cell(NO_FIGURE)
    detail = f"±\N{NO-BREAK SPACE}{spread.sd:.4f} " if spread.sd is not None else ""
    if standing is not None and standing.interval is not None:
        # Figures of the full ranking are small.
        digits = 4 if measure.ranking is Ranking.FULL else 3
        detail += f"[{standing.interval.low:.{digits}f},\N{NO-BREAK SPACE}{standing.interval.high:.{digits}f}]"
    return Cell(f"{spread.mean:.4f}", spread.mean, detail.strip(), _mark(standing))


def cohort_tables(models: Sequence[Named]) -> list[Table]:
    """Returns one table for each value by which cases are divided into thirds."""
    tables = []
    known = [model for model in models if model.summary.cohorts]
    for name, caption in (
        ("history", "By the train rows of the case's user"),
        ("popularity", "By the train rows of the case's item"),
    ):
        having = [model for model in known if name in model.summary.cohorts]
        if not having:
            continue
        columns = [
            Column(f"{cohort.lowest:g}–{cohort.highest:g} rows", f"{cohort.n_cases:,} cases")
            for cohort in having[0].summary.cohorts[name]
        ]
        rows = [
            model.row([_number(cohort.hr, ".4f") for cohort in model.summary.cohorts[name]])
            for model in having
            if len(model.summary.cohorts[name]) == len(columns)
        ]
        tables.append(Table(caption, tuple(columns), tuple(rows)))
    return tables


def _mark(standing: Standing | None) -> str:
    if standing is None:
        return ""
    if standing.best:
        return "best"
    if standing.below_reference:
        return "below"
    return "equal" if standing.level_with_best else ""


def _help(measure: Measure) -> str:
    among = "all items the user has not interacted with" if measure.ranking is Ranking.FULL else "the candidates"
    return f"{measure.label}, among {among}: mean over seeds, 95 % confidence interval over users"


def _cost_cells(summary: ModelSummary) -> list[Cell]:
    records = [trial.record for trial in summary.trials]
    done = [record for record in records if record.status is Status.DONE]
    memory = max((record.process_peak_rss_bytes or 0 for record in records), default=0)
    failed = len(records) - len(done)
    speed = timed_throughput(summary.interactions_per_second, summary.fit_seconds)
    marks = f" {SHARED}" * summary.shared_machine + f" {DOUBTFUL}" * bool(summary.throughput_doubts)
    return [
        _seconds(summary.fit_seconds),
        _seconds(summary.fit_cpu_seconds),
        Cell(f"{speed.mean:,.0f}{marks}", speed.mean) if speed else Cell(NO_FIGURE),
        Cell(NO_FIGURE) if summary.epochs is None else Cell(f"{summary.epochs:,}", summary.epochs),
        _seconds(Spread.of(record.score_seconds for record in done)),
        Cell(f"{memory / MEBIBYTE:,.0f}", memory) if memory else Cell(NO_FIGURE),
        Cell(f"{len(records)}", len(records)),
        Cell(summary.status.value, -failed, f"{failed} of {len(records)} trials" if failed else ""),
    ]


def _cost(model: Named, figure: CostFigure) -> Cell:
    spread = figure.spread(model.summary.group.done)
    return Cell(NO_FIGURE) if spread is None else Cell(figure.text(spread.mean), spread.mean)


def _number(spread: Spread | None, form: str) -> Cell:
    return Cell(NO_FIGURE) if spread is None else Cell(f"{spread.mean:{form}}", spread.mean)


def _seconds(spread: Spread | None) -> Cell:
    return Cell(NO_FIGURE) if spread is None else Cell(seconds_text(spread.mean), spread.mean)


def difference(value: float) -> str:
    """Returns a difference with its sign and four digits, without the leading zero."""
    return signed(value).replace("0.", ".", 1).replace("-", "−")
