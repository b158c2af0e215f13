"""The columns of tables with one line a model: what each shows, wide and narrow, and how rows are sorted by it."""

from collections.abc import Iterable, Sequence

from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.ranking import Ranking
from recbench.records.schema import Status
from recbench.reports.cells import NO_FIGURE, NO_RANKS, Strong, with_sd
from recbench.reports.columns import Column, Cut, Look, text_column
from recbench.reports.cost_figures import COST_FIGURES
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.shown_measures import USER_METRICS
from recbench.reports.run.summary import ModelSummary
from recbench.reports.run.time_to_quality import TimeToQuality
from recbench.reports.run.uncertainty import Standing
from recbench.reports.short_figures import short_figure, short_interval, short_rate, short_seconds
from recbench.reports.spread import Spread
from recbench.reports.timing_notes import DOUBTFUL, SHARED, SHORTEST_FIT, timed_throughput, too_short

BELOW = "▽"
"""Marks a model that is significantly below popularity."""
MODEL, SPEED, FIT, EPOCHS, STATUS = "model", "speed", "fit", "epochs", "status"
TO_FINAL, TO_TARGET = "time-to-99", "time-to-reach"
KNOWN, CORRECTED = "known-", "corrected-"

# In a table that is too wide, the first measure gets room before speed, and speed before the interval of the second.
_FIRST, _FIRST_INTERVAL, _SECOND, _STATUS, _SPEED, _FIT, _SECOND_INTERVAL, _FURTHER, _FURTHER_INTERVALS, _REST = (
    1, 2, 3, 4, 5, 6, 7, 10, 100, 200,
)  # fmt: skip


def run_columns(report: RunReport) -> list[Column]:
    """Returns all columns of the table of a run."""
    summaries = report.summaries
    return [
        text_column(MODEL, [summary.name for summary in summaries], cut=Cut.MIDDLE),
        *measure_columns(report, report.columns),
        *known_columns(report),
        *(
            _figure_column(
                f"{CORRECTED}{measure.name}",
                f"corrected {measure.label}",
                [summary.corrected.get(measure.name) for summary in summaries],
            )
            for measure in _corrected(report)
        ),
        speed_column(summaries),
        fit_column(summaries),
        epochs_column(summaries),
        *_quality_columns(report.quality),
        status_column(summaries),
    ]


def run_column_names(measures: Iterable[Measure]) -> list[str]:
    """Returns the names of all columns that the table of some run by these measures has."""
    asked = list(measures)
    of_users = [parse_measure(name).in_ranking(Ranking.FULL) for name in USER_METRICS]
    full = [*(measure.in_ranking(Ranking.FULL) for measure in asked), *of_users]
    derived = [f"{prefix}{measure.name}" for prefix in (KNOWN, CORRECTED) for measure in asked]
    names = [*(measure.name for measure in (*asked, *full)), *derived]
    costs = (figure.name for figure in COST_FIGURES)
    return [MODEL, *dict.fromkeys(names), SPEED, FIT, EPOCHS, TO_FINAL, TO_TARGET, STATUS, *costs]


def measure_columns(report: RunReport, measures: Sequence[Measure], *, marks: bool = True) -> list[Column]:
    """Returns a column for each measure: means with their intervals.

    Args:
        report: The run.
        measures: Measures of the run.
        marks: Whether to mark the best model.
    """
    standings = report.uncertainty.standings
    return [
        measure_column(
            measure,
            number,
            [summary.figure(measure) for summary in report.summaries],
            [standing.get(measure.name) for standing in standings],
            [
                measure.ranking is Ranking.FULL and bool(summary.group.done) and summary.figure(measure) is None
                for summary in report.summaries
            ],
            marks=marks,
        )
        for number, measure in enumerate(measures)
    ]


def measure_column(
    measure: Measure,
    number: int,
    spreads: Sequence[Spread | None],
    standings: Sequence[Standing | None],
    lacking: Sequence[bool],
    *,
    marks: bool = True,
) -> Column:
    """Returns the column of one measure.

    Args:
        measure: The measure.
        number: Which of the table's measures it is, from 0.
        spreads: Its mean for each row.
        standings: Its interval for each row, and whether the model is the best.
        lacking: For each row, whether its records lack the ranks.
        marks: Whether to mark the best model.
    """
    means, intervals, values, both = [], [], [], []
    for spread, standing, lacks in zip(spreads, standings, lacking, strict=True):
        interval = None if standing is None else standing.interval
        marked = standing if marks else None
        short = "" if spread is None else short_figure(spread.mean)
        limits = "" if interval is None else f" {short_interval(interval, _digits(measure))}"
        means.append(NO_RANKS if lacks else _marked(with_sd(spread, 4), marked))
        intervals.append(NO_RANKS if lacks else "" if interval is None else interval_cell(measure, interval))
        values.append(NO_RANKS if lacks else _marked(short, marked))
        both.append(NO_RANKS if lacks else _marked(short + limits, marked))
    rank = (_FIRST, _SECOND)[number] if number < 2 else _FURTHER + number
    wider = (_FIRST_INTERVAL, _SECOND_INTERVAL)[number] if number < 2 else _FURTHER_INTERVALS + number
    return Column(
        measure.name,
        (Look(measure.label, means), Look("95 %", intervals)),
        (Look(measure.label, both, rank=wider), Look(measure.label, values, rank=rank)),
        [None if spread is None else -spread.mean for spread in spreads],
    )


