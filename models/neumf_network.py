"""The weights of NeuMF, and the way from indices to logits."""

from functools import partial
from typing import Literal, get_args

import numpy as np

from .learned import largest_sizes
from .row_sums import rows_of
from .tensorflow_alone import tf
from .tracing import traced

Part = Literal["gmf", "mlp", "both"]


class NeuMFNetwork(tf.Module):
    """GMF and an MLP side by side.

    GMF is the inner product of a user's and an item's vector of length ``factors``, and a bias of the item. (The paper
    weights the product's elements; such weights hold nothing that the vectors cannot, and would grow where
    regularisation keeps the vectors small.) The MLP takes another pair of vectors of length 4 * mlp_factors through
    layers of 4, 2 and 1 times ``mlp_factors`` units with ReLU and a linear one. The logit is the sum of both.

    Args:
        n_users: Number of users.
        n_items: Number of items.
        factors: Length of GMF's vectors.
        mlp_factors: Units of the MLP's last layer.
        init_std: Standard deviation of the initial vectors.
        seed: What the initial weights follow from.

    Attributes:
        scores: For each part, ``logits`` in float32, compiled.
        scores_of_range: For each part, ``logits_of_range`` compiled.
    """

    def __init__(self, n_users: int, n_items: int, factors: int, mlp_factors: int, init_std: float, seed: int) -> None:
        super().__init__()
        self._stream = 0
        self._seed = seed
        width = 4 * mlp_factors
        self.gmf_users = self._normal([n_users, factors], init_std)
        self.gmf_items = self._normal([n_items, factors], init_std)
        self.gmf_bias = tf.Variable(tf.zeros([n_items]))
        self.mlp_users = self._normal([n_users, width], init_std)
        self.mlp_items = self._normal([n_items, width], init_std)
        # The first layer's weights in two parts: its sum has a user's share and an item's share, each computed once
        # for all pairs of a batch that it takes part in.
        he = (2 / (2 * width)) ** 0.5
        self.first_users = self._normal([width, width], he)
        self.first_items = self._normal([width, width], he)
        self.first_bias = tf.Variable(tf.zeros([width]))
        self.layers = []
        for units_in in (width, width // 2):
            units_out = units_in // 2
            weights = self._normal([units_in, units_out], (2 / units_in) ** 0.5)
            self.layers.append((weights, tf.Variable(tf.zeros([units_out]))))
        self.mlp_output = self._normal([mlp_factors], (1 / (2 * mlp_factors)) ** 0.5)
        self.mlp_bias = tf.Variable(tf.zeros([]))
        signature = [tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, None], tf.int32)]
        self.scores = {
            part: traced(partial(self.logits, part, shared=False, dtype=tf.float32), input_signature=signature)
            for part in get_args(Part)
        }
        signature = [tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, width]), *[tf.TensorSpec([], tf.int32)] * 2]
        self.scores_of_range = {
            part: traced(partial(self.logits_of_range, part), input_signature=signature) for part in get_args(Part)
        }

    def _normal(self, shape: list[int], std: float) -> tf.Variable:
        self._stream += 1
        return tf.Variable(tf.random.stateless_normal(shape, [self._seed, -self._stream], stddev=std))

    def weights(self, part: Part) -> list[tf.Variable]:
        """Returns what a part learns."""
        gmf = [self.gmf_users, self.gmf_items, self.gmf_bias]
        mlp = [self.mlp_users, self.mlp_items, self.first_users, self.first_items, self.first_bias]
        mlp += [variable for layer in self.layers for variable in layer]
        mlp += [self.mlp_output, self.mlp_bias]
        return [*(gmf if part != "mlp" else []), *(mlp if part != "gmf" else [])]

    def vectors(self, part: Part) -> tuple[list[tf.Variable], list[tf.Variable]]:
        """Returns a part's tables of users' vectors, and of items'."""
        gmf, mlp = part != "mlp", part != "gmf"
        users = [self.gmf_users] * gmf + [self.mlp_users] * mlp
        return users, [self.gmf_items] * gmf + [self.mlp_items] * mlp

    def layer_weights(self, part: Part) -> list[tf.Variable]:
        """Returns a part's matrices of layers: what every pair goes through."""
        matrices = [self.first_users, self.first_items, *(weights for weights, _ in self.layers), self.mlp_output]
        return [] if part == "gmf" else matrices

    def fuse(self, share: float) -> None:
        """Puts two parts that were trained alone together; the logit is their weighted mean.

        Each part's share goes into its own weights: a factor beside them would have to be trained against, and would
        make the L2 of larger vectors the price of it.

        Args:
            share: Of GMF.
        """
        for vectors in (self.gmf_users, self.gmf_items):
            vectors.assign(share**0.5 * vectors)
        self.gmf_bias.assign(share * self.gmf_bias)
        for variable in (self.mlp_output, self.mlp_bias):
            variable.assign((1 - share) * variable)

    def largest_logit(self, part: Part) -> float:
        """Returns a bound on the size of all logits, from one pass over the weights; NaN where a weight is NaN.

        It takes each layer to the largest size that each of its units may have. Trained weights give a bound of many
        orders of magnitude below the largest float32.
        """
        with np.errstate(invalid="ignore"):
            return (self._largest_of_gmf() if part != "mlp" else 0) + (self._largest_of_mlp() if part != "gmf" else 0)

    def _largest_of_gmf(self) -> float:
        products = largest_sizes(self.gmf_users.numpy()) @ largest_sizes(self.gmf_items.numpy())
        return float(products + _sizes(self.gmf_bias).max(initial=0))

    def _largest_of_mlp(self) -> float:
        of_users = largest_sizes(self.mlp_users.numpy()) @ _sizes(self.first_users)
        of_items = largest_sizes(self.mlp_items.numpy()) @ _sizes(self.first_items)
        units = of_users + of_items + _sizes(self.first_bias)
        for weights, bias in self.layers:
            units = units @ _sizes(weights) + _sizes(bias)
        return float(units @ _sizes(self.mlp_output) + _sizes(self.mlp_bias))

    def logits(self, part: Part, users: tf.Tensor, items: tf.Tensor, *, shared: bool, dtype: tf.DType) -> tf.Tensor:
        """Returns logits float32[n, c].

        Args:
            part: Which part answers.
            users: int32[n].
            items: int32[n, c].
            shared: Whether to compute items' shares of the first layer once for all items: cheaper, if the pairs are
                more than the items.
            dtype: Of the products of matrices and of what passes between the MLP's layers.
        """
        logits = tf.constant(0.0)
        if part != "mlp":
            p, q = tf.gather(self.gmf_users, users), rows_of(self.gmf_items, items)
            logits += tf.reduce_sum(q * p[:, None], 2) + tf.gather(self.gmf_bias, items)
        if part != "gmf":
            distinct, rows = tf.unique(users)
            from_users = tf.cast(tf.gather(self._user_shares(distinct, dtype), rows), dtype)
            if shared:
                from_items = rows_of(self.item_shares(dtype), items)
            else:
                own = tf.cast(tf.gather(self.mlp_items, items), dtype)
                from_items = tf.tensordot(own, tf.cast(self.first_items, dtype), 1)
            logits += self._above_first_layer(from_users, from_items)
        return logits

    def item_shares(self, dtype: tf.DType = tf.float32) -> tf.Tensor:
        """Returns all items' shares of the MLP's first layer, dtype[n_items, 4 * mlp_factors]."""
        return tf.cast(self.mlp_items, dtype) @ tf.cast(self.first_items, dtype)

    def logits_of_range(
        self, part: Part, users: tf.Tensor, item_shares: tf.Tensor, start: tf.Tensor, stop: tf.Tensor
    ) -> tf.Tensor:
        """Returns the logits of consecutive items for each user, float32[n, stop - start].

        Args:
            part: Which part answers.
            users: int32[n].
            item_shares: What ``item_shares`` returned.
            start: int32, the first item.
            stop: int32, the item after the last one.
        """
        logits = tf.constant(0.0)
        if part != "mlp":
            p, q = tf.gather(self.gmf_users, users), self.gmf_items[start:stop]
            logits += tf.matmul(p, q, transpose_b=True) + self.gmf_bias[start:stop]
        if part != "gmf":
            logits += self._above_first_layer(self._user_shares(users, tf.float32), item_shares[start:stop])
        return logits

    def _user_shares(self, users: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
        products = tf.cast(tf.gather(self.mlp_users, users), dtype) @ tf.cast(self.first_users, dtype)
        # float32 also for the gradient, which is summed up over a user's pairs and over users.
        return tf.cast(products, tf.float32) + self.first_bias

    def _above_first_layer(self, user_shares: tf.Tensor, item_shares: tf.Tensor) -> tf.Tensor:
        """Returns float32[n, c] from users' shares dtype[n, width] and items' dtype[n, c, width] or [c, width]."""
        sums = user_shares[:, None] + item_shares
        # One row a pair: products of matrices are faster than the same products of a tensor of rank 3.
        hidden = tf.nn.relu(tf.reshape(sums, [-1, sums.shape[2]]))
        for weights, bias in self.layers:
            hidden = tf.nn.relu(_with_bias(hidden @ tf.cast(weights, hidden.dtype), bias))
        outputs = tf.cast(hidden @ tf.cast(self.mlp_output, hidden.dtype)[:, None], tf.float32)
        return tf.reshape(outputs, tf.shape(sums)[:2]) + self.mlp_bias


def _with_bias(products: tf.Tensor, bias: tf.Variable) -> tf.Tensor:
    """Returns ``products`` dtype[n, units] plus the bias of each unit; its gradient is summed in float32.

    TensorFlow sums in the type of the products. Thousands of addends in bfloat16 come to a sum that none of them moves.
    """
    if products.dtype == tf.float32:
        return tf.nn.bias_add(products, bias)

    @tf.custom_gradient
    def biased(products: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        sums = tf.nn.bias_add(products, tf.cast(bias, products.dtype))
        return sums, lambda upstream: (upstream, tf.reduce_sum(tf.cast(upstream, tf.float32), 0))

    return biased(products, tf.convert_to_tensor(bias))


def _sizes(weights: tf.Variable) -> np.ndarray:
    """Returns the absolute values, float64: products of a few of the largest float32 do not overflow."""
    return np.abs(weights.numpy().astype(np.float64))
