"""How often intervals cover the truth, and how often equal models are called different, by metric: a simulation.

    python benchmarks/inference_coverage.py

Users have 1 to some 20 cases each, and differ in how hard these are. A model's rank of a case in the full ranking
follows from the difficulty of the case and from noise of the model's own, so all models share their difficult cases.
Their ranks have the same distribution: the true difference is 0, and every significant difference is a false alarm. The
true mean of each metric is that of a very large sample of users. Five models are compared pairwise for the family-wise
false alarms after Holm.
"""

import argparse

import numpy as np
from tabulate import tabulate

from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import read_measures
from recbench.evaluation.ranking import Ranking, Ranks
from recbench.evaluation.user_sums import UserSums
from recbench.reports.run.uncertainty import uncertainty

METRICS = ("full-hr@10", "full-ndcg@10", "full-mrr", "full-recall@20", "full-user-ndcg@20")
N_ITEMS = 2000
N_MODELS = 5
RESAMPLES = 1000
"""Of the bootstrap in one simulation; reports take ten times as many."""
USERS_OF_TRUTH = 400_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000, help="simulated comparisons")
    parser.add_argument("--users", type=int, default=300, help="users of a comparison")
    arguments = parser.parse_args()
    measures = read_measures(METRICS, ())
    truth = true_means(measures)
    rng = np.random.default_rng(0)
    counts = np.zeros((len(measures), 4))
    for _ in range(arguments.simulations):
        counts += simulate(rng, arguments.users, measures, truth)
    shares = counts / arguments.simulations
    headers = [
        "metric",
        "truth",
        "covered: mean",
        "covered: difference",
        "false alarms: a pair",
        "any of 10 pairs, Holm",
    ]
    rows = [
        [measure.label, f"{mean:.4f}", *(f"{share:.1%}" for share in of_measure)]
        for measure, mean, of_measure in zip(measures, truth, shares, strict=True)
    ]
    print(tabulate(rows, headers, tablefmt="pipe", disable_numparse=True))  # noqa: T201


def simulate(rng: np.random.Generator, n_users: int, measures: tuple[Measure, ...], truth: list[float]) -> np.ndarray:
    """Returns, for each measure, 1 or 0 for: mean covered, difference covered, false alarm, false alarm of any pair."""
    models = draw_models(rng, n_users, N_MODELS)
    estimates = uncertainty([{Ranking.FULL: {0: ranks}} for ranks in models], measures, RESAMPLES)
    rows = []
    for measure, mean in zip(measures, truth, strict=True):
        interval = estimates.standings[0][measure.name].interval
        assert interval is not None
        pairs = [pair for pair in estimates.pairs if pair.measure == measure]
        first = pairs[0].evidence
        rows.append(
            [
                interval.low <= mean <= interval.high,
                first.interval.low <= 0 <= first.interval.high,
                first.p <= 0.05,
                any(pair.p_adjusted < 0.05 for pair in pairs),
            ]
        )
    return np.array(rows, dtype=np.float64)


def true_means(measures: tuple[Measure, ...]) -> list[float]:
    """Returns the mean of each measure over very many users."""
    (ranks,) = draw_models(np.random.default_rng(1), USERS_OF_TRUTH, 1)
    return [float(UserSums.of(measure.values(ranks)[:, None], measure.users(ranks)).means[0]) for measure in measures]


def draw_models(rng: np.random.Generator, n_users: int, n_models: int) -> list[Ranks]:
    """Draws the ranks of models that are alike in distribution, on the same cases."""
    cases_of = 1 + rng.poisson(rng.gamma(1.0, 4.0, n_users))
    users = np.repeat(np.arange(n_users, dtype=np.int32), cases_of)
    difficulty = (rng.normal(0, 1.0, n_users)[users] + rng.normal(0, 1.0, len(users))) * 1.2 + 4.0
    models = []
    for _ in range(n_models):
        place = np.exp(difficulty + rng.normal(0, 0.8, n_users)[users] + rng.normal(0, 0.5, len(users)))
        better = np.minimum(place, N_ITEMS).astype(np.int32)
        models.append(Ranks(users, np.full(len(users), N_ITEMS, np.int32), better, np.zeros(len(users), np.int32)))
    return models


if __name__ == "__main__":
    main()