def interval_cell(measure: Measure, interval: Interval) -> str:
    """Returns the cell of a confidence interval."""
    digits = _digits(measure)
    return f"{interval.low:.{digits}f}-{interval.high:.{digits}f}"


def speed_column(summaries: Sequence[ModelSummary]) -> Column:
    """Returns the column of throughput; a dash where the fit was too short to time."""
    speeds = [summary.interactions_per_second for summary in summaries]
    marks = [
        f" {SHARED}" * summary.shared_machine + f" {DOUBTFUL}" * bool(summary.throughput_doubts)
        for summary in summaries
    ]

    def cells(shown: Sequence[str]) -> list[str]:
        return [
            "" if speed is None else NO_FIGURE if too_short(summary.fit_seconds) else text + mark
            for summary, speed, text, mark in zip(summaries, speeds, shown, marks, strict=True)
        ]

    wide = cells(["" if speed is None else f"{speed.mean:,.0f}" for speed in speeds])
    narrow = cells(["" if speed is None else short_rate(speed.mean) for speed in speeds])
    timed = [timed_throughput(summary.interactions_per_second, summary.fit_seconds) for summary in summaries]
    keys = [None if speed is None else -speed.mean for speed in timed]
    return Column(SPEED, (Look("interactions/s", wide),), (Look(SPEED, narrow, rank=_SPEED),), keys)


def fit_column(summaries: Sequence[ModelSummary]) -> Column:
    """Returns the column of training times."""
    seconds = [summary.fit_seconds for summary in summaries]
    return Column(
        FIT,
        (Look("fit s", ["" if spread is None else _seconds(spread.mean) for spread in seconds]),),
        (Look("fit s", ["" if spread is None else short_seconds(spread.mean) for spread in seconds], rank=_FIT),),
        [None if spread is None else spread.mean for spread in seconds],
    )


def epochs_column(summaries: Sequence[ModelSummary]) -> Column:
    """Returns the column of epochs; empty where seeds differ."""
    cells = ["" if summary.epochs is None else str(summary.epochs) for summary in summaries]
    return Column(EPOCHS, (Look(EPOCHS, cells, rank=_REST),), keys=[summary.epochs for summary in summaries])


def status_column(summaries: Sequence[ModelSummary]) -> Column:
    """Returns the column of status, which a terminal shows only if some trial is not done."""
    cells = [summary.status.value for summary in summaries]
    all_done = all(summary.status is Status.DONE for summary in summaries)
    return Column(STATUS, (Look(STATUS, cells, "l", _STATUS),), only_if_asked=all_done)


def known_measures(report: RunReport) -> list[Measure]:
    """Returns the measure that is also shown without cases of items or users without train rows, if there is one."""
    return [report.known.measure] if report.known and report.known.measure else []


def known_columns(report: RunReport) -> list[Column]:
    """Returns the column of that measure; none if there is no such measure."""
    return [
        _figure_column(
            f"{KNOWN}{measure.name}",
            f"known {measure.label}",
            [known.get(measure.name) for known in report.of_known_cases],
        )
        for measure in known_measures(report)
    ]


def _corrected(report: RunReport) -> list[Measure]:
    """Returns the measures whose corrected figures have a column."""
    if not report.has_catalogue:
        return []
    corrected = {name for summary in report.summaries for name in summary.corrected}
    return [measure for measure in report.columns if measure.name in corrected]


def _figure_column(name: str, label: str, spreads: Sequence[Spread | None]) -> Column:
    narrow = ["" if spread is None else short_figure(spread.mean) for spread in spreads]
    return Column(
        name,
        (Look(label, [with_sd(spread, 4) for spread in spreads]),),
        (Look(label, narrow, rank=_REST),),
        [None if spread is None else -spread.mean for spread in spreads],
    )


def _quality_columns(quality: Sequence[TimeToQuality]) -> list[Column]:
    if not quality:
        return []
    metric, target = parse_measure(quality[0].metric).label, quality[0].target
    finals = [time_to_quality.to_final for time_to_quality in quality]
    columns = [
        Column(
            TO_FINAL,
            (
                Look(
                    "s to 99 % of HR", ["" if spread is None else f"{spread.mean:.2f}" for spread in finals], rank=_REST
                ),
            ),
            keys=[None if spread is None else spread.mean for spread in finals],
        )
    ]
    if target is None:
        return columns
    reached = [time_to_quality.to_target for time_to_quality in quality]
    return [
        *columns,
        Column(
            TO_TARGET,
            (
                Look(
                    f"s to {metric} {target:g}",
                    [_target_cell(time_to_quality) for time_to_quality in quality],
                    rank=_REST,
                ),
            ),
            keys=[None if spread is None else spread.mean for spread in reached],
        ),
    ]


def _target_cell(quality: TimeToQuality) -> str:
    if quality.to_target is None:
        return "never" if quality.seeds else ""
    some = "" if quality.reached == quality.seeds else f" ({quality.reached} of {quality.seeds})"
    return f"{quality.to_target.mean:.2f}{some}"


def _marked(text: str, standing: Standing | None) -> str:
    if standing is None or standing.interval is None:
        return text
    if standing.best:
        return Strong(text)
    return f"{BELOW} {text}" if standing.below_reference else f"= {text}" if standing.level_with_best else text


def _digits(measure: Measure) -> int:
    """Returns the digits of an interval: figures of the full ranking are small."""
    return 4 if measure.ranking is Ranking.FULL else 3


def _seconds(value: float) -> str:
    return f"{value:.{2 if value >= SHORTEST_FIT else 4}f}"
