"""How often the gate cries wolf, and how small a drop it sees: a simulation with the ranks of real trials.

    recbench run --models bpr --seeds 16 -o pool/ml-100k
    python benchmarks/gate_power.py pool/ml-100k pool/ml-100k-loo

Each folder holds one model's trials on one task, of many seeds. A simulated comparison takes some seeds as BASE and as
many others as CURRENT: no change is then the truth. For a true drop, random cases of CURRENT that would have been hits
are made misses for all of its seeds. A cell says how often the gate calls that a regression, how often it calls it
unchanged, and how often a fixed tolerance of 5 % of the baseline, which is usual, reports it.
"""

import argparse

import numpy as np
from tabulate import tabulate

from recbench.evaluation.bootstrap import intervals, resampled_means
from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.paired_tests import sign_flip_p_values
from recbench.evaluation.user_sums import UserSums
from recbench.records.selection import read_records
from recbench.reports.compare.decision import seed_limit, verdict
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.verdict import Verdict
from recbench.reports.spread import Spread

DROPS = (0.0, 0.002, 0.005, 0.01, 0.02)
SEEDS = (1, 3, 5)
TOLERANCE = 0.05
RESAMPLES = 1000
"""Of bootstrap and test in one simulated comparison; the gate itself takes ten times as many."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="folders of records: one model, one task, many seeds")
    parser.add_argument("--comparisons", type=int, default=400, help="simulated comparisons for each cell")
    arguments = parser.parse_args()
    rows = [row for folder in arguments.folders for row in simulate(folder, arguments.comparisons)]
    headers = ["task", "cases", "seeds a side", *(f"drop {drop:g}" if drop else "no change" for drop in DROPS)]
    print(tabulate(rows, headers, tablefmt="pipe", disable_numparse=True))  # noqa: T201


def simulate(folder: str, comparisons: int) -> list[list[str]]:
    """Returns the rows of one task."""
    trials = read_records(folder).trials
    ranks = [trial.candidate_ranks for trial in trials if trial.candidate_ranks is not None]
    hits = np.stack([hit_rate(trial_ranks, 10) for trial_ranks in ranks])
    rows = []
    for seeds in SEEDS:
        if 2 * seeds > len(hits):
            continue
        cells = [f"{len(ranks[0]):,}", str(seeds)]
        for drop in DROPS:
            rng = np.random.default_rng([seeds, round(drop * 1000)])
            found = np.array([compare(hits, ranks[0].users, seeds, drop, rng) for _ in range(comparisons)])
            cells.append(" / ".join(f"{share:.1%}" for share in found.mean(axis=0)))
        rows.append([trials[0].record.task.name, *cells])
    return rows


def compare(
    hits: np.ndarray, users: np.ndarray, seeds: int, drop: float, rng: np.random.Generator
) -> tuple[bool, bool, bool]:
    """Returns whether the gate calls one simulated comparison regressed, or unchanged, and the tolerance regressed."""
    policy = Policy()
    chosen = rng.permutation(len(hits))[: 2 * seeds]
    base, current = hits[chosen[:seeds]], hits[chosen[seeds:]].copy()
    current[:, rng.random(hits.shape[1]) < drop / current.mean()] = 0.0
    difference = (current.mean(axis=0) - base.mean(axis=0))[:, None]
    by_user = UserSums.of(difference, users)
    seed = int(rng.integers(2**31))
    (interval,) = intervals(resampled_means(by_user, RESAMPLES, seed))
    p = float(sign_flip_p_values(by_user, RESAMPLES, seed)[0])
    spreads = [Spread.of(side.mean(axis=1).tolist()) for side in (base, current)]
    assert spreads[0] is not None
    assert spreads[1] is not None
    limit = seed_limit(spreads[0], spreads[1], policy.seed_z, policy.assumed_seed_sd)
    word = verdict(float(by_user.means[0]), interval, limit, p, policy.floor, policy.alpha)
    below = bool(current.mean() < (1 - TOLERANCE) * base.mean())
    return word is Verdict.REGRESSED, word is Verdict.UNCHANGED, below


if __name__ == "__main__":
    main()
