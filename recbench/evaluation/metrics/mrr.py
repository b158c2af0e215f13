"""MRR: the mean reciprocal rank."""

import numpy as np

from recbench.evaluation.harmonic import harmonic
from recbench.evaluation.metric import Float64Array, Metric
from recbench.evaluation.ranking import Ranks


def reciprocal_rank(ranks: Ranks) -> Float64Array:
    """Reciprocal rank of each case: the mean of 1 / (r + 1) over r = better .. better + tied, float64[cases].

    The mean over cases is the mean reciprocal rank (Voorhees, TREC-8 1999), with the exact expectation under a random
    order of ties, and without a cut-off.
    """
    return np.asarray((harmonic(ranks.after_ties) - harmonic(ranks.better)) / (ranks.tied + 1.0))


METRIC = Metric("mrr", "MRR", lambda ranks, _: reciprocal_rank(ranks), takes_k=False)
