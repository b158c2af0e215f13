"""Models whose framework left out users, items or scores: their bridge reports it as facts of the trial."""

from collections.abc import Sequence
from typing import Final

from recbench.reports.run.summary import ModelSummary

UNKNOWN: Final = {"unknown_users": "users", "unknown_items": "items"}
"""The facts that count what a framework does not know; they are the same for all models and bridges."""
SCORES: Final = "scores"
"""The fact that says what the scores of a model are, if its framework gives none."""


def bridge_notes(summaries: Sequence[ModelSummary]) -> list[str]:
    """Returns a line for what frameworks do not know, and one for scores that are places in a list."""
    unknown, listed = [], []
    for summary in summaries:
        facts = [trial.record.facts for trial in summary.group.done]
        counts = {
            kind: max((_count(trial_facts.get(fact)) for trial_facts in facts), default=0)
            for fact, kind in UNKNOWN.items()
        }
        if any(counts.values()):
            amounts = " and ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)
            unknown.append(f"{amounts} of {summary.name}")
        listed += [
            f"{summary.name} ({description})"
            for description in {str(trial_facts[SCORES]) for trial_facts in facts if trial_facts.get(SCORES)}
        ]
    lines = []
    if unknown:
        lines.append(f"Not known to the framework, and scored lowest: {', '.join(unknown)}.")
    if listed:
        lines.append(f"The framework gives no scores: {', '.join(listed)}.")
    return lines


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
