"""One hyper-parameter's values and what came of each: quality, time and memory."""

from dataclasses import dataclass

from recbench.records.schema import ParameterValue
from recbench.reports.document_types import SpreadDocument
from recbench.reports.run.document import run_document
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import ModelSummary
from recbench.reports.run.uncertainty import Standing
from recbench.reports.spread import Spread
from recbench.reports.sweep.document_types import SweepDocument, SweptResultDocument

ADVICE = (
    "These figures are computed on test cases. Do not choose a value from them: the best of many values looks better "
    "on these cases than it is. Use 'recbench tune', which chooses on validation cases."
)


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One value.

    Attributes:
        value: The value.
        summary: Its trials.
        standings: Its metrics' intervals.
        peak_bytes: Peak memory of the trials' processes, where it is known.
    """

    value: ParameterValue
    summary: ModelSummary
    standings: dict[str, Standing]
    peak_bytes: Spread | None


def sweep_points(report: RunReport, parameter: str) -> list[SweepPoint]:
    """Returns a point for each configuration of a run, in its order.

    Args:
        report: A run of one model, whose configurations differ in that parameter alone.
        parameter: Its name.
    """
    return [
        SweepPoint(
            summary.parameters[parameter],
            summary,
            standings,
            Spread.of(trial.record.process_peak_rss_bytes for trial in summary.trials),
        )
        for summary, standings in zip(report.summaries, report.uncertainty.standings, strict=True)
    ]


def sweep_document(report: RunReport, parameter: str) -> SweepDocument:
    """Returns the document of the run, with each result's value and peak memory."""
    document = run_document(report)
    results: list[SweptResultDocument] = []
    for result, point in zip(document["results"], sweep_points(report, parameter), strict=True):
        peak = point.peak_bytes
        peak_document: SpreadDocument | None = None
        if peak is not None:
            peak_document = {"mean": peak.mean, "sd": peak.sd, "values": list(peak.values)}
        results.append({**result, "value": point.value, "process_peak_rss_bytes": peak_document})
    return {**document, "results": results, "model": report.summaries[0].model, "parameter": parameter}
