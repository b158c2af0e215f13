"""Comparison of many models: pairs grow with the square of the models, so only the best are compared."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from recbench.evaluation.metric import Measure
from recbench.reports.run.run_report import compare_models
from recbench.reports.run.summary import ModelSummary
from recbench.reports.run.uncertainty import Uncertainty

MOST_COMPARED: Final = 40
"""Of more models, only the best are compared with each other."""


def compare_best(summaries: Sequence[ModelSummary], measures: Sequence[Measure]) -> Uncertainty:
    """Compares the first ``MOST_COMPARED`` configurations with each other.

    Args:
        summaries: All configurations, the best first.
        measures: What to compare them by.

    Returns:
        The comparison. Configurations beyond the first have no standings, and a note says so.
    """
    compared = compare_models(summaries[:MOST_COMPARED], measures)
    standings = (*compared.standings, *({} for _ in summaries[MOST_COMPARED:]))
    return replace(compared, standings=standings, notes=(*compared.notes, *_left_out(summaries)))


def _left_out(summaries: Sequence[ModelSummary]) -> list[str]:
    if len(summaries) <= MOST_COMPARED:
        return []
    return [
        f"Only the best {MOST_COMPARED} of {len(summaries):,} configurations are compared with each other, and have "
        "confidence intervals."
    ]
