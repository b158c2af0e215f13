"""Checks of what a model has learned: a trial without finite scores, or with nothing learned, fails and says why."""

from collections.abc import Mapping

import numpy as np

from recbench.protocol import TrainSet


def suspects(
    *, large: Mapping[str, float] | None = None, small: Mapping[str, float] | None = None, **both: float
) -> str:
    """Returns what an error says about hyper-parameters that may be its cause.

    Args:
        large: Names and values of hyper-parameters that do harm only if they are too large.
        small: Likewise, if they are too small.
        both: Likewise, in both cases.
    """
    sides = [(both, "large or too small"), (large, "large"), (small, "small")]
    said = [f"{_listed(values)} may be too {what}" for values, what in sides if values]
    return f"{', or '.join(said)}; use values closer to the defaults"


def _listed(values: Mapping[str, float]) -> str:
    *most, last = (f"{name}={value:g}" for name, value in values.items())
    return f"{', '.join(most)} or {last}" if most else last


def finite(what: str, *arrays: np.ndarray | np.floating, cause: str) -> None:
    """Checks that all numbers are finite, in one pass and without memory for each number.

    Args:
        what: What they are, in the plural.
        arrays: float[...] each.
        cause: What ``suspects`` returned.

    Raises:
        FloatingPointError: A number is not finite.
    """
    for array in arrays:
        # One that is not finite leaves no finite sum. A sum may also overflow.
        with np.errstate(all="ignore"):
            total = array.sum()
        if not (np.isfinite(total) or np.isfinite(array).all()):
            raise FloatingPointError(f"{what} are not finite; {cause}")


def finite_products(users: np.ndarray, items: np.ndarray, cause: str) -> None:
    """Checks that all inner products of two sets of vectors are finite.

    Finite vectors are not enough: their products may overflow. The bound on the products takes one pass over the
    vectors. It is the sum over the columns of the largest size in ``users`` times the largest size in ``items``.

    Args:
        users: float[n_users, factors].
        items: float[n_items, factors], of the same type.
        cause: What ``suspects`` returned.

    Raises:
        FloatingPointError: A vector is not finite, or the bound is above the range of the vectors' type.
    """
    with np.errstate(invalid="ignore"):
        bound = float(largest_sizes(users) @ largest_sizes(items))
    finite_bound(bound, users.dtype, cause)


def finite_bound(bound: float, dtype: np.dtype, cause: str) -> None:
    """Checks a bound on all scores.

    Args:
        bound: The bound; infinite or NaN if what has been learned is not finite.
        dtype: The type of the scores.
        cause: What ``suspects`` returned.

    Raises:
        FloatingPointError: The bound is not finite, or above the range of the type.
    """
    if not np.isfinite(bound):
        raise FloatingPointError(f"the learned vectors are not finite; {cause}")
    if bound > float(np.finfo(dtype).max):
        raise FloatingPointError(f"the learned vectors are so large that scores may overflow; {cause}")


def largest_sizes(vectors: np.ndarray) -> np.ndarray:
    """Returns the largest absolute value of each column, float64[factors] of float[n, factors]; NaN passes on."""
    with np.errstate(invalid="ignore"):
        largest = np.maximum(vectors.max(axis=0, initial=0), -vectors.min(axis=0, initial=0))
    return np.asarray(largest, dtype=np.float64)


def not_all_zero(weights: np.ndarray, train: TrainSet, cause: str) -> None:
    """Checks that weights from item to item have not all vanished below the smallest number of their type.

    Args:
        weights: float[...], those that are stored.
        train: The train rows. Two items have a user in common if a user has two rows; their weight is then not 0.
        cause: What ``suspects`` returned.

    Raises:
        ValueError: All weights are 0, but two items have a user in common.
    """
    if not weights.any() and (np.diff(train.indptr) > 1).any():
        raise no_weights(cause)


def no_weights(cause: str) -> ValueError:
    """Returns the error of a model whose weights from item to item are all 0."""
    return ValueError(f"all weights between items are 0, so all scores are equal; {cause}")
