"""Scores a model for a point of its learning curve, by one metric among candidates or in the full ranking."""

from dataclasses import dataclass

import numpy as np

from recbench.data.ordering import stable_order
from recbench.data.random_bits import Purpose, RandomBits
from recbench.evaluation.full_ranking import rank_catalogue
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.ranking import Ranks, rank_cases
from recbench.protocol import Int32Array, Recommender, TrainSet
from recbench.tasks.task import Cases
from recbench.trials.curve_measure import CurveMeasure

RANDOM_BOUND = 2**32


@dataclass(frozen=True, slots=True)
class CurveScoring:
    """Scores the model of one trial.

    Attributes:
        measure: What it is scored by.
        train: The train rows, for the full ranking.
        cases: The cases that count.
    """

    measure: CurveMeasure
    train: TrainSet
    cases: Cases

    @classmethod
    def of(cls, measure: CurveMeasure, train: TrainSet, cases: Cases) -> "CurveScoring":
        """Returns the scoring for all cases of the users that the measure takes."""
        if measure.users is not None:
            chosen = np.isin(cases.users, drawn_users(cases.users, measure.users))
            cases = Cases(cases.users[chosen], cases.items[chosen], cases.negatives[chosen])
        return cls(measure, train, cases)

    def score(self, model: Recommender, candidate_ranks: Ranks | None = None) -> dict[str, float]:
        """Returns the metric's mean by its name.

        Args:
            model: The model.
            candidate_ranks: The ranks of the cases among their candidates, if they are known.
        """
        if self.measure.users is not None:
            ranks = rank_catalogue(model, self.train, self.cases).ranks
        else:
            ranks = rank_cases(model, self.cases) if candidate_ranks is None else candidate_ranks
        return {self.measure.metric: float(parse_measure(self.measure.metric).values(ranks).mean())}


def drawn_users(case_users: Int32Array, most: int) -> Int32Array:
    """Returns at most so many of the users with a case (int32[users], ascending), drawn with a fixed seed."""
    users = np.unique(case_users)
    if len(users) <= most:
        return users
    numbers = RandomBits(0, Purpose.CURVE_USERS).below(RANDOM_BOUND, len(users))
    return np.sort(users[stable_order(numbers)[:most]])
