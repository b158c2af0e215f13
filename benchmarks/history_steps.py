"""How well ``recbench history`` finds steps: simulated repositories with planted drops and the noise of real trials.

    python benchmarks/history_steps.py --repositories 200

Each repository has 200 commits and three drops of HR@10 by .01. The mean and the standard deviation over seeds are
those of a random model of ``results/baselines``. A commit that does not change the model has the same results as the
one before it.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from tabulate import tabulate

from recbench.records.history import Accepted
from recbench.reports.trend import trends
from recbench.reports.trend_steps import Step, trend_steps

COMMITS, DROPS, DROP = 200, 3, 0.01
APART = 20
"""The fewest commits between two drops, and before the first and after the last one."""
NEAR = 5
"""A step counts as found if it is so many commits from a planted drop at most."""
CASES = 943
HEADERS = (
    *("drops", "seeds", "commits that change results", "all drops found", "drops found", "at the right commit"),
    *("no false step", "at most one", "false steps a repository"),
)
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Noise:
    """What a real model's trials look like.

    Attributes:
        mean: HR@10 over seeds.
        sd: Its standard deviation over seeds.
    """

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Score:
    """What was found in one repository.

    Attributes:
        found: Drops that a step is near to.
        exact: Drops that lie between the two commits that a step names.
        false: Steps that are near to no drop.
    """

    found: int
    exact: int
    false: int


def real_noise(folder: Path) -> list[Noise]:
    """Returns the noise of each model with several seeds whose results are not the same for all of them."""
    values: dict[tuple[str, str], list[float]] = {}
    for path in sorted(folder.glob("*/main/*--seed*.json")):
        record = json.loads(path.read_text())
        if record["model"] != "random":
            key = record["task"]["name"], record["model"]
            values.setdefault(key, []).append(record["metrics"]["hr@10"]["mean"])
    return [Noise(fmean(known), stdev(known)) for known in values.values() if len(known) > 1 and stdev(known) > 0]


def simulated(
    rng: np.random.Generator, noise: Noise, n_seeds: int, changing: float, drops: Sequence[int]
) -> Iterator[Accepted]:
    """Yields the lines of a repository.

    Args:
        rng: Random numbers.
        noise: The noise of its model.
        n_seeds: Seeds of each commit.
        changing: Share of commits that change the results of the model.
        drops: The commits at which HR@10 falls.
    """
    level, values = noise.mean, np.empty(0)
    for number in range(COMMITS):
        level -= DROP * (number in drops)
        if number == 0 or number in drops or rng.random() < changing:
            # Hits of whole cases.
            values = np.round((level + rng.normal(0, noise.sd, n_seeds)) * CASES) / CASES
        for seed, value in enumerate(values):
            yield Accepted(
                accepted_at=START + timedelta(hours=number),
                label="",
                task="simulated",
                digest="sha256:0",
                model="model",
                parameters="",
                seed=seed,
                hr=float(value),
                ndcg=float(value) / 2,
                hr_interval=None,
                interactions_per_second=None,
                sha=f"{number:040x}",
                is_run=True,
            )


def drop_commits(rng: np.random.Generator) -> list[int]:
    """Returns random commits for the drops, ``APART`` from each other and from both ends."""
    room = COMMITS - (DROPS + 1) * APART
    return [int(place) + (number + 1) * APART for number, place in enumerate(sorted(rng.integers(0, room, DROPS)))]


def score(steps: Sequence[Step], drops: Sequence[int]) -> Score:
    """Compares the steps with the planted drops; a drop is found once."""
    ranges = [(int(step.before.sha or "", 16), int(step.after.sha or "", 16), step.size) for step in steps]
    free, n_found, exact = list(drops), 0, 0
    for before, after, size in ranges:
        near = [drop for drop in free if size < 0 and before - NEAR < drop <= after + NEAR]
        if near:
            free.remove(near[0])
            n_found += 1
            exact += before < near[0] <= after
    return Score(n_found, exact, len(ranges) - n_found)


def scores(
    n: int, noises: Sequence[Noise], n_seeds: int, changing: float, seed: int = 0, drops: bool = True
) -> list[Score]:
    """Returns the scores of several repositories."""
    rng = np.random.Generator(np.random.PCG64(seed))
    results = []
    for _ in range(n):
        planted = drop_commits(rng) if drops else []
        lines = list(simulated(rng, noises[rng.integers(len(noises))], n_seeds, changing, planted))
        (trend,) = trends(lines, ["hr@10", "ndcg@10"])
        results.append(score(trend_steps(trend, "hr@10"), planted))
    return results


def row(drops: bool, n_seeds: int, changing: float, every: Sequence[Score]) -> list[str]:
    """Returns the cells of one kind of repository."""
    planted = DROPS * len(every) if drops else 0
    counts = [sum(result.found for result in every), sum(result.exact for result in every)]
    shares = [f"{count / planted:.1%}" if planted else "" for count in counts]
    all_found = f"{fmean(result.found == DROPS for result in every):.1%}" if planted else ""
    few = [f"{fmean(result.false <= most for result in every):.1%}" for most in (0, 1)]
    return [
        *(str(DROPS * drops), str(n_seeds), f"{changing:.0%}", all_found, *shares, *few),
        f"{fmean(result.false for result in every):.3f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=200, help="simulated repositories for each row")
    n = parser.parse_args().repositories
    noises = real_noise(Path(__file__).parent.parent / "results" / "baselines")
    rows = [
        row(drops, n_seeds, changing, scores(n, noises, n_seeds, changing, drops=drops))
        for drops in (True, False)
        for n_seeds in (3, 1)
        for changing in (1.0, 0.3, 0.1)
    ]
    deviations = ", ".join(f"{noise.sd:.4f}" for noise in noises)
    print(f"{n} repositories a row; standard deviations over seeds: {deviations}")  # noqa: T201
    print(tabulate(rows, HEADERS, tablefmt="pipe", disable_numparse=True))  # noqa: T201


if __name__ == "__main__":
    main()
