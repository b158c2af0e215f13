"""Matrix factorisation with a pointwise logistic loss, in TensorFlow, a block of users at a time."""

from dataclasses import replace

from .bpr import BPR
from .optimizers import OptimizerName


class MF(BPR):
    """Logistic matrix factorisation with biases, trained by Adagrad (Rendle et al., RecSys 2020).

    The model is that of "Neural Collaborative Filtering vs. Matrix Factorization Revisited", which trains it by plain
    SGD. The score of item i for user u is <p_u, q_i> + b_i + b_u. In each epoch, every train row is an example of class
    1. ``negatives`` newly drawn items that the user has not interacted with in train are examples of class 0. The loss
    is the sum of the logistic losses, plus L2 / 2 times the squared norms of the vectors. Everything else is as in
    ``models.bpr.BPR``.

    Args:
        factors: Length of the vectors p and q.
        epochs: Passes over the train rows.
        learning_rate: Learning rate of the optimiser.
        regularization: The L2 of the vectors of each train row is this value, divided by the square root of the mean
            number of train rows (``models.mean_rows``). Biases are not regularised.
        negatives: Negatives per train row and epoch.
        negative_exponent: An item is drawn in proportion to its number of train rows to this power: 0 is uniform, 1 is
            popularity.
        optimizer: adagrad, adam or sgd.
        batch_size: Target number of train rows in one update. A batch holds all rows of its users.
        init_std: Standard deviation of the initial vectors.
        balance: Each row weighs the number of its user's train rows to the power of -``balance``: 0 weighs all rows
            equally, 1 all users.

    Raises:
        ValueError: A value is out of range.
    """

    def __init__(
        self,
        factors: int = 69,
        epochs: int = 67,
        learning_rate: float = 0.1,
        regularization: float = 0.45,
        negatives: int = 4,
        negative_exponent: float = 0.369,
        optimizer: OptimizerName = "adagrad",
        batch_size: int = 16384,
        init_std: float = 0.1,
        balance: float = 0.0971,
    ) -> None:
        super().__init__(
            factors=factors,
            epochs=epochs,
            learning_rate=learning_rate,
            regularization=regularization,
            negatives=negatives,
            negative_exponent=negative_exponent,
            loss="bce",
            similarity="inner",
            optimizer=optimizer,
            batch_size=batch_size,
            init_std=init_std,
            balance=balance,
        )
        self._settings = replace(self._settings, user_biases=True)
