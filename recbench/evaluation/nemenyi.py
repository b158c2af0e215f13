"""Nemenyi's test of mean ranks over tasks: the critical difference, and p of each pair of models.

Demšar, Statistical comparisons of classifiers over multiple data sets (JMLR 2006). The test sees one rank of each model
on each task; it knows neither users nor seeds.
"""

import math

import numpy as np

from recbench.evaluation.metric import Float64Array
from recbench.evaluation.paired_tests import ALPHA
from recbench.evaluation.studentized_range import quantile, survival


def critical_difference(n_models: int, n_tasks: int, alpha: float = ALPHA) -> float:
    """Returns q / sqrt(2) * sqrt(k (k + 1) / (6 N)): mean ranks that differ by more are significantly different.

    Args:
        n_models: k, at least 2.
        n_tasks: N.
        alpha: Family-wise level over all pairs.
    """
    return quantile(1 - alpha, n_models) / math.sqrt(2) * _standard_error(n_models, n_tasks)


def nemenyi_p_values(mean_ranks: Float64Array, n_tasks: int) -> Float64Array:
    """Returns float64[models, models], p of each pair, family-wise over all pairs; 1 on the diagonal.

    Args:
        mean_ranks: float64[models], over tasks.
        n_tasks: Tasks.
    """
    k = len(mean_ranks)
    distances = np.abs(mean_ranks[:, None] - mean_ranks[None, :]) / _standard_error(k, n_tasks) * math.sqrt(2)
    p_values = np.ones((k, k))
    for row in range(k):
        for column in range(row):
            p_values[row, column] = p_values[column, row] = survival(float(distances[row, column]), k)
    return p_values


def _standard_error(n_models: int, n_tasks: int) -> float:
    return math.sqrt(n_models * (n_models + 1) / (6 * n_tasks))
