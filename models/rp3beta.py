"""RP3beta: random walks of three steps from a user, to an item, a user and an item."""

import numpy as np
from scipy.sparse import diags_array

from .checks import not_negative, positive
from .count_powers import count_powers
from .item_gram import interactions
from .item_weights import ItemWeights
from .learned import not_all_zero, suspects
from .nearest_items import nearest, nearest_bytes, neighbours_of
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class RP3Beta:
    """RP3beta, random walks of three steps (Paudel et al., ACM TIIS 2017).

    The weight from item i to item j is the sum over users u of (p_iu p_uj)^alpha, divided by n_j^beta. Here p_iu is 1
    divided by the number of users of i, p_uj is 1 divided by the number of items of u, and n_j is the number of users
    of j. The score of an item is the sum of the weights from the user's items to it. Of the weights to an item, only
    the overlap * n_users * n_items / n_rows largest are kept (``models.nearest_items``).

    Args:
        overlap: Number of a user's items that have a weight to an item, for an average user and an average item.
        alpha: Exponent of the probabilities. 1 is a random walk; a lower value favours frequent users and items less.
        beta: How strongly the scores of popular items are reduced; 0 is not at all.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(self, overlap: float = 2.5, alpha: float = 0.6, beta: float = 0.4) -> None:
        positive(overlap=overlap)
        not_negative(alpha=alpha, beta=beta)
        self._overlap = overlap
        self._alpha = alpha
        self._beta = beta

    def memory_bytes(self, train: TrainSet) -> int:
        """Returns the memory for the weights."""
        return nearest_bytes(train, neighbours_of(self._overlap, train))

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Computes the weights, a block of items after the other.

        Raises:
            ValueError: All weights are 0, because ``alpha`` or ``beta`` is too large.
        """
        rows = interactions(train)
        users_of_item = np.bincount(train.items, minlength=train.n_items)
        items_of_user = np.diff(train.indptr)
        to_users = diags_array(count_powers(users_of_item, -self._alpha)) @ rows.T.tocsr()
        to_items = diags_array(count_powers(items_of_user, -self._alpha)) @ rows
        target = (to_items @ diags_array(count_powers(users_of_item, -self._beta))).T.tocsr()
        # Row j holds the weights to item j; a score sums over a column.
        neighbours = neighbours_of(self._overlap, train)
        weights = nearest(target, to_users.T.tocsr(), neighbours, context.threads, itself=False)
        not_all_zero(weights.data, train, suspects(large={"alpha": self._alpha, "beta": self._beta}))
        self._weights = ItemWeights(rows, weights.T.tocsr())
        context.end_epoch()

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the sums of weights, float64[n, c]."""
        return self._weights.score(users, items)

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the sums of weights of all items, float64[n, n_items]."""
        return self._weights.score_all(users)
