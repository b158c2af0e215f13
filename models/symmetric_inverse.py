"""The inverse of a symmetric positive definite matrix in place, block by block.

LAPACK's functions for it (potrf, potri) end with a segmentation fault in OpenBLAS's threads from about 16,300 rows on.
Here LAPACK inverts small blocks only; matrix products do the rest, in the same number of operations.
"""

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, spotrf, spotri

from recbench.protocol import FloatArray

BLOCK = 1024
"""Rows and columns of a block. Three blocks of it fit into the cache, and products of this size run at full speed."""


def invert(matrix: FloatArray) -> None:
    """Replaces a symmetric positive definite matrix by its inverse, in n^3 operations.

    Sweeps one block of rows and columns after the other (Goodnight, The American Statistician 1979). To sweep block k,
    with D the inverse of the block A_kk, is to replace A_kk by -D, A_ik by A_ik D, and A_ij by A_ij - A_ik D A_kj. The
    matrix stays symmetric, so only the blocks of its lower triangle are updated. After all sweeps it is the negative
    inverse. Takes memory for two columns of blocks beside the matrix.

    Args:
        matrix: float[n, n], row by row in memory.

    Raises:
        LinAlgError: The matrix is not positive definite.
    """
    blocks = [slice(start, start + BLOCK) for start in range(0, len(matrix), BLOCK)]
    for pivot in blocks:
        inverse = _inverse_of_block(matrix[pivot, pivot])
        # Blocks above the diagonal are out of date; their mirror images are not.
        column = np.concatenate([matrix[pivot, : pivot.start].T, matrix[pivot.start :, pivot]])
        product = column @ inverse
        for place, rows in enumerate(blocks):
            for columns in blocks[: place + 1]:
                if pivot not in (rows, columns):
                    matrix[rows, columns] -= product[rows] @ column[columns].T
        matrix[pivot, : pivot.start] = product[: pivot.start].T
        matrix[pivot.start :, pivot] = product[pivot.start :]
        matrix[pivot, pivot] = -inverse
    for place, rows in enumerate(blocks):
        for columns in blocks[:place]:
            matrix[rows, columns] *= -1
            matrix[columns, rows] = matrix[rows, columns].T
        matrix[rows, rows] = _mirrored(-matrix[rows, rows])


def _inverse_of_block(block: FloatArray) -> FloatArray:
    """Returns the inverse of a symmetric positive definite block, of which only the lower triangle is read."""
    potrf, potri = (spotrf, spotri) if block.dtype == np.float32 else (dpotrf, dpotri)
    # LAPACK copies the block, and sees the transposed one: its upper triangle is the lower one here.
    factor, failed = potrf(block.T, lower=0, clean=0)
    if not failed:
        inverse, failed = potri(factor, lower=0, overwrite_c=1)
    if failed:
        raise np.linalg.LinAlgError("the matrix is not positive definite; use a larger l2")
    return _mirrored(inverse.T)


def _mirrored(block: FloatArray) -> FloatArray:
    """Returns the symmetric matrix with the lower triangle of ``block``."""
    mirrored: FloatArray = np.tril(block)
    mirrored += np.tril(block, -1).T
    return mirrored
