"""AUC: the chance that the positive stands above another item."""

import numpy as np

from recbench.evaluation.metric import Float64Array, Metric
from recbench.evaluation.ranking import Ranks


def auc(ranks: Ranks) -> Float64Array:
    """AUC of each case: (others below + tied / 2) / n_others, float64[cases].

    The chance that the positive stands above a random other item, half of a tie counted (Hanley and McNeil, Radiology
    1982); as in Rendle et al., UAI 2009, except that a tie counts nothing there. A case without others is neither right
    nor wrong: 1/2.
    """
    below = ranks.n_others - ranks.better - ranks.tied
    return np.asarray(np.where(ranks.n_others > 0, (below + ranks.tied / 2) / np.maximum(ranks.n_others, 1), 0.5))


METRIC = Metric("auc", "AUC", lambda ranks, _: auc(ranks), takes_k=False)
