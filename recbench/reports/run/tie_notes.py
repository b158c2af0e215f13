"""Models whose hits depend on ties: equal scores, or scores that differ by no more than rounding."""

from collections.abc import Sequence

from recbench.evaluation.stored_metrics import ties_across_cut
from recbench.reports.run.summary import ModelSummary

TOLD_FROM = 0.01
"""A smaller share of cases is not told."""


def tie_notes(summaries: Sequence[ModelSummary], k: int) -> list[str]:
    """Returns a line for ties and one for near ties; none where no model has enough of them.

    Args:
        summaries: The configurations.
        k: The cut-off that the lines speak of.
    """
    ranks_by_model = [
        [ranks for trial in s.group.done if (ranks := trial.candidate_ranks) is not None] for s in summaries
    ]
    tied = [max((ties_across_cut(ranks, k) for ranks in of_seeds), default=0.0) for of_seeds in ranks_by_model]
    near = [
        max((trial.record.near_ties_across_cut.get(k, 0.0) for trial in summary.group.done), default=0.0)
        for summary in summaries
    ]
    hit, lines = f"whether a case is a hit at {k}", []
    if shares := _shares(summaries, tied):
        lines.append(f"Ties: equal scores decide {hit} in {shares}. Every order of a tie counts alike.")
    if shares := _shares(summaries, near):
        lines.append(f"Near ties: differences of scores as small as rounding decide {hit} in {shares}.")
    return lines


def _shares(summaries: Sequence[ModelSummary], shares: Sequence[float]) -> str:
    return ", ".join(
        f"{share:.1%} of the cases of {summary.name}"
        for summary, share in zip(summaries, shares, strict=True)
        if share >= TOLD_FROM
    )
