"""What single precision costs ease, and how near slim comes to the minimum of its loss.

    pip install scikit-learn
    python benchmarks/linear_models.py ml-100k ncf-ml-1m

Both are measured on the train rows of tasks in the cache. scikit-learn's ElasticNet has the loss of slim, for one item
at a time; it solves for 20 items. It stops after 5,000 iterations, for some items before the minimum.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet

import recbench as rb
from recbench.protocol import TrainSet
from recbench.trials.clock import TimedContext
from recbench_models import ease
from recbench_models.slim import SLIM

L2_OF_EASE = (1.0, 100.0, 474.0, 2000.0)
USERS = 500
ITEMS = 20
LISTED = 20
L1, L2 = 1.0, 200.0
PASSES = (1, 2, 5, 40)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+", help="names of tasks")
    tasks = parser.parse_args().tasks
    trains = {name: rb.load_task(name).train_set() for name in tasks}
    show("task", "items", "l2", "relative error of scores", f"shared of {LISTED} items", "CPU s, double", "single")
    for name, train in trains.items():
        for l2 in L2_OF_EASE:
            show(name, f"{train.n_items:,}", f"{l2:g}", *precision(train, l2))
    print()  # noqa: T201
    warnings.simplefilter("ignore", ConvergenceWarning)
    show("task", "passes of slim", "CPU s", "loss above that of ElasticNet", "of the worst item")
    for name, train in trains.items():
        for row in losses(train):
            show(name, *row)


def show(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)  # noqa: T201


def precision(train: TrainSet, l2: float) -> list[str]:
    """Returns the error of the scores, the overlap of the lists, and the CPU seconds of both precisions."""
    users = np.unique(np.linspace(0, train.n_users - 1, USERS).astype(np.int32))
    scores, seconds = [], []
    for largest in (train.n_items, 0):
        ease.DOUBLE_PRECISION_ITEMS = largest
        begin = time.process_time()
        model = ease.EASE(l2=l2)
        model.fit(train, TimedContext(0, 1))
        seconds.append(f"{time.process_time() - begin:.2f}")
        scores.append(model.score_all(users).astype(np.float64))
    double, single = scores
    error = np.sqrt(((double - single) ** 2).mean() / (double**2).mean())
    lists = [np.argsort(-matrix, axis=1, kind="stable")[:, :LISTED] for matrix in scores]
    shared = np.mean([len(np.intersect1d(items, other)) / LISTED for items, other in zip(*lists, strict=True)])
    return [f"{error:.1e}", f"{shared:.2%}", *seconds]


def losses(train: TrainSet) -> list[tuple[int, str, str, str]]:
    """Returns passes, CPU seconds, and by how much the loss is above that of ElasticNet."""
    rows = np.zeros((train.n_users, train.n_items), order="F")
    rows[train.users, train.items] = 1
    items = np.unique(np.linspace(0, train.n_items - 1, ITEMS).astype(int))
    least = np.array([loss(rows, item, minimum(rows, item)) for item in items])
    results = []
    for passes in PASSES:
        begin = time.process_time()
        model = SLIM(l1=L1, l2=L2, epochs=passes)
        model.fit(train, TimedContext(0, 1))
        seconds = time.process_time() - begin
        weights = model._transposed.T
        reached = np.array([loss(rows, item, weights[:, item].astype(np.float64)) for item in items])
        above = [f"{excess:.1e}" for excess in (reached.sum() / least.sum() - 1, (reached / least - 1).max())]
        results.append((passes, f"{seconds:.2f}", *above))
    return results


def minimum(rows: np.ndarray, item: int) -> np.ndarray:
    """Returns the weights of one item by ElasticNet, whose loss is slim's divided by the number of users."""
    own = rows[:, item].copy()
    rows[:, item] = 0
    solver = ElasticNet(
        alpha=(L1 + L2) / len(rows),
        l1_ratio=L1 / (L1 + L2),
        fit_intercept=False,
        precompute=True,
        tol=1e-6,
        max_iter=5_000,
    )
    weights = solver.fit(rows, own).coef_
    rows[:, item] = own
    return weights


def loss(rows: np.ndarray, item: int, weights: np.ndarray) -> float:
    error = rows[:, item] - rows @ weights
    return float(error @ error / 2 + L2 / 2 * (weights @ weights) + L1 * np.abs(weights).sum())


if __name__ == "__main__":
    main()
