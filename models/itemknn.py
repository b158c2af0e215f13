"""Item-based nearest neighbours, with the similarities of the package ``implicit``."""

from typing import Literal

import numpy as np
from implicit.nearest_neighbours import bm25_weight, normalize, tfidf_weight
from scipy.sparse import csr_matrix

from .checks import not_negative, one_of, positive
from .item_gram import interactions
from .item_weights import ItemWeights
from .nearest_items import nearest, nearest_bytes, neighbours_of
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

Similarity = Literal["cosine", "bm25", "tfidf"]

LARGEST_K1 = 1e100
"""Weights of BM25 do not change from about 1e17 on; near the limit of float64, implicit's formula would overflow."""


class ItemKNN:
    """Item-based nearest neighbours (Sarwar et al., WWW 2001), with the similarities of the package implicit.

    The score of an item is the sum of its similarities to the user's items, over the user's items that are among its
    own nearest neighbours. The model of implicit reverses this relation: it sums over the user's items that have the
    scored item among their nearest neighbours. That favours items which are neighbours of many other items; NDCG@10 was
    lower by 0.01 to 0.03 on the validation cases of MovieLens 100K. recbench searches the neighbours itself, because
    implicit allocates neighbour lists of full length, even where few items have a user in common.

    An item has overlap * n_users * n_items / n_rows neighbours, see ``models.nearest_items``.

    Args:
        overlap: Number of a user's items that are among the nearest neighbours of an item, for an average user and an
            average item. An item is its own nearest neighbour.
        similarity: cosine: the cosine of the items' columns. tfidf: the same, with users weighted by the logarithm of
            their inverse number of items. bm25: the inner product of columns weighted by BM25.
        k1: For ``similarity="bm25"`` only: the saturation of the weight with the number of users of an item.
        b: For ``similarity="bm25"`` only: how strongly the weight is reduced for items with many users, 0 to 1.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(
        self, overlap: float = 4.0, similarity: Similarity = "tfidf", k1: float = 5.0, b: float = 0.75
    ) -> None:
        positive(overlap=overlap)
        one_of(Similarity, similarity=similarity)
        not_negative(k1=k1, b=b)
        if b > 1:
            raise ValueError(f"b must be at most 1, not {b}")
        self._overlap = overlap
        self._similarity = similarity
        self._k1 = k1
        self._b = b

    def memory_bytes(self, train: TrainSet) -> int:
        """Returns the memory for the similarities to the nearest items."""
        return nearest_bytes(train, neighbours_of(self._overlap, train))

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Finds the nearest items of each item."""
        rows = interactions(train)
        # An item has no length if all its users weigh nothing, as those who lack exactly one item do in tfidf.
        with np.errstate(invalid="ignore", divide="ignore"):
            columns = self._weighted(rows.T.tocsr())
        columns.data = np.nan_to_num(columns.data, nan=0.0)
        # Row i holds what is near to i; a score sums over a column.
        neighbours = neighbours_of(self._overlap, train)
        weights = nearest(columns, columns.T.tocsr(), neighbours, context.threads, itself=True)
        self._weights = ItemWeights(rows, weights.T.tocsr())
        context.end_epoch()

    def _weighted(self, columns: csr_matrix) -> csr_matrix:
        """Returns weights of which the similarity of two items is the inner product, float64[n_items, n_users]."""
        if self._similarity == "bm25":
            return bm25_weight(columns, min(self._k1, LARGEST_K1), self._b).tocsr()
        return normalize(tfidf_weight(columns) if self._similarity == "tfidf" else columns).tocsr()

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the sums of similarities, float64[n, c]."""
        return self._weights.score(users, items)

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the sums of similarities of all items, float64[n, n_items]."""
        return self._weights.score_all(users)
