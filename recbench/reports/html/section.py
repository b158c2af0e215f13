"""One task of the report page: its figures, tables and charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from recbench.counted import counted
from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import parse_measure
from recbench.records.environments import merged
from recbench.records.history import Accepted
from recbench.records.history_metrics import HR
from recbench.records.selection import RecordSet
from recbench.registry.parameter_values import as_text
from recbench.reports.differences import Defaults, changed_parameters
from recbench.reports.html.charts.curves_chart import LearningCurve, curves_figure, mean_curve
from recbench.reports.html.charts.speed_quality_chart import StyledPoint, speed_quality_figure
from recbench.reports.html.charts.svg import Chart, Figure
from recbench.reports.html.charts.trend_chart import trend_chart
from recbench.reports.html.downloads import Download, downloads
from recbench.reports.html.pairs_matrix import Matrix, pairs_matrices
from recbench.reports.html.same_cases import on_same_cases
from recbench.reports.html.section_lines import MOST_SHOWN, facts, failures, findings, notes, number_range
from recbench.reports.html.section_report import section_report
from recbench.reports.html.tables import Named, Table, cohort_tables, costs_in_use, costs_of, quality_tables
from recbench.reports.pages.configurations import configurations
from recbench.reports.pages.how_it_is_made import Repetition, repetition
from recbench.reports.plots.short_labels import short_labels
from recbench.reports.plots.speed_quality import quality_point
from recbench.reports.plots.speed_quality_axes import Cost
from recbench.reports.plots.styles import style
from recbench.reports.run.best_compared import MOST_COMPARED
from recbench.reports.run.run_report import RunReport
from recbench.reports.trend import trends


@dataclass(frozen=True, slots=True)
class ModelPart:
    """What a page says of one configuration besides its figures.

    Attributes:
        named: The configuration.
        facts: Its class, seeds and conditions.
        parameters: Its hyper-parameters: name, value, and whether the value is not the default.
    """

    named: Named
    facts: str
    parameters: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class RepeatPart:
    """How to make the records of one run again.

    Attributes:
        place: The run.
        made: The commands.
    """

    place: str
    made: Repetition


@dataclass(frozen=True, slots=True)
class TrendPart:
    """The history of one model.

    Attributes:
        model: The model.
        latest: Its latest figure.
        description: The chart in words.
        chart: The chart.
    """

    model: str
    latest: str
    description: str
    chart: Chart


@dataclass(frozen=True, slots=True)
class Section:
    """All that a page shows of one task.

    Attributes:
        task: The task's name.
        anchor: Its identifier in the page.
        facts: Its size, its digest and the seeds, in a line.
        findings: The result in a sentence or two.
        tables: The models.
        notes: How to read the tables, and what to know of the figures.
        speed_quality: The chart of quality against cost; None if no model has both.
        matrices: The pairs of models.
        curves: The learning curves; None if there are none.
        cohort_metric: The metric of the cohorts.
        cohorts: The cohorts of cases.
        trends: The history of accepted baselines.
        models: Hyper-parameters.
        repeats: The commands that repeat the runs.
        environment: What the trials ran on.
        downloads: Files.
    """

    task: str
    anchor: str
    facts: str
    findings: tuple[str, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    speed_quality: Figure | None
    matrices: tuple[Matrix, ...]
    curves: Figure | None
    cohort_metric: str
    cohorts: tuple[Table, ...]
    trends: tuple[TrendPart, ...]
    models: tuple[ModelPart, ...]
    repeats: tuple[RepeatPart, ...]
    environment: tuple[tuple[str, str], ...]
    downloads: tuple[Download, ...]


def task_section(
    number: int,
    runs: Sequence[RecordSet],
    asked: Sequence[Measure] | None,
    history: Sequence[Accepted],
    names: Mapping[str, str],
    defaults: Defaults,
) -> Section:
    """Sums up the records of one task.

    Args:
        number: The number of the task in the page, from 1.
        runs: The runs, with the trials of this task only.
        asked: The metrics; None for the default ones.
        history: All accepted baselines.
        names: The name of each class that has one, by its ``class_identity``.
        defaults: The defaults of the models, as far as they are known.
    """
    runs, problems = on_same_cases(runs)
    exact = section_report(runs, asked)
    report = _with_rounded_names(exact)
    anchor = f"task-{number}"
    models = [
        Named(summary, standings, f"{anchor}-model-{place}", style(place))
        for place, (summary, standings) in enumerate(zip(report.summaries, report.uncertainty.standings, strict=True))
        if place < MOST_SHOWN
    ]
    task = report.summaries[0].group.task
    first = report.columns[0]
    return Section(
        task.name,
        anchor,
        facts(report),
        (*findings(report, first), *failures(report)),
        (*quality_tables(report, models), costs_of(models), *costs_in_use(models)),
        (*problems, *notes(report)),
        speed_quality_figure(f"{anchor}-cost", _points(models, first), first.label),
        tuple(pairs_matrices(report, models)),
        _curves(f"{anchor}-curves", models),
        first.label,
        tuple(cohort_tables(models)),
        tuple(_trends(report, models, history)),
        tuple(_model(model, defaults) for model in models),
        tuple(_repeat(run, models, names, defaults) for run in runs),
        tuple(_environment(report)),
        tuple(downloads(exact, task)),
    )


def _with_rounded_names(report: RunReport) -> RunReport:
    """Rounds the hyper-parameters in the names of configurations; the page lists them exactly elsewhere."""
    names = short_labels([summary.name for summary in report.summaries])
    summaries = (replace(summary, name=name) for summary, name in zip(report.summaries, names, strict=True))
    return replace(report, summaries=tuple(summaries))


def _points(models: Sequence[Named], measure: Measure) -> list[StyledPoint]:
    """Returns the points of the configurations that have quality and cost."""
    points = []
    for model in models[:MOST_COMPARED]:
        standing = model.standings.get(measure.name)
        interval = standing.interval if standing else None
        point = quality_point(model.summary, model.summary.name, measure, Cost.FIT_SECONDS, interval)
        if point is not None:
            points.append(StyledPoint(point, model.style))
    return points


def _curves(name: str, models: Sequence[Named]) -> Figure | None:
    """Returns the chart of the learning curves: HR@10, or else the first metric that the curves have."""
    curves_by_model = {
        number: curves
        for number, model in enumerate(models[:MOST_COMPARED])
        if (curves := [trial.record.curve for trial in model.summary.group.done if trial.record.curve])
        # One point is the end, and no curve.
        and max(map(len, curves)) > 1
    }
    names = [metric for curves in curves_by_model.values() for metric in curves[0][0].metrics]
    if not names:
        return None
    metric = HR if HR in names else names[0]
    lines = [
        LearningCurve(models[number].summary.name, models[number].style, points)
        for number, curves in curves_by_model.items()
        if (points := mean_curve(curves, metric))
    ]
    return curves_figure(name, lines, parse_measure(metric).label)


def _trends(report: RunReport, models: Sequence[Named], history: Sequence[Accepted]) -> list[TrendPart]:
    """Returns the history of the models of this task."""
    digest = report.summaries[0].group.task.digest
    trend_parts = []
    of_task = [line for line in history if line.digest == digest]
    for place, trend in enumerate(trends(of_task, [HR])):
        known = next(
            (model.style for model in models if model.summary.model == trend.model), style(len(models) + place)
        )
        chart = trend_chart(trend, HR, known)
        if chart is not None:
            figures = [
                (acceptance, spread.mean) for acceptance in trend.acceptances if (spread := acceptance.figures[HR])
            ]
            latest, value = figures[-1]
            latest_text = f"{value:.4f} on {latest.accepted_at:%Y-%m-%d} ({latest.label})"
            described = ", ".join(f"{mean:.4f}" for _, mean in figures)
            trend_parts.append(
                TrendPart(trend.model, latest_text, f"HR@10 of {trend.model} by acceptance: {described}", chart)
            )
    return trend_parts


def _repeat(run: RecordSet, models: Sequence[Named], names: Mapping[str, str], defaults: Defaults) -> RepeatPart:
    own = {id(trial) for trial in run.trials}
    summaries = [model.summary for model in models if id(model.summary.trials[0]) in own]
    return RepeatPart(run.text, repetition(run.trials, configurations(summaries, defaults), names, run.text))


def _model(named: Named, defaults: Defaults) -> ModelPart:
    summary = named.summary
    record = summary.group.record
    seeds = number_range([trial.record.seed for trial in summary.trials])
    facts = [
        record.reference,
        f"seeds {seeds}",
        counted(record.threads, "thread"),
        f"device {record.device}",
        *([f"code {record.code_version[:19]}"] if record.code_version else []),
    ]
    changed = changed_parameters(summary, defaults)
    parameters = tuple((name, as_text(value), name in changed) for name, value in summary.parameters.items())
    return ModelPart(named, "; ".join(facts), parameters)


def _environment(report: RunReport) -> list[tuple[str, str]]:
    records = [trial.record for summary in report.summaries for trial in summary.trials]
    rows = []
    machines = merged(record.environment for record in records)
    for number, machine in enumerate(machines, start=1):
        suffix = f" {number}" if machines[1:] else ""
        rows += [
            (f"Machine{suffix}", f"{machine.cpu}, {counted(machine.cores, 'core')}, {machine.os}"),
            *([(f"GPU{suffix}", ", ".join(gpu.name for gpu in machine.gpus))] if machine.gpus else []),
            (f"Python{suffix}", machine.python),
            (f"Packages{suffix}", ", ".join(f"{name} {version}" for name, version in machine.packages.items())),
        ]
    revisions = {
        f"{record.revision.sha[:9]}{' with changes' if record.revision.dirty else ''}"
        for record in records
        if record.revision
    }
    started = [record.started_at for record in records]
    return [
        *rows,
        ("Revision", ", ".join(sorted(revisions)) or "unknown"),
        ("recbench", ", ".join(sorted({record.recbench_version for record in records}))),
        ("Protocol version", ", ".join(sorted({str(record.protocol_version) for record in records}))),
        ("Started", f"{min(started):%Y-%m-%d %H:%M} to {max(started):%Y-%m-%d %H:%M} UTC"),
        ("Task digest", report.summaries[0].group.task.digest),
    ]
