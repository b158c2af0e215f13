"""What the records of a suite say: ranks, relative scores, wins, and cost, over all tasks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import numpy as np

from recbench.evaluation.bootstrap import RESAMPLES, Interval
from recbench.evaluation.metric import Float64Array, Measure
from recbench.evaluation.nemenyi import critical_difference, nemenyi_p_values
from recbench.evaluation.rank_bootstrap import OverTasks, level, over_tasks
from recbench.records.schema import TaskIdentity
from recbench.records.suite_folder import SuiteRecords
from recbench.reports.plots.pareto import pareto_front
from recbench.reports.suite.task_scores import (
    Entrant,
    Missing,
    TaskScores,
    common_tasks,
    entrants,
    listed_only,
    tasks_of,
)
from recbench.reports.timing_notes import timing_notes


@dataclass(frozen=True, slots=True)
class Standing:
    """One model over all tasks.

    Attributes:
        name: What tables call it.
        model: Its name within its source.
        source: Whose records they are.
        machines: The processors that its trials ran on.
        mean_rank: Mean over tasks of its rank; 1 is the best.
        rank_interval: 95 % interval of the mean rank, over tasks and users.
        relative_score: Mean over tasks of its score divided by the best score of the task.
        score_interval: 95 % interval of the relative score.
        scores: Its score on each task.
        ranks: Its rank on each task.
        fit_seconds: Geometric mean over tasks of its training time; None if a task has no timing.
        on_front: Whether no other model is both better and faster; False without timings.
        best: Whether no mean rank is lower.
        level_with_best: Whether it is another than the best, and the interval of the difference of their mean ranks
            includes 0.
    """

    name: str
    model: str
    source: str
    machines: tuple[str, ...]
    mean_rank: float
    rank_interval: Interval
    relative_score: float
    score_interval: Interval
    scores: tuple[float, ...]
    ranks: tuple[float, ...]
    fit_seconds: float | None
    on_front: bool
    best: bool
    level_with_best: bool


@dataclass(frozen=True, slots=True, eq=False)
class SuiteReport:
    """A suite, summed up.

    Attributes:
        name: The name of the suite.
        measure: The metric.
        tasks: The tasks that every model has, which are those that all figures are over.
        standings: The models, the best mean rank first.
        wins: int[models, models]: on how many tasks the model of the row has a higher score than that of the column.
        critical_difference: Nemenyi's, of mean ranks, at 5 %.
        p_nemenyi: float64[models, models].
        neighbours_decided: How many models have a significantly better mean rank than the next one.
        missing: What is missing on the tasks that are not used.
        unlisted: A line for each source with records of tasks that its list does not have. They are not used.
        settings_notes: Where the hyper-parameters come from; empty if the records were read from folders.
        notes: What a reader of the timings should know.
    """

    name: str
    measure: Measure
    tasks: tuple[TaskIdentity, ...]
    standings: tuple[Standing, ...]
    wins: Float64Array
    critical_difference: float
    p_nemenyi: Float64Array
    neighbours_decided: int
    missing: tuple[Missing, ...]
    unlisted: tuple[str, ...]
    settings_notes: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def headline(self) -> str:
        """The verdict in one or two sentences."""
        best = [standing for standing in self.standings if standing.best]
        level = [standing.name for standing in self.standings if standing.level_with_best]
        first = best[0]
        names = " and ".join(standing.name for standing in best)
        low, high = first.rank_interval.low, first.rank_interval.high
        line = f"Best mean rank: {names}, {first.mean_rank:.2f} (95 % {low:.2f} to {high:.2f})."
        return f"{line} Not significantly different: {', '.join(level)}." if level else line


def suite_report(
    name: str,
    sources: Sequence[SuiteRecords],
    measure: Measure,
    models: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    settings_notes: Sequence[str] = (),
) -> SuiteReport:
    """Sums up the records of a suite.

    Args:
        name: The name of the suite.
        sources: The records.
        measure: The metric.
        models: Only these models; None for all.
        resamples: Of the bootstrap.
        settings_notes: Where the hyper-parameters come from.

    Raises:
        RecbenchError: Sources have different tasks of one name, a model is unknown, or ranks are missing.
        NothingToCompareError: Fewer than two models, or no two tasks that all models have.
    """
    sources, unlisted = listed_only(sources)
    tasks = tasks_of(sources)
    compared = entrants(sources, models)
    common, missing = common_tasks(compared, tasks, measure)
    over = over_tasks([task.by_user for task in common], resamples)
    order = sorted(range(len(compared)), key=lambda number: float(over.mean_ranks.figures[number]))
    mean_ranks = over.mean_ranks.figures[order]
    decided = sum(over.mean_ranks.interval_of_difference(first, second).high < 0 for first, second in pairwise(order))
    scores = level(np.array([task.by_user.means for task in common]))[:, order]
    records = [trial.record for metric in compared for group in metric.groups.values() for trial in group.trials]
    return SuiteReport(
        name,
        measure,
        tuple(task.task for task in common),
        tuple(_standings(compared, common, over, order)),
        (scores[:, :, None] > scores[:, None, :]).sum(axis=0),
        critical_difference(len(compared), len(common)),
        nemenyi_p_values(mean_ranks, len(common)),
        decided,
        tuple(missing),
        tuple(unlisted),
        tuple(settings_notes),
        tuple(timing_notes(records)),
    )


def _standings(
    models: Sequence[Entrant], tasks: Sequence[TaskScores], over: OverTasks, order: Sequence[int]
) -> list[Standing]:
    ranks, relative = over.mean_ranks, over.relative_scores
    rank_intervals, score_intervals = ranks.intervals(), relative.intervals()
    costs = [_fit_seconds(model, tasks) for model in models]
    timed = [number for number, cost in enumerate(costs) if cost is not None]
    points = [(cost, float(relative.figures[number])) for number in timed if (cost := costs[number]) is not None]
    front = {timed[place] for place in pareto_front(points)}
    best = {number for number in order if ranks.figures[number] == ranks.figures[order[0]]}
    level = {
        number for number in order
        if number not in best and ranks.interval_of_difference(order[0], number).high >= 0
    }  # fmt: skip
    return [
        Standing(
            models[number].name,
            models[number].model,
            models[number].source,
            models[number].machines,
            float(ranks.figures[number]),
            rank_intervals[number],
            float(relative.figures[number]),
            score_intervals[number],
            tuple(float(task.by_user.means[number]) for task in tasks),
            tuple(over.ranks[:, number].tolist()),
            costs[number],
            number in front,
            number in best,
            number in level,
        )
        for number in order
    ]


def _fit_seconds(model: Entrant, tasks: Sequence[TaskScores]) -> float | None:
    """Returns the geometric mean over tasks of the training time, seeds averaged; None without a time on every task."""
    seconds = []
    for task in tasks:
        of_seeds = [trial.record.fit_seconds for trial in model.groups[task.task.digest].done]
        known = [value for value in of_seeds if value]
        if len(known) < len(of_seeds):
            return None
        seconds.append(fmean(known))
    return math.exp(fmean(map(math.log, seconds)))
