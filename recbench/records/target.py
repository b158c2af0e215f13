"""``MODEL:METRIC``: how limits and accepted regressions name what they are about."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from recbench.errors import RecbenchError
from recbench.evaluation.metric_names import read_measures

ANY: Final = "*"
THROUGHPUT: Final = "throughput"
LATENCY: Final = "latency"
COSTS: Final = (THROUGHPUT, LATENCY)
"""Names that stand for no measure. Their limits are shares."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model and a metric.

    Attributes:
        model: A model, or the label of a configuration; ``*`` for any.
        metric: A metric such as ``hr`` or ``recall@20``, ``throughput`` or ``latency``; ``*`` for any.
    """

    model: str
    metric: str

    def covers(self, names: Collection[str], metric: str, k: int) -> bool:
        """Whether this is about a metric of a model.

        Args:
            names: The names of the model: its own, and the label of its configuration.
            metric: The name of a measure, such as ``hr@10``, ``throughput`` or ``latency``.
            k: Cut-off of metrics that are given without one.
        """
        return (self.model == ANY or self.model in names) and self.metric_at(k) in (ANY, metric)

    def metric_at(self, k: int) -> str:
        """Returns the name of the measure at a cut-off; ``*``, ``throughput`` and ``latency`` stay."""
        return self.metric if self.metric in (ANY, *COSTS) else read_measures([self.metric], (k,))[0].name

    def __str__(self) -> str:
        return f"{self.model}:{self.metric}"


def parse_target(text: str) -> Target:
    """Reads ``MODEL:METRIC``; the model may hold colons.

    Raises:
        RecbenchError: A part is missing, or the metric is unknown.
    """
    model, _, metric = (part.strip() for part in text.rpartition(":"))
    if not model or not metric:
        raise RecbenchError(
            f"{text!r} is not MODEL:METRIC.", "For example: bpr:hr, bpr:throughput, or '*:ndcg' for all models."
        )
    target = Target(model, metric.lower())
    target.metric_at(1)
    return target
