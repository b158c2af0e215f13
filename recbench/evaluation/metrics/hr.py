"""HR@k: the share of cases whose positive is among the first k."""

import numpy as np

from recbench.evaluation.metric import Float64Array, Metric
from recbench.evaluation.ranking import Ranks
from recbench.protocol import Int64Array


def hit_rate(ranks: Ranks, k: int) -> Float64Array:
    """HR@k of each case: clip((k - better) / (tied + 1), 0, 1), float64[cases].

    The positive is equally likely at each of the 0-based ranks better .. better + tied; a hit is a rank below k.
    """
    k = ranks.within(k)
    return np.clip((k - ranks.better) / (ranks.tied + 1.0), 0.0, 1.0)


def _gains(ranks: Int64Array, k: int) -> Float64Array:
    return (ranks <= k).astype(np.float64)


METRIC = Metric("hr", "HR", hit_rate, gains=_gains, is_hit=True)
