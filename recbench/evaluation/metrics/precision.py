"""Precision@k of users: the share of held-out items among the first k items of a user's list."""

from recbench.evaluation.metric import Float64Array, Metric
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.user_lists import expected_hits, held_out_blocks


def precision(ranks: Ranks, k: int) -> Float64Array:
    """Precision@k of each user: held-out items among the first k / k, float64[users], ties in expectation.

    Divided by k also where a user has fewer held-out items (Järvelin and Kekäläinen, TOIS 2002, for retrieval).
    """
    return expected_hits(held_out_blocks(ranks), k) / k


METRIC = Metric("precision", "Precision", precision, per_user=True)
