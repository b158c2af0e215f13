"""Trials that were ranked on the same cases: only their figures can be compared."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recbench.evaluation.ranking import Ranking, Ranks
from recbench.records.finished_trial import FinishedTrial
from recbench.records.selection import RecordSet


def on_same_cases(runs: Sequence[RecordSet]) -> tuple[list[RecordSet], list[str]]:
    """Returns the runs of one task, and a line for each trial whose cases differ from those of the first trial.

    Such a trial is kept without ranks. The digest of a task covers its cases, so that this happens only to records that
    were changed or put together by hand.

    Args:
        runs: The runs of one task.
    """
    first: dict[Ranking, Ranks] = {}
    kept, problems = [], []
    for run in runs:
        trials = []
        for trial in run.trials:
            by_ranking = {ranking: ranks for ranking in Ranking if (ranks := trial.ranks_in(ranking)) is not None}
            if all(_same(ranks, first.setdefault(ranking, ranks)) for ranking, ranks in by_ranking.items()):
                trials.append(trial)
                continue
            problems.append(f"{trial.place} has other cases than the first record of its task. Run the trial again.")
            trials.append(FinishedTrial.in_memory(trial.record, None, trial.place))
        kept.append(replace(run, trials=tuple(trials)))
    return kept, problems


def _same(ranks: Ranks, other: Ranks) -> bool:
    return np.array_equal(ranks.users, other.users) and np.array_equal(ranks.n_others, other.n_others)
