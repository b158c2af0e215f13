"""Why a lower figure was accepted, for the history: what the gate let pass, or what a file declares as intended."""

from collections.abc import Collection, Mapping, Sequence

from recbench.evaluation.metric_names import parse_measure
from recbench.records.gate_notes import GateNote
from recbench.records.grouping import TrialGroup
from recbench.records.history_metrics import HISTORY_METRICS
from recbench.records.target import parse_target

K = 10
"""The cut-off of the history's metrics."""


def reasons_for(
    group: TrialGroup, before: TrialGroup | None, notes: Sequence[GateNote], declared: Mapping[str, str]
) -> dict[str, str]:
    """Returns the reasons for a group that is being accepted, by metric, such as ``hr@10`` or ``throughput``.

    Args:
        group: The group.
        before: The accepted group that it replaces; None if there is none.
        notes: What gates have let pass of this run.
        declared: Reasons by ``MODEL:METRIC``, of which those count whose metric is lower than before.
    """
    names = {group.model, group.name}
    reasons = {}
    for text, reason in declared.items():
        target = parse_target(text)
        for metric in HISTORY_METRICS:
            if target.covers(names, metric, K) and _is_lower(group, before, metric):
                reasons[metric] = reason
    for note in notes:
        if note.is_about(group):
            reasons |= note.accepted
    return reasons


def new_names(notes: Sequence[GateNote], groups: Collection[TrialGroup]) -> dict[str, str]:
    """Returns the new names of models by their old ones, as the gate was told for these groups."""
    return {
        note.renamed_from: note.name
        for note in notes
        if note.renamed_from is not None and any(note.is_about(group) for group in groups)
    }


def _is_lower(group: TrialGroup, before: TrialGroup | None, metric: str) -> bool:
    measure = parse_measure(metric)
    levels = before.mean(measure) if before else None, group.mean(measure)
    return levels[0] is not None and levels[1] is not None and levels[1] < levels[0]
