"""Recall@k of users: the share of a user's held-out items among the first k."""

from recbench.evaluation.metric import Float64Array, Metric
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.user_lists import expected_hits, held_out_blocks


def recall(ranks: Ranks, k: int) -> Float64Array:
    """Recall@k of each user: held-out items among the first k / held-out items, float64[users], ties in expectation.

    As in Wang et al., NGCF, SIGIR 2019, and He et al., LightGCN, SIGIR 2020: divided by all held-out items, also where
    there are more than k of them.
    """
    blocks = held_out_blocks(ranks)
    return expected_hits(blocks, k) / blocks.n_held_out


METRIC = Metric("recall", "Recall", recall, per_user=True, with_one_case="hr")
