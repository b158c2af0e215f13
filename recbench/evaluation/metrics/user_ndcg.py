"""NDCG@k of users: all held-out items of a user in one list, against the best order of that list."""

import numpy as np

from recbench.evaluation.metric import Float64Array, Metric
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.user_lists import held_out_blocks


def user_ndcg(ranks: Ranks, k: int) -> Float64Array:
    """NDCG@k of each user, float64[users]: the expected gain of the first k over the gain of the best order.

    A held-out item at the 0-based place r < k gains 1 / log2(r + 2). The expectation is linear: a block of ``size``
    places with ``held_out`` of them gains held_out / size times the sum of the discounts of its places. The best order
    has min(k, held-out items) of them first (Järvelin and Kekäläinen, TOIS 2002; as in LightGCN, SIGIR 2020).
    """
    blocks = held_out_blocks(ranks)
    reached = min(k, int((blocks.start + blocks.size).max(initial=0)))
    sums = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(reached) + 2.0))])
    discounts = sums[blocks.end(reached).clip(max=reached)] - sums[np.minimum(blocks.start, reached)]
    gain = blocks.per_user(blocks.held_out * discounts / blocks.size)
    return np.asarray(gain / sums[np.minimum(blocks.n_held_out, reached)])


METRIC = Metric("user-ndcg", "User NDCG", user_ndcg, per_user=True, with_one_case="ndcg")
