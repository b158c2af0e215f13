"""Neural collaborative filtering: NeuMF, in TensorFlow."""

from dataclasses import replace

import numpy as np

from .checks import float32_range, not_negative, one_of, positive
from .devices import require_bfloat16, training_device
from .learnable_rows import require_pairs
from .learned import finite_bound, suspects
from .mean_rows import per_row
from .neumf_network import NeuMFNetwork, Part
from .neumf_optimizer import NeuMFOptimizer
from .neumf_training import NeuMFLoss, NeuMFTraining, Precision, Settings
from .optimizers import Optimizer, OptimizerName
from .pairs import Pairs
from .tensorflow_alone import tf
from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

FUSED_SHARE = 0.5
"""Of GMF, when the pre-trained parts are put together: the paper's alpha."""

PAIRS_AT_ONCE = 2**15
"""Pairs that ``score_all`` takes through the layers together: 7 * mlp_factors numbers are kept for each."""


class NeuMF:
    """NeuMF, the NCF paper's fusion of GMF and an MLP (He et al., WWW 2017), trained by Adagrad.

    GMF is the inner product of a user vector and an item vector of length ``factors``, plus a bias of the item. The MLP
    has its own user and item vectors of length 4 * mlp_factors. Its layers have 4, 2 and 1 times ``mlp_factors`` units
    with ReLU; a linear layer follows. The score is the sum of GMF and MLP. Every train row is a positive, and has
    ``negatives`` newly drawn items that the user has not interacted with in train.

    Args:
        factors: Length of GMF's vectors (the paper's "predictive factors").
        mlp_factors: Units of the last layer of the MLP. In the paper, as many as ``factors``.
        epochs: Passes over the train rows.
        pretraining_epochs: Passes in which GMF and the MLP are first trained separately, as in the paper.
        learning_rate: Learning rate of the optimiser.
        negatives: Negatives per positive.
        negative_exponent: An item is drawn in proportion to its number of train rows to this power: 0 is uniform, 1 is
            popularity.
        loss: bce: the binary cross-entropy of a positive and its negatives, summed and divided by ``negatives``. Or bpr
            or softmax (``models.losses``). The loss is summed over the positives of a batch.
        optimizer: adam, adagrad or sgd, as in Keras.
        regularization: The L2 of the vectors of each pair is this value, divided by the square root of the mean number
            of train rows (``models.mean_rows``).
        layer_regularization: L2 of the weights of the MLP's layers, per positive. Without it, these weights grow where
            regularisation keeps the vectors small, and the MLP overfits.
        batch_size: Positives in one update.
        init_std: Standard deviation of the initial vectors.
        balance: Each row weighs the number of its user's train rows to the power of -``balance``: 0 weighs all rows
            equally, 1 all users.
        precision: float32, or bfloat16 for the MLP's products of matrices during training, and for what passes between
            its layers. Weights and scores are float32 in either case. On a CPU, bfloat16 needs a processor with
            AVX512-BF16 or AMX.

    Raises:
        ValueError: A value is out of range.
    """

    repeatable_on_threads = True

    def __init__(
        self,
        factors: int = 32,
        mlp_factors: int = 32,
        epochs: int = 20,
        pretraining_epochs: int = 0,
        learning_rate: float = 0.1,
        negatives: int = 4,
        negative_exponent: float = 0.5,
        loss: NeuMFLoss = "bce",
        optimizer: OptimizerName = "adagrad",
        regularization: float = 0.12,
        layer_regularization: float = 0.003,
        batch_size: int = 4096,
        init_std: float = 0.1,
        balance: float = 0.0,
        precision: Precision = "float32",
    ) -> None:
        positive(factors=factors, epochs=epochs, learning_rate=learning_rate, negatives=negatives)
        positive(batch_size=batch_size, init_std=init_std, mlp_factors=mlp_factors)
        float32_range(init_std=init_std)
        not_negative(regularization=regularization, layer_regularization=layer_regularization)
        not_negative(negative_exponent=negative_exponent)
        not_negative(pretraining_epochs=pretraining_epochs, balance=balance)
        one_of(NeuMFLoss, loss=loss)
        one_of(OptimizerName, optimizer=optimizer)
        one_of(Precision, precision=precision)
        self._settings = Settings(
            learning_rate,
            negatives,
            negative_exponent,
            loss,
            optimizer,
            regularization,
            layer_regularization,
            batch_size,
            balance,
            precision,
        )
        self._factors = factors
        self._mlp_factors = mlp_factors
        self._epochs = epochs
        self._pretraining_epochs = pretraining_epochs
        self._init_std = init_std
        self._ready: tuple[NeuMFNetwork, list[NeuMFTraining]] | None = None

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Compiles the epochs, runs them over batches of all sizes that will come, and puts back what they learned."""
        with tf.device(self._device(context)):
            self._ready = self._build(train, context.seed)
            network, trainings = self._ready
            variables = [*network.variables, *trainings[0].optimizer.variables]
            before = [variable.numpy() for variable in variables]
            pairs = Pairs.of(train, self._settings.negative_exponent).one_of_each_size(self._settings.batch_size)
            for training in trainings:
                training.epoch(pairs, *training.decay(train), tf.constant([context.seed, 0]))
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Trains for ``epochs`` passes after the pre-training, or until the context says that it is enough.

        Raises:
            FloatingPointError: The learned weights are not finite, or scores may overflow.
            ValueError: The hyper-parameters leave no train row with a negative, or the processor is not known to have
                the precision.
        """
        settings = self._settings
        require_pairs(train, settings.negative_exponent, settings.balance)
        self._train(train, context)
        names = "learning_rate", "regularization", "layer_regularization"
        too_large = {name: getattr(settings, name) for name in names} | {"init_std": self._init_std}
        finite_bound(self._network.largest_logit(self._part), np.dtype(np.float32), suspects(large=too_large))

    def _device(self, context: TrainContext) -> str:
        device = training_device(context)
        if self._settings.precision == "bfloat16":
            require_bfloat16(device)
        return device

    def _train(self, train: TrainSet, context: TrainContext) -> None:
        with tf.device(self._device(context)):
            self._network, trainings = self._ready or self._build(train, context.seed)
            self._ready = None
            pairs = Pairs.of(train, self._settings.negative_exponent)
            plan = [self._pretraining_epochs] * (len(trainings) - 1) + [self._epochs]
            done = 0
            for number, (training, epochs) in enumerate(zip(trainings, plan, strict=True)):
                if number > 0 and number == len(trainings) - 1:
                    self._network.fuse(FUSED_SHARE)
                self._part = training.part
                decay = training.decay(train)
                for _ in range(epochs):
                    done += 1
                    loss = training.epoch(pairs, *decay, tf.constant([context.seed, done]))
                    context.report(skipped_pairs=done * int(pairs.left_out) * self._settings.negatives)
                    if not context.end_epoch(float(loss)):
                        return

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Returns the logits, float32[n, c]; during training, with what has been learned so far."""
        return self._network.scores[self._part](tf.constant(users), tf.constant(items)).numpy()

    def score_all(self, users: Int32Array) -> FloatArray:
        """Returns the logits of all items, float32[n, n_items]: items' shares of the first layer are computed once."""
        network, part = self._network, self._part
        shares = network.item_shares()
        n_items = len(shares)
        answer = np.empty((len(users), n_items), dtype=np.float32)
        items_at_once = min(n_items, PAIRS_AT_ONCE)
        users_at_once = max(1, PAIRS_AT_ONCE // n_items)
        for row in range(0, len(users), users_at_once):
            some = slice(row, row + users_at_once)
            asked = tf.constant(users[some])
            for start in range(0, n_items, items_at_once):
                stop = min(start + items_at_once, n_items)
                answer[some, start:stop] = network.scores_of_range[part](asked, shares, start, stop).numpy()
        return answer

    def _build(self, train: TrainSet, seed: int) -> tuple[NeuMFNetwork, list[NeuMFTraining]]:
        sizes = train.n_users, train.n_items, self._factors, self._mlp_factors
        network = NeuMFNetwork(*sizes, self._init_std, seed)
        chosen = Optimizer(self._settings.optimizer, self._settings.learning_rate)
        optimizer = NeuMFOptimizer(chosen, network.weights("both"))
        parts: list[Part] = ["gmf", "mlp", "both"] if self._pretraining_epochs else ["both"]
        settings = replace(self._settings, regularization=per_row(self._settings.regularization, train))
        return network, [NeuMFTraining(network, part, optimizer, train, settings) for part in parts]
