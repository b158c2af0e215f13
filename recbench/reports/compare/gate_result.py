"""What a pipeline and the history need to know of gates, beside their reports."""

from collections.abc import Sequence

from recbench.records.gate_notes import GateNote
from recbench.records.grouping import TrialGroup
from recbench.reports.compare.gate import GateOutcome, GateReport


def result_mark(reports: Sequence[GateReport]) -> str:
    """Returns a hidden line for a pipeline that decides whether to comment, and how.

    It says ``no-baseline`` if nothing speaks against the run but there is no baseline, ``changed`` if a gate does not
    pass or a figure has changed, and else ``unchanged``.
    """
    outcomes = {report.outcome for report in reports}
    if GateOutcome.NO_BASELINE in outcomes and outcomes <= {GateOutcome.NO_BASELINE, GateOutcome.PASSED}:
        return "<!-- recbench:result:no-baseline -->"
    changed = any(report.has_changes for report in reports)
    return f"<!-- recbench:result:{'changed' if changed else 'unchanged'} -->"


def accepted_notes(reports: Sequence[GateReport]) -> list[GateNote]:
    """Returns a note for each model with accepted regressions or a new name; all gates together."""
    notes: dict[tuple[str, str], tuple[TrialGroup, dict[str, str], str | None]] = {}
    for report in reports:
        new_names = {new: old for old, new in report.decided.comparison.renamed.items()}
        for model in report.decided.comparison.models:
            if model.match.current is None:
                continue
            key = (model.task.digest, model.label)
            group, reasons, old = notes.get(key, (model.match.current, {}, None))
            own = {
                regression.metric: regression.allowance.explanation
                for regression in report.accepted
                if regression.model is model
            }
            notes[key] = (group, {**own, **reasons}, old or new_names.get(group.name))
    return [GateNote.of(group, reasons, old) for group, reasons, old in notes.values() if reasons or old]
