"""Matrix factorisation with the BPR loss, in TensorFlow, a block of users at a time."""

from typing import NamedTuple, Self

import numpy as np
import tensorflow as tf

from models.checks import not_negative, positive
from models.unseen import Unseen, unseen_items, unseen_signature
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet


class BPR:
    """BPR matrix factorisation with item biases, trained by Adagrad (Rendle et al., UAI 2009).

    The score of item i for user u is <p_u, q_i> + b_i. In each epoch every train row (u, i) is paired with freshly
    drawn items j that u has not interacted with in train; the loss is the mean over j of
    -log sigmoid(score_ui - score_uj), plus regularization / 2 times the squared norms of p_u, q_i and q_j. One update
    takes all train rows of a block of users; the blocks come in a new order each epoch.

    Args:
        factors: Length of the vectors p and q.
        epochs: Passes over the train rows.
        learning_rate: Adagrad's.
        regularization: L2, applied to the vectors of each pair.
        negatives: Items j for each train row and epoch.
        block_size: Users in one update.
        init_std: Standard deviation of the initial vectors.

    Raises:
        ValueError: A value is out of range.
    """

    def __init__(
        self,
        factors: int = 64,
        epochs: int = 50,
        learning_rate: float = 0.1,
        regularization: float = 0.01,
        negatives: int = 4,
        block_size: int = 128,
        init_std: float = 0.1,
    ) -> None:
        positive(factors=factors, epochs=epochs, learning_rate=learning_rate, negatives=negatives)
        positive(block_size=block_size, init_std=init_std)
        not_negative(regularization=regularization)
        self._factors = factors
        self._epochs = epochs
        self._learning_rate = learning_rate
        self._regularization = regularization
        self._negatives = negatives
        self._block_size = block_size
        self._init_std = init_std
        self._training: _Training | None = None

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Compiles the epoch and runs it over no rows."""
        self._training = self._build(train)
        nobody = TrainSet.from_rows(train.n_users, train.n_items, train.users[:0].copy(), train.items[:0].copy())
        self._training.epoch(_Rows.of(nobody, self._block_size), tf.constant([context.seed, 0]))

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes, or until the context says that it is enough."""
        training = self._training or self._build(train)
        self._training = None
        training.initialise(context.seed, self._init_std)
        order = np.random.default_rng(context.seed).permutation(train.n_users)
        rows = _Rows.of(_with_users_in(order, train), self._block_size)
        for epoch in range(self._epochs):
            loss = training.epoch(rows, tf.constant([context.seed, epoch + 1]))
            if not context.end_epoch(float(loss)):
                break
        self._users = np.empty((train.n_users, self._factors), dtype=np.float32)
        self._users[order] = training.users.numpy()[: train.n_users, :-1]
        self._items = training.items.numpy()

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns <p_u, q_i> + b_i, float32[n, c]."""
        vectors = self._items[items]
        return np.einsum("nf,ncf->nc", self._users[users], vectors[..., :-1]) + vectors[..., -1]

    def _build(self, train: TrainSet) -> "_Training":
        return _Training(
            train, self._factors, self._learning_rate, self._regularization, self._negatives, self._block_size
        )


class _Rows(NamedTuple):
    """The train rows, block by block.

    Attributes:
        users: int32[rows], place of the row's user in its block.
        items: int32[rows].
        unseen: For drawing negatives.
        bounds: int32[blocks + 1], the rows of each block.
    """

    users: tf.Tensor
    items: tf.Tensor
    unseen: Unseen
    bounds: tf.Tensor

    @classmethod
    def of(cls, train: TrainSet, block_size: int) -> Self:
        users = np.repeat(np.arange(train.n_users, dtype=np.int32), np.diff(train.indptr))
        n_blocks = -(-train.n_users // block_size)
        # A user who has interacted with everything has no negative.
        usable = np.diff(train.indptr)[users] < train.n_items
        bounds = np.searchsorted(users[usable], np.arange(n_blocks + 1) * block_size).astype(np.int32)
        unseen = unseen_items(train.indptr, train.indices, train.n_items)
        if not usable.all():
            unseen = unseen.rows(tf.constant(np.flatnonzero(usable)))
        return cls(
            tf.constant(users[usable] % block_size), tf.constant(train.indices[usable]), unseen, tf.constant(bounds)
        )


def _with_users_in(order: np.ndarray, train: TrainSet) -> TrainSet:
    """Renumbers the users so that ``order`` (int64[n_users]) lists their old numbers."""
    place = np.empty(train.n_users, dtype=np.int32)
    place[order] = np.arange(train.n_users, dtype=np.int32)
    return TrainSet.from_rows(train.n_users, train.n_items, place[train.users], train.items.copy())


class _Training(tf.Module):
    """Variables and the compiled epoch of one training run.

    A block's scores for its items are one matrix product. The scores of the pairs are read from it by flat index, their
    gradients are summed into a matrix of the same shape, and two more products give the gradients of both factor
    matrices. This replaces all gathering and scattering of vectors, at the price of scores that no pair needs.
    """

    def __init__(
        self,
        train: TrainSet,
        factors: int,
        learning_rate: float,
        regularization: float,
        negatives: int,
        block_size: int,
    ) -> None:
        super().__init__()
        n_blocks = -(-train.n_users // block_size)
        # The last column of the items is their bias; that of the users is 1 and stays so.
        self.users = tf.Variable(tf.zeros([n_blocks * block_size, factors + 1]))
        self.items = tf.Variable(tf.zeros([train.n_items, factors + 1]))
        self._user_squares = tf.Variable(tf.zeros_like(self.users))
        self._item_squares = tf.Variable(tf.zeros_like(self.items))
        self._regularized = tf.constant([1.0] * factors + [0.0]) * regularization
        self._trained = tf.constant([1.0] * factors + [0.0])
        self._learning_rate = learning_rate
        self._negatives = negatives
        self._block_size = block_size
        # Below this, the items of a block's pairs are fewer than all: only theirs are multiplied.
        self._all_items = train.n_items <= len(train) // max(n_blocks, 1) * (1 + negatives)
        rows = _Rows(
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            unseen_signature(train.n_users, train.n_items),
            tf.TensorSpec([None], tf.int32),
        )
        self.epoch = tf.function(self._epoch, input_signature=[rows, tf.TensorSpec([2], tf.int32)])

    def initialise(self, seed: int, std: float) -> None:
        """Draws the initial vectors."""
        n_users, width = self.users.shape
        n_items, _ = self.items.shape
        normal = tf.random.stateless_normal
        users = normal([n_users, width - 1], [seed, -1], stddev=std)
        items = normal([n_items, width - 1], [seed, -2], stddev=std)
        self.users.assign(tf.concat([users, tf.ones([n_users, 1])], axis=1))
        self.items.assign(tf.concat([items, tf.zeros([n_items, 1])], axis=1))
        for squares in (self._user_squares, self._item_squares):
            squares.assign(tf.fill(squares.shape, 0.1))

    def _epoch(self, rows: _Rows, seed: tf.Tensor) -> tf.Tensor:
        """Trains on every block once, in an order that follows from ``seed`` (int32[2]).

        Returns:
            The mean loss of the pairs of the last block only: it is for people to watch, and costs time.
        """
        n_blocks = tf.shape(rows.bounds)[0] - 1
        order = tf.random.experimental.stateless_shuffle(tf.range(n_blocks), seed)
        margins = tf.zeros([0])
        for step in tf.range(n_blocks):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(margins, tf.TensorShape([None]))])
            block = order[step]
            inside = slice(rows.bounds[block], rows.bounds[block + 1])
            if rows.bounds[block + 1] > rows.bounds[block]:
                drawn = rows.unseen.rows(inside).draw(seed + tf.stack([0, block * 65536]), self._negatives)
                margins = self._update(block, rows.users[inside], rows.items[inside], drawn)
        return tf.reduce_sum(tf.nn.softplus(-margins)) / tf.cast(tf.maximum(tf.size(margins), 1), tf.float32)

    def _update(self, block: tf.Tensor, users: tf.Tensor, items: tf.Tensor, drawn: tf.Tensor) -> tf.Tensor:
        """One step on a block; returns the margins score_ui - score_uj of its pairs.

        With s = sigmoid(score_uj - score_ui) the gradient of the loss is -s for score_ui and +s for score_uj.

        Args:
            block: Which block.
            users: int32[rows], places in the block.
            items: int32[rows].
            drawn: int32[rows * negatives].
        """
        size, width = self._block_size, self.users.shape[1]
        both = tf.concat([items, drawn], axis=0)
        if self._all_items:
            distinct, columns, n_columns = None, both, self.items.shape[0]
            q = self.items.read_value()
        else:
            distinct, columns = tf.unique(both)
            n_columns = tf.size(distinct)
            q = tf.gather(self.items, distinct)
        p = tf.slice(self.users, [block * size, 0], [size, width])
        of_items = users * n_columns + columns[: tf.size(items)]
        if self._negatives > 1:
            users = tf.repeat(users, self._negatives)
            of_items = tf.repeat(of_items, self._negatives)
        of_drawn = users * n_columns + columns[tf.size(items) :]
        scores = tf.reshape(tf.matmul(p, q, transpose_b=True), [-1])
        margins = tf.gather(scores, of_items) - tf.gather(scores, of_drawn)
        s = tf.sigmoid(-margins) / self._negatives
        cells = tf.concat([of_items, of_drawn], axis=0)
        gradients = tf.math.unsorted_segment_sum(tf.concat([-s, s], axis=0), cells, size * n_columns)
        gradients = tf.reshape(gradients, [size, n_columns])
        pairs_of_user = tf.math.unsorted_segment_sum(tf.ones_like(s), users, size) / self._negatives
        pairs_of_item = tf.math.unsorted_segment_sum(
            tf.concat([tf.ones(tf.shape(items)), tf.fill(tf.shape(drawn), 1 / self._negatives)], axis=0),
            columns,
            n_columns,
        )
        p_gradient = tf.matmul(gradients, q) * self._trained + self._regularized * pairs_of_user[:, None] * p
        q_gradient = tf.matmul(gradients, p, transpose_a=True) + self._regularized * pairs_of_item[:, None] * q
        self._update_users(block, p, p_gradient)
        self._update_items(distinct, q_gradient)
        return margins

    def _update_users(self, block: tf.Tensor, p: tf.Tensor, gradient: tf.Tensor) -> None:
        place = tf.range(block * self._block_size, (block + 1) * self._block_size)
        squares = tf.gather(self._user_squares, place) + gradient * gradient
        self._user_squares.scatter_update(tf.IndexedSlices(squares, place))
        self.users.scatter_update(tf.IndexedSlices(p - self._learning_rate * gradient * tf.math.rsqrt(squares), place))

    def _update_items(self, distinct: tf.Tensor | None, gradient: tf.Tensor) -> None:
        arguments = {
            "var": self.items.handle,
            "accum": self._item_squares.handle,
            "lr": self._learning_rate,
            "epsilon": 1e-7,
            "grad": gradient,
        }
        if distinct is None:
            tf.raw_ops.ResourceApplyAdagradV2(**arguments)
        else:
            tf.raw_ops.ResourceSparseApplyAdagradV2(**arguments, indices=distinct)
