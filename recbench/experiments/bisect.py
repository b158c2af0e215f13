"""Search for the commit at which a metric fell: each step is decided by the paired test, with more seeds if needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.evaluation.inference import Difference, infer, seed_mean
from recbench.evaluation.metric import Measure
from recbench.experiments.commit_trials import CommitTrials
from recbench.experiments.run import check_seeds
from recbench.git_history import SHORT, Relation, descent, merge_base
from recbench.git_ranges import Commit, commits_between, commits_up_to, find_commit
from recbench.records.finished_trial import FinishedTrial
from recbench.reports.cells import signed
from recbench.reports.compare.decision import seed_limit
from recbench.reports.compare.policy import Policy
from recbench.reports.spread import Spread

MOST_UNDECIDED: Final = 3
"""Commits that stay undecided with the most seeds: then the others would, too."""


class Side(StrEnum):
    """On which side of the drop a commit is."""

    GOOD = "good"
    BAD = "bad"
    UNDECIDED = "undecided"
    UNTESTABLE = "cannot be trained"


@dataclass(frozen=True, slots=True, kw_only=True)
class BisectRequest:
    """What to search for.

    Attributes:
        good: A commit before the drop.
        bad: A commit after it.
        model: The model as a command line names it.
        measure: The metric.
        trials: How commits are trained.
        seed: The first seed.
        seeds: Seeds at first.
        max_seeds: The most seeds.
        policy: The level of the tests, and what a single seed may vary.
    """

    good: str
    bad: str
    model: str
    measure: Measure
    trials: CommitTrials
    seed: int = 0
    seeds: int = 3
    max_seeds: int = 12
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        check_seeds(range(self.seed, self.seed + self.max_seeds))
        if self.max_seeds < self.seeds:
            raise RecbenchError(
                f"--max-seeds {self.max_seeds} is less than --seeds {self.seeds}.", f"Use --max-seeds {2 * self.seeds}."
            )


@dataclass(frozen=True, slots=True)
class BisectStep:
    """The decision on one commit.

    Attributes:
        commit: The commit.
        side: The decision.
        n_seeds: Seeds that it took.
        mean: The metric over seeds; None if the commit cannot be trained.
        from_good: The difference from the last commit that is known to be good.
        from_bad: The difference from the first commit that is known to be bad.
        problem: Why the commit cannot be trained; empty otherwise.
        n_trials: Trials of all commits until then, also those that were kept.
    """

    commit: Commit
    side: Side
    n_seeds: int
    mean: float | None = None
    from_good: Difference | None = None
    from_bad: Difference | None = None
    problem: str = ""
    n_trials: int = 0


@dataclass(frozen=True, slots=True)
class Bisection:
    """Where the metric fell.

    Attributes:
        good: The last commit that is known to be good.
        bad: The first commit that is known to be bad.
        between: The commits between the two, which are undecided or cannot be trained; empty if the drop is at ``bad``.
        drop: The difference, bad minus good.
        means: The metric at ``good`` and at ``bad``.
        steps: The decisions, in their order.
        n_trained: Trials that ran.
        n_kept: Trials that did not run, because their records were there or are of the same code.
        n_commits: Commits after the given good one, up to the given bad one.
    """

    good: Commit
    bad: Commit
    between: tuple[Commit, ...]
    drop: Difference
    means: tuple[float, float]
    steps: tuple[BisectStep, ...]
    n_trained: int
    n_kept: int
    n_commits: int


Report = Callable[[BisectStep], None]


def bisect(request: BisectRequest, report: Report = lambda _: None) -> Bisection:
    """Searches for the commit at which a metric fell, along the first parents.

    Args:
        request: What to search for.
        report: Is called with each decision.

    Raises:
        RecbenchError: A revision is unknown, GOOD is not an ancestor of BAD, or one of the two cannot be trained.
        NothingToCompareError: BAD is not significantly lower than GOOD, with the most seeds.
    """
    return _Search(request, report).result()


class _Search:
    """A bisection under way."""

    def __init__(self, request: BisectRequest, report: Report) -> None:
        self._request = request
        self._report = report
        self._levels = _Levels(request)
        self._commits = _commits(request)
        self._n_seeds = request.seeds
        self._steps: list[BisectStep] = []

    def result(self) -> Bisection:
        low, high = 0, len(self._commits) - 1
        self._check_drop()
        passed: set[int] = set()
        n_undecided = 0
        while n_undecided < MOST_UNDECIDED and (middle := _next(low, high, passed)) is not None:
            step = self._decide(self._commits[middle], self._commits[low], self._commits[high])
            step = replace(step, n_trials=self._levels.n_trained + self._levels.n_kept)
            self._steps.append(step)
            self._report(step)
            if step.side is Side.GOOD:
                low = middle
            elif step.side is Side.BAD:
                high = middle
            else:
                passed.add(middle)
                n_undecided += step.side is Side.UNDECIDED
        good, bad = self._commits[low], self._commits[high]
        drop = self._levels.difference(bad, good)
        return Bisection(
            good,
            bad,
            tuple(self._commits[low + 1 : high]),
            drop,
            (self._levels.mean(good), self._levels.mean(bad)),
            tuple(self._steps),
            self._levels.n_trained,
            self._levels.n_kept,
            len(self._commits) - 1,
        )

    def _check_drop(self) -> None:
        """Checks that there is a drop between the two ends."""
        good, bad = self._commits[0], self._commits[-1]
        while True:
            for name, commit in (("GOOD", good), ("BAD", bad)):
                if problem := self._levels.train(commit, self._n_seeds, []):
                    raise RecbenchError(
                        f"{name}, {commit.short}, cannot be trained: {problem}",
                        f"Name another commit as {name}; see: git log --first-parent --oneline",
                    )
            if self._levels.is_lower(bad, good):
                return
            if not self._add_seeds():
                drop = self._levels.difference(bad, good)
                interval = f"[{signed(drop.interval.low)}, {signed(drop.interval.high)}]"
                raise NothingToCompareError(
                    f"{self._request.measure.label} of {self._request.model} did not fall significantly from "
                    f"{good.short} to {bad.short}: {signed(drop.difference)} {interval}, with {self._n_seeds} seeds.",
                    "See the figures of all commits: recbench backfill OLD..NEW, and then recbench history. "
                    "More seeds show smaller drops: --max-seeds 30",
                )

    def _decide(self, commit: Commit, good: Commit, bad: Commit) -> BisectStep:
        while True:
            if problem := self._levels.train(commit, self._n_seeds, [good, bad]):
                return BisectStep(commit, Side.UNTESTABLE, self._n_seeds, problem=problem)
            for end in (good, bad):
                if problem := self._levels.train(end, self._n_seeds, []):
                    raise RecbenchError(f"{end.short} cannot be trained: {problem}")
            side = self._side(commit, good, bad)
            if side is not Side.UNDECIDED or not self._add_seeds():
                return BisectStep(
                    commit,
                    side,
                    self._n_seeds,
                    self._levels.mean(commit),
                    self._levels.difference(commit, good),
                    self._levels.difference(commit, bad),
                )

    def _side(self, commit: Commit, good: Commit, bad: Commit) -> Side:
        is_lower, is_higher = self._levels.is_lower(commit, good), self._levels.is_lower(bad, commit)
        if is_lower and is_higher:
            # There are several drops: search for the larger one.
            from_good, from_bad = (abs(self._levels.difference(commit, end).difference) for end in (good, bad))
            return Side.BAD if from_good >= from_bad else Side.GOOD
        if is_lower:
            return Side.BAD
        return Side.GOOD if is_higher else Side.UNDECIDED

    def _add_seeds(self) -> bool:
        """Doubles the seeds, up to the limit; returns whether there are more."""
        before, self._n_seeds = self._n_seeds, min(2 * self._n_seeds, self._request.max_seeds)
        return self._n_seeds > before


def _next(low: int, high: int, passed: set[int]) -> int | None:
    """Returns the commit nearest to the middle that is not yet tried; None if there is none."""
    left = [place for place in range(low + 1, high) if place not in passed]
    return min(left, key=lambda place: abs(2 * place - low - high), default=None)


def _commits(request: BisectRequest) -> list[Commit]:
    good, bad = find_commit(request.good), find_commit(request.bad)
    between = commits_between(good, bad)
    if good == bad or descent(good, bad).relation is not Relation.ANCESTOR:
        common = merge_base(good, bad)
        hint = f"Their merge base is {common[:SHORT]}." if common and common != bad else "Exchange GOOD and BAD."
        raise RecbenchError(
            f"GOOD, {good[:SHORT]}, is {'the same commit as' if good == bad else 'not an ancestor of'} BAD, "
            f"{bad[:SHORT]}.",
            "Name two commits." if good == bad else hint,
        )
    return [commits_up_to(good)[-1], *between]


class _Levels:
    """The trials of the commits that were trained so far."""

    def __init__(self, request: BisectRequest) -> None:
        self._request = request
        self._began = datetime.now(UTC)
        self._trials: dict[str, list[FinishedTrial]] = {}
        self._differences: dict[tuple[object, ...], Difference] = {}
        self.n_trained = 0
        self.n_kept = 0

    def train(self, commit: Commit, n_seeds: int, like: Sequence[Commit]) -> str:
        """Trains what a commit lacks of so many seeds; returns why it cannot be trained, or an empty text."""
        request, present = self._request, self._trials.get(commit.sha, [])
        if len(present) >= n_seeds:
            return ""
        seeds = range(request.seed + len(present), request.seed + n_seeds)
        run = request.trials.train(commit.sha, [request.model], seeds, [neighbour.sha for neighbour in like])
        if run.problems:
            return "; ".join(run.problems.values())
        for trial in run.trials:
            if trial.ranks_in(request.measure.ranking) is None:
                return f"seed {trial.record.seed}, full ranking: {trial.record.catalogue_error or 'it has none'}"
        n_trained = run.n_trained(commit.sha, self._began)
        self.n_trained += n_trained
        self.n_kept += len(run.trials) - n_trained
        self._trials[commit.sha] = [*present, *run.trials]
        return ""

    def mean(self, commit: Commit) -> float:
        """Returns the metric over seeds."""
        return self._spread(commit).mean

    def difference(self, first: Commit, second: Commit) -> Difference:
        """Returns the paired difference, first minus second, over seeds."""
        key = tuple((commit.sha, len(self._trials[commit.sha])) for commit in (first, second))
        if key not in self._differences:
            self._differences[key] = self._difference(first, second)
        return self._differences[key]

    def _difference(self, first: Commit, second: Commit) -> Difference:
        samples = [
            seed_mean(
                [
                    ranks
                    for trial in self._trials[commit.sha]
                    if (ranks := trial.ranks_in(self._request.measure.ranking))
                ],
                self._request.measure,
            )
            for commit in (first, second)
        ]
        (difference,) = infer([], [samples[0] - samples[1]])[1]
        if difference is None:
            raise RecbenchError("All cases belong to one user, so no test is possible.", "Use a task with more users.")
        return difference

    def is_lower(self, first: Commit, second: Commit) -> bool:
        """Whether a commit is significantly lower than another, by its cases and by its seeds."""
        policy, drop = self._request.policy, self.difference(first, second)
        limit = seed_limit(self._spread(first), self._spread(second), policy.seed_z, policy.assumed_seed_sd)
        return drop.p < policy.alpha and drop.interval.high < 0 and -drop.difference > limit

    def _spread(self, commit: Commit) -> Spread:
        spread = Spread.of_all(trial.mean(self._request.measure) for trial in self._trials[commit.sha])
        assert spread is not None
        return spread
