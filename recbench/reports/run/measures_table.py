"""Any metrics of a run, among the candidates and in the full ranking, each with its confidence interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.escaping.data_files import json_text
from recbench.evaluation.bootstrap import RESAMPLES
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.reports.column_rendering import render_columns
from recbench.reports.columns import Cut, text_column
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text, render_lines
from recbench.reports.run.model_columns import MODEL, measure_column
from recbench.reports.run.run_report import RunReport, compare_models
from recbench.reports.run.shown_measures import shown_measures, some_ranks
from recbench.reports.run.table import mark_lines
from recbench.reports.run.uncertainty import Standing
from recbench.reports.spread import Spread
from recbench.reports.view import DEFAULT_VIEW

KEYS = ("model", "ranking", "metric", "mean", "sd", "seeds", "low", "high")


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """One model by one measure.

    Attributes:
        model: The name of its summary.
        measure: The metric, its cut-off and its ranking.
        spread: Means over the seeds that are done; None without such ranks.
        standing: Its confidence interval, and whether it is the best; None without such ranks.
    """

    model: str
    measure: Measure
    spread: Spread | None
    standing: Standing | None


def measure_models(report: RunReport, measures: Sequence[Measure]) -> list[MeasuredModel]:
    """Computes measures from the ranks of a run, in each ranking that the run has.

    A cut-off beyond the candidates tells nothing among these, so the measure is computed in the full ranking only.

    Args:
        report: The run.
        measures: Any metrics; of recbench, of other packages, or of one's own.

    Raises:
        RecbenchError: A cut-off is beyond every list, or a metric of one's own returns a wrong shape.
    """
    trials = [trial for summary in report.summaries for trial in summary.trials]
    some = {ranking: some_ranks(trials, ranking) for ranking in Ranking}
    chosen = shown_measures(measures, some[Ranking.CANDIDATES], some[Ranking.FULL])
    for measure in chosen:
        if (ranks := some[measure.ranking]) is not None:
            measure.check_cut_off(ranks)
    standings = compare_models(report.summaries, chosen).standings
    return [
        MeasuredModel(
            summary.name,
            measure,
            Spread.of_all(trial.mean(measure) for trial in summary.group.done),
            of_model.get(measure.name),
        )
        for summary, of_model in zip(report.summaries, standings, strict=True)
        for measure in chosen
    ]


def measures_table(report: RunReport, measures: Sequence[Measure], form: Format) -> str:
    """Renders one line a model, with columns for each measure in each ranking; CSV and JSON have a line a figure.

    Args:
        report: The run.
        measures: See ``measure_models``.
        form: How to render it.

    Raises:
        RecbenchError: See ``measure_models``.
    """
    measured = measure_models(report, measures)
    if form in (Format.CSV, Format.JSON):
        rows = [_figures(measured_model) for measured_model in measured]
        return (
            csv_text(rows, KEYS) if form is Format.CSV else json_text([dict(zip(KEYS, r, strict=True)) for r in rows])
        )
    by_measure: dict[Measure, list[MeasuredModel]] = {}
    for measured_model in measured:
        by_measure.setdefault(measured_model.measure, []).append(measured_model)
    columns = [
        text_column(MODEL, [summary.name for summary in report.summaries], cut=Cut.MIDDLE),
        *(
            measure_column(
                measure,
                number,
                [measured_model.spread for measured_model in of_models],
                [measured_model.standing for measured_model in of_models],
                [False] * len(of_models),
            )
            for number, (measure, of_models) in enumerate(by_measure.items())
        ),
    ]
    table = render_columns(columns, form, DEFAULT_VIEW)
    return "\n".join([table.text, "", *render_lines(_legend(report, measured, measures, form), form)])


def _legend(
    report: RunReport, measured: Sequence[MeasuredModel], measures: Sequence[Measure], form: Format
) -> list[str]:
    of_cases = ", ".join(measure.label for measure in measures if not measure.metric.per_user)
    of_users = ", ".join(measure.label for measure in measures if measure.metric.per_user)
    lines = [f"95 %: confidence interval over users (bootstrap, {RESAMPLES:,} resamples), seeds averaged."]
    lines += mark_lines(
        [measured_model.standing for measured_model in measured if measured_model.standing is not None], form
    )
    lines += [f"Means over cases: {of_cases}."] if of_cases else []
    lines += [f"Means over users, with all held-out items of a user in one list: {of_users}."] if of_users else []
    lines += [report.known.counts.line(None)] if report.known else []
    return lines


def _figures(measured_model: MeasuredModel) -> list[object]:
    spread, interval = measured_model.spread, measured_model.standing.interval if measured_model.standing else None
    return [
        measured_model.model,
        measured_model.measure.ranking.value,
        measured_model.measure.base_name,
        spread.mean if spread else None,
        spread.sd if spread else None,
        len(spread.values) if spread else 0,
        interval.low if interval else None,
        interval.high if interval else None,
    ]
