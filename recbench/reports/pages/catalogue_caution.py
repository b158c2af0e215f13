"""What the sampled metrics of a page say about the full ranking, and how large the catalogue is."""

from collections.abc import Sequence

from recbench.evaluation.correction import even_chance_rank
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.records.finished_trial import FinishedTrial
from recbench.reports.run.shown_measures import some_ranks


def catalogue_caution(trials: Sequence[FinishedTrial], measures: Sequence[Measure], uniform: bool | None) -> list[str]:
    """Returns the line under a table of sampled metrics; none if the page has no such metric.

    Args:
        trials: The records, all of one task.
        measures: The metrics of the page.
        uniform: Whether the negatives were drawn uniformly; None if it is not known.
    """
    cut_offs = [measure.k for measure in measures if measure.ranking is Ranking.CANDIDATES and measure.k is not None]
    near, full = some_ranks(trials, Ranking.CANDIDATES), some_ranks(trials, Ranking.FULL)
    if not cut_offs or near is None:
        return []
    k, m = 10 if 10 in cut_offs else cut_offs[0], int(near.n_others.max())
    items = next((trial.record.n_items for trial in trials if trial.record.n_items is not None), None)
    catalogue = f"the {items:,} items of the catalogue" if items is not None else "the items of the catalogue"
    ranked = None if full is None else round(float(full.n_others.mean()) + 1)
    if ranked is not None and ranked <= m + 1:
        all_items = "The candidates of a case are all items that its user has not interacted with"
        return [f"{all_items}: {ranked:,} of {catalogue} on average."]
    sentences = [f"HR@{k} ranks each held-out item among {m:,} of {catalogue}."]
    if uniform is None:
        sentences.append("Whether they were drawn uniformly is not known, so it may not estimate the full ranking.")
    elif not uniform:
        sentences.append("They were not drawn uniformly, so it does not estimate the full ranking.")
    elif ranked is not None and k <= m:
        sentences.append(f"It is roughly comparable to HR@{even_chance_rank(k, ranked, m):,} in the full ranking.")
    if ranked is None:
        sentences.append("For the exact value in the full ranking, run with --full.")
    else:
        sentences.append(
            f"The full ranking of a case has {ranked:,} items on average: those that its user has not interacted with."
        )
    return [" ".join(sentences)]
