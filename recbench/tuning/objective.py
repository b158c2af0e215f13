"""What a tuning maximises: a metric on validation cases, after the best epoch."""

from collections.abc import Mapping
from dataclasses import dataclass

from recbench.evaluation.metric_names import parse_measure
from recbench.records.schema import ParameterValue, Record
from recbench.trials.curve_epochs import CurveEpochs
from recbench.tuning.spaces import Choices, Space

OBJECTIVE = "ndcg@10"
"""The metric and its cut-off; one that a record stores and a learning curve holds."""
K = int(OBJECTIVE.partition("@")[2])
EPOCHS = "epochs"
"""The name of the hyper-parameter that says how long to train, where a model has one."""
POINTS = 50
"""Validation scores in the longest training, about: more would cost more than some models' training."""


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


def score_of(record: Record) -> TrialScore:
    """Returns what a trial that is done reached.

    Passes beyond ``epochs`` are taken for some that came before it, such as a pre-training: they are not part of what
    ``epochs`` counts, and a point among them is not one that another value of ``epochs`` would end at. A model that
    never says that an epoch ended counts as one pass, which says nothing of its ``epochs``.
    """
    last = record.metrics[OBJECTIVE].mean
    asked = record.parameters.get(EPOCHS)
    if isinstance(asked, bool) or not isinstance(asked, int):
        return TrialScore(last, last, None)
    if len(record.curve) == 1:
        return TrialScore(last, last, asked)
    before = max(record.epochs - asked, 0)
    points = [(point.metrics[OBJECTIVE], point.epoch - before) for point in record.curve if point.epoch > before]
    # Among equals the shortest training.
    score, epochs = max(points, key=lambda one: (one[0], -one[1]), default=(last, asked))
    return TrialScore(score, last, epochs)


def objective_label() -> str:
    """Returns what tables and plots call the objective."""
    return parse_measure(OBJECTIVE).label


def longest(space: Space, defaults: Mapping[str, ParameterValue]) -> int:
    """Returns the most epochs that a trial may have; 1 where a model has no parameter ``epochs``."""
    where = space.get(EPOCHS)
    if where is None:
        values: list[object] = [defaults.get(EPOCHS)]
    else:
        values = list(where.choices) if isinstance(where, Choices) else [int(where.high)]
    return max([one for one in values if isinstance(one, int)], default=1)


def curve_epochs(epochs: int) -> CurveEpochs:
    """Returns after which epochs to score: always the same ones, so that trials can be compared after each."""
    return CurveEpochs(every=-(-epochs // POINTS))
