"""A model's answer as an array that numpy can compare and sum."""

from typing import Any

import numpy as np
import numpy.typing as npt

NUMPY_TORCH_FLOATS = ("torch.float16", "torch.float32", "torch.float64")


class MaskedScoresError(ValueError):
    """Scores are missing: an array masks them."""


def score_array(scores: Any) -> npt.NDArray[Any]:
    """Returns the scores as an array.

    Floating-point types that numpy does not have itself, such as bfloat16 and the types of 8 bits, become float32: it
    holds each of their values. Arrays of JAX and TensorFlow have them by the package ``ml_dtypes``.

    Args:
        scores: What a model returned: an array, or anything that numpy makes one of.

    Raises:
        MaskedScoresError: Scores are masked.
    """
    # np.asarray drops a mask, and the numbers behind it would be ranked.
    rows = scores if isinstance(scores, (list, tuple)) else (scores,)
    n_masked = sum(int(np.ma.getmaskarray(row).sum()) for row in rows if isinstance(row, np.ma.MaskedArray))
    if n_masked:
        raise MaskedScoresError(f"{n_masked:,} masked; each pair needs a finite score")
    # By their names, so that neither package has to be imported. PyTorch refuses to make an array of such a tensor.
    name = str(getattr(scores, "dtype", ""))
    if name.startswith("torch.") and "float" in name and name not in NUMPY_TORCH_FLOATS:
        scores = scores.float()
    array: npt.NDArray[Any] = np.asarray(scores)
    if "float" in array.dtype.name and not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float32)
    return array
