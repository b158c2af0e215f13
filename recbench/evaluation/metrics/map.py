"""MAP@k of users: the mean over users of average precision."""

import numpy as np

from recbench.evaluation.harmonic import harmonic
from recbench.evaluation.metric import Float64Array, Metric
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.user_lists import held_out_blocks


def average_precision(ranks: Ranks, k: int) -> Float64Array:
    """Average precision at k of each user, float64[users], ties in expectation.

    AP@k = 1 / min(m, k) * sum over the places p = 1 .. k that hold a held-out item of (held-out items up to p) / p,
    with m the user's held-out items (McFee et al., "The Million Song Dataset Challenge", WWW 2012). A list that begins
    with min(m, k) held-out items reads 1.

    In a block of T places with q held-out items that begins after place s, with Q held-out items above it, place s + j
    holds one with probability q / T, and then (j - 1) (q - 1) / (T - 1) of the others are expected before it in the
    block. With a = (q - 1) / (T - 1), H the harmonic numbers and e the block's last place among the first k, the block
    adds q / T * ((Q + 1 - a (s + 1)) (H(e) - H(s)) + a (e - s)).
    """
    blocks = held_out_blocks(ranks)
    start, end = blocks.start, blocks.end(k)
    step = (blocks.held_out - 1) / np.maximum(blocks.size - 1, 1)
    reciprocal_sums = harmonic(end) - harmonic(start)
    sums = (blocks.above + 1 - step * (start + 1)) * reciprocal_sums + step * (end - start)
    return blocks.per_user(blocks.held_out / blocks.size * sums) / np.minimum(blocks.n_held_out, k)


METRIC = Metric("map", "MAP", average_precision, per_user=True)
