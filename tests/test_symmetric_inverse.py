"""Inverting a symmetric matrix in place, block by block: against LAPACK, with blocks smaller than the matrix."""

import numpy as np
import pytest

from recbench_models import symmetric_inverse
from recbench_models.symmetric_inverse import invert

BLOCK = 5


@pytest.fixture(autouse=True)
def blocks_given_to_lapack(monkeypatch):
    """Makes blocks small, and returns the sizes of the blocks that LAPACK gets."""
    sizes = []
    inverse_of_block = symmetric_inverse._inverse_of_block

    def noted(block):
        sizes.append(len(block))
        return inverse_of_block(block)

    monkeypatch.setattr(symmetric_inverse, "BLOCK", BLOCK)
    monkeypatch.setattr(symmetric_inverse, "_inverse_of_block", noted)
    return sizes


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("n", [1, 4, 5, 6, 10, 23])
def test_it_is_the_inverse(n, dtype, tolerance, blocks_given_to_lapack):
    """OpenBLAS's factorisation of large matrices crashes, so LAPACK must get nothing larger than a block."""
    rows = np.random.default_rng(n).normal(size=(2 * n, n))
    matrix = (rows.T @ rows + np.eye(n)).astype(dtype)
    expected = np.linalg.inv(matrix.astype(np.float64))
    place = matrix.ctypes.data
    invert(matrix)
    np.testing.assert_allclose(matrix, expected, rtol=0, atol=tolerance)
    assert np.array_equal(matrix, matrix.T)
    assert (matrix.dtype, matrix.ctypes.data) == (dtype, place)
    assert sum(blocks_given_to_lapack) == n
    assert max(blocks_given_to_lapack) <= BLOCK


@pytest.mark.parametrize("place", [0, 7, 11])
def test_a_matrix_that_is_not_positive_definite(place):
    matrix = np.eye(12)
    matrix[place, place] = -1
    with pytest.raises(np.linalg.LinAlgError, match="larger l2"):
        invert(matrix)
