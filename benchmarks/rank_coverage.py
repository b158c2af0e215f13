"""How often the intervals of a suite cover the truth, by the number of tasks: a simulation.

    python benchmarks/rank_coverage.py

The true quality of a model on a task is its overall quality plus what is special about the task. The tasks of a suite
are drawn from a population of tasks; the truth is the mean rank, and the mean relative score, over the population.
Users of a task differ in difficulty, which all models share, and in how well each model serves them. Two of the models
have the same overall quality: an interval of their difference that excludes 0 is a false alarm. Nemenyi's test is held
to the same two models.
"""

import argparse

import numpy as np
from tabulate import tabulate

from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.nemenyi import nemenyi_p_values
from recbench.evaluation.rank_bootstrap import over_tasks, ranks_of, relative_to_best
from recbench.evaluation.user_sums import UserSums

QUALITY = np.array([0.50, 0.50, 0.46, 0.40])
EQUAL = (0, 1)
SPECIAL = 0.03
"""Standard deviation over tasks of what is special about a task for a model."""
DIFFICULTY, OWN = 0.25, 0.25
"""Standard deviations over users: shared by all models, and of each model."""
TASKS_OF_TRUTH = 400_000
RESAMPLES = 1000
"""Of the bootstrap in one simulation; reports take ten times as many."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=500, help="simulated suites of each size")
    parser.add_argument("--users", type=int, default=300, help="users of a task")
    parser.add_argument("--tasks", type=int, nargs="+", default=[2, 3, 6, 12, 24], help="tasks of a suite")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    true_scores = draw_qualities(rng, TASKS_OF_TRUTH)
    truth = ranks_of(true_scores).mean(axis=0), relative_to_best(true_scores).mean(axis=0)
    rows = []
    for n_tasks in arguments.tasks:
        means = np.mean([simulate(rng, n_tasks, arguments.users, truth) for _ in range(arguments.simulations)], axis=0)
        rows.append([n_tasks, *(f"{share:.1%}" for share in means[:5]), f"{means[5]:.2f}"])
    headers = [
        "tasks", "covered: mean rank", "of the worst model", "covered: relative score",
        "false alarms: difference of mean ranks", "false alarms: Nemenyi", "width of a mean rank's interval",
    ]  # fmt: skip
    print(tabulate(rows, headers, tablefmt="pipe", disable_numparse=True))  # noqa: T201


def draw_qualities(rng: np.random.Generator, n_tasks: int) -> np.ndarray:
    """True scores float64[tasks, models]."""
    return np.clip(QUALITY + rng.normal(0, SPECIAL, (n_tasks, len(QUALITY))), 0.01, None)


def simulate(
    rng: np.random.Generator, n_tasks: int, n_users: int, truth: tuple[np.ndarray, np.ndarray]
) -> tuple[float, float, float, bool, bool, float]:
    """Returns the shares of covered figures, both false alarms, and the mean width of the intervals of ranks.

    The shares are over the models that are close to each other, for the worst model, and over all models.
    """
    tasks = [draw_task(rng, scores, n_users) for scores in draw_qualities(rng, n_tasks)]
    over = over_tasks(tasks, RESAMPLES, int(rng.integers(2**31)))
    ranks = over.mean_ranks.intervals()
    difference = over.mean_ranks.interval_of_difference(*EQUAL)
    return (
        covered(ranks[:-1], truth[0][:-1]),
        covered(ranks[-1:], truth[0][-1:]),
        covered(over.relative_scores.intervals(), truth[1]),
        not difference.low <= 0 <= difference.high,
        bool(nemenyi_p_values(over.mean_ranks.figures, n_tasks)[EQUAL] < 0.05),
        float(np.mean([interval.high - interval.low for interval in ranks])),
    )


def covered(intervals: list[Interval], truth: np.ndarray) -> float:
    """Returns the share of covered values, with an error of rounding to the two digits that tables show."""
    pairs = zip(intervals, truth, strict=True)
    return float(np.mean([interval.low - 0.005 <= value <= interval.high + 0.005 for interval, value in pairs]))


def draw_task(rng: np.random.Generator, scores: np.ndarray, n_users: int) -> UserSums:
    values = scores + rng.normal(0, DIFFICULTY, (n_users, 1)) + rng.normal(0, OWN, (n_users, len(scores)))
    return UserSums(values, np.ones(n_users))


if __name__ == "__main__":
    main()
