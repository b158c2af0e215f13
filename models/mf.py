"""Matrix factorisation with a pointwise logistic loss, in TensorFlow, a block of users at a time."""

from dataclasses import replace

from .bpr import BPR
from .optimizers import OptimizerName


class MF(BPR):
    """Logistic matrix factorisation with biases, trained by Adagrad (Rendle et al., RecSys 2020).

    After "Neural Collaborative Filtering vs. Matrix Factorization Revisited", whose own optimiser is plain SGD.
    The score of item i for user u is <p_u, q_i> + b_i + b_u. In each epoch every train row is an example of the class 1
    with ``negatives`` freshly drawn items that the user has not interacted with in train, examples of the class 0; the
    loss is their logistic loss, summed, plus L2 / 2 times the squared norms of the vectors, see
    ``models.bpr.BPR``, from which it differs in nothing else.

    Args:
        factors: Length of the vectors p and q.
        epochs: Passes over the train rows.
        learning_rate: That of the optimiser.
        regularization: The L2 of the vectors of each train row is this value, divided by the square root of the mean
            number of train rows, see ``models.mean_rows``. Biases have none.
        negatives: Negatives for each train row and epoch.
        negative_exponent: They are drawn in proportion to their number of train rows to this power: 0 uniform, 1
            popularity.
        optimizer: adagrad, adam or sgd.
        batch_size: Train rows in one update, about: a batch takes whole users.
        init_std: Standard deviation of the initial vectors.
        balance: A user's train rows count in proportion to their number to the power of minus this.

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
