"""What a tuning maximises: a metric on validation cases, after the best epoch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from recbench.errors import RecbenchError
from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.ranking import Ranking
from recbench.records.finished_trial import TrialRanks
from recbench.records.schema import ParameterValue, Record
from recbench.tasks.spec import Negatives, PublishedSplit
from recbench.tasks.task import Task
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.curve_measure import CurveMeasure
from recbench.tuning.spaces import Choices, Space

EPOCHS = "epochs"
"""The name of the hyper-parameter that says how long to train, where a model has one."""
POINTS = 50
"""Validation scores in the longest training, about: more would cost more than some models' training."""
FULL_POINTS = 25
"""The same where each score needs the full ranking."""
CURVE_USERS = 2000
"""Users whose full ranking is scored during training; at its end, all are."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric on validation cases.

    Attributes:
        metric: The metric and its cut-off, such as ``ndcg@10``.
        full_ranking: Whether it ranks the whole catalogue, and not the candidates.
    """

    metric: str = "ndcg@10"
    full_ranking: bool = False

    @classmethod
    def parse(cls, text: str) -> "Objective":
        """Reads a metric such as ``ndcg@10``, or ``full-recall@20`` in the full ranking.

        Raises:
            RecbenchError: There is no such metric.
        """
        measure = parse_measure(text)
        return cls(measure.base_name, measure.ranking is Ranking.FULL)

    @property
    def measure(self) -> Measure:
        """The metric at its cut-off, in its ranking."""
        return parse_measure(self.metric).in_ranking(Ranking.FULL if self.full_ranking else Ranking.CANDIDATES)

    @property
    def name(self) -> str:
        """What users type: ``ndcg@10``, ``full-recall@20``."""
        return self.measure.name

    @property
    def label(self) -> str:
        """What tables and plots call it."""
        return self.measure.label

    @property
    def curve_measure(self) -> CurveMeasure:
        """What trials are scored by during their training."""
        return CurveMeasure(self.metric, CURVE_USERS if self.full_ranking else None)

    def of(self, ranks: TrialRanks) -> float | None:
        """Returns its value for the ranks of a trial; None if they lack the full ranking."""
        chosen = ranks.catalogue if self.full_ranking else ranks.candidates
        return None if chosen is None else float(self.measure.values(chosen).mean())

    def check(self, task: Task) -> None:
        """Checks that its cut-off is within the ranking of the task's validation cases.

        Raises:
            RecbenchError: It is not.
        """
        most = task.n_items if self.full_ranking else int(task.validation.n_negatives.max()) + 1
        if self.measure.k is not None and self.measure.k > most:
            full = self.measure.in_ranking(Ranking.FULL).name
            in_full = "" if self.full_ranking else f" For the full ranking: --metric {full}"
            raise RecbenchError(
                f"{self.name}: the cut-off is more than the {most} items that a validation case is ranked among.",
                f"Use a smaller cut-off.{in_full}",
            )

    def caution(self, task: Task) -> str | None:
        """Returns a line if a metric of users says no more than one of cases; None otherwise."""
        other = self.measure.with_one_case()
        users = task.validation.users
        if other is None or len(np.unique(users)) < len(users):
            return None
        return f"Each user of {task.name} has one validation case, so {self.label} equals {other.label}."


NDCG_AT_10: Final = Objective()


def main_objective(task: Task) -> Objective:
    """Returns the objective of a task where none is given.

    That is NDCG@10 among the candidates. Where a published split has several cases a user and no candidates of its own,
    it is compared by metrics of users in the full ranking, and the objective is user NDCG@20 there.
    """
    spec = task.spec
    by_user = isinstance(spec.split, PublishedSplit) and spec.split.validation_share is not None
    return Objective("user-ndcg@20", True) if by_user and isinstance(spec.negatives, Negatives) else NDCG_AT_10


@dataclass(frozen=True, slots=True)
class TrialScore:
    """What a trial reached.

    Attributes:
        score: The objective after the best epoch.
        last_score: The objective at the end.
        epochs: The value of the parameter ``epochs`` that trains until the best epoch; None if there is no such
            parameter.
    """

    score: float
    last_score: float
    epochs: int | None


def score_of(record: Record, last: float, objective: Objective = NDCG_AT_10) -> TrialScore:
    """Returns what a trial that is done reached.

    Passes beyond ``epochs`` are taken for some that came before it, such as a pre-training: they are not part of what
    ``epochs`` counts, and a point among them is not one that another value of ``epochs`` would end at. A model that
    never says that an epoch ended counts as one pass, which says nothing of its ``epochs``.

    In the full ranking, the points of the curve score a sample of the users, and the end all of them. The score of an
    earlier epoch is then the score of the end plus the difference between the two points.

    Args:
        record: The trial's record.
        last: The objective at the end of the training.
        objective: What is maximised.
    """
    asked = record.parameters.get(EPOCHS)
    if isinstance(asked, bool) or not isinstance(asked, int):
        return TrialScore(last, last, None)
    if len(record.curve) <= 1:
        return TrialScore(last, last, asked)
    before = max(record.epochs - asked, 0)
    points = [(point.metrics[objective.metric], point.epoch - before) for point in record.curve if point.epoch > before]
    at_end = record.curve[-1].metrics[objective.metric]
    # Among equals the shortest training.
    best, epochs = max(points, key=lambda point: (point[0], -point[1]), default=(at_end, asked))
    return TrialScore(last + (best - at_end) if objective.full_ranking else best, last, epochs)


def longest(space: Space, defaults: Mapping[str, ParameterValue]) -> int:
    """Returns the most epochs that a trial may have; 1 where a model has no parameter ``epochs``."""
    where = space.get(EPOCHS)
    if where is None:
        values: list[object] = [defaults.get(EPOCHS)]
    else:
        values = list(where.choices) if isinstance(where, Choices) else [int(where.high)]
    return max([value for value in values if isinstance(value, int)], default=1)


def curve_epochs(epochs: int, objective: Objective = NDCG_AT_10) -> CurveEpochs:
    """Returns after which epochs to score: always the same ones, so that trials can be compared after each."""
    return CurveEpochs(every=-(-epochs // (FULL_POINTS if objective.full_ranking else POINTS)))
