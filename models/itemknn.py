"""Item-based nearest neighbours of the package ``implicit``."""

from typing import Literal

import numpy as np
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender

from .checks import not_negative, one_of, positive
from .item_gram import interactions
from .item_weights import ItemWeights
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

Similarity = Literal["cosine", "bm25", "tfidf"]

BYTES_PER_NEIGHBOUR = 40
"""Memory for each neighbour of each item: implicit sets aside lists of the full length, and copies them as matrices."""


class ItemKNN:
    """Item-based nearest neighbours of the package implicit (Sarwar et al., WWW 2001).

    An item's score is the sum of its similarities to those of its nearest that the user has. implicit's own lists ask
    the other way round, which of the user's items count it among their nearest; that favours items which are near to
    many, and was worse by 0.01 to 0.03 of NDCG@10 on the validation cases of MovieLens 100K.

    How many neighbours are right depends on the data: with few, and short profiles, a user has no item near to most
    candidates, and their scores are all 0. ``overlap`` does not::

        neighbours = overlap * n_users * n_items / n_rows

    Args:
        overlap: How many of a user's items are among the nearest of an item, where both are average; the item itself
            counts among its nearest.
        similarity: cosine of the items' columns; tfidf, the same with users weighted by the logarithm of how few items
            they have; or bm25, the inner product of columns weighted by BM25.
        k1: Of bm25: how much it matters that an item has many users.
        b: Of bm25: how much an item is held down for having more users than others, 0 to 1.

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
        """Returns the memory for the lists of neighbours."""
        return BYTES_PER_NEIGHBOUR * self._neighbours(train) * train.n_items

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Finds the nearest items of each item."""
        rows = interactions(train)
        knn = self._knn(self._neighbours(train), context.threads)
        # An item has no length if all its users weigh nothing: those who lack exactly one item do, in implicit's tfidf.
        with np.errstate(invalid="ignore"):
            knn.fit(rows, show_progress=False)
        similarities = knn.similarity
        similarities.data = np.nan_to_num(similarities.data, nan=0.0)
        # Row i of implicit's matrix holds what is near to i; a score sums over a column.
        self._weights = ItemWeights(rows, similarities.T.tocsr())
        context.end_epoch()

    def _neighbours(self, train: TrainSet) -> int:
        neighbours = round(self._overlap * train.n_users * train.n_items / len(train))
        return min(max(neighbours, 1), train.n_items)

    def _knn(self, neighbours: int, threads: int) -> BM25Recommender | CosineRecommender | TFIDFRecommender:
        if self._similarity == "bm25":
            return BM25Recommender(K=neighbours, K1=self._k1, B=self._b, num_threads=threads)
        kind = CosineRecommender if self._similarity == "cosine" else TFIDFRecommender
        return kind(K=neighbours, num_threads=threads)

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the sums of similarities, float64[n, c]."""
        return self._weights.score(users, items)

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the sums of similarities of all items, float64[n, n_items]."""
        return self._weights.score_all(users)
