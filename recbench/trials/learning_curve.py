"""The learning curve: metrics after chosen epochs, taken while the clock stands still."""

from collections.abc import Callable
from dataclasses import dataclass, field

from recbench.errors import describe_error
from recbench.evaluation.ranking import rank_cases
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.protocol import Recommender
from recbench.records.schema import CurvePoint
from recbench.tasks.task import Cases
from recbench.trials.curve_epochs import CurveEpochs


@dataclass(slots=True)
class Curve:
    """The curve of one trial.

    Attributes:
        model: The model in training.
        cases: What it is scored on. Nothing is chosen by the result.
        ks: Cut-offs.
        epochs: When.
        told: Is told of each point while the model trains.
        points: The curve so far.
        error: Why there is no more of it: a model may be unable to score before its training is over.
    """

    model: Recommender
    cases: Cases
    ks: tuple[int, ...]
    epochs: CurveEpochs
    told: Callable[[CurvePoint], None]
    points: list[CurvePoint] = field(default_factory=list)
    error: str | None = None

    def epoch(self, epoch: int, seconds: float) -> None:
        """Scores the model, if this epoch was chosen.

        Args:
            epoch: Epochs trained.
            seconds: What the clock shows.
        """
        if epoch not in self.epochs or self.error is not None:
            return
        try:
            ranks = rank_cases(self.model, self.cases)
        except Exception as error:  # noqa: BLE001 - the curve is lost, the trial is not
            self.error = f"after epoch {epoch}: {describe_error(error)}"
            return
        metrics = compute_metrics(ranks, self.ks)
        self.add(epoch, seconds, {name: metric.mean for name, metric in metrics.items()})
        self.told(self.points[-1])

    def add(self, epoch: int, seconds: float, metrics: dict[str, float]) -> None:
        """Adds a point, in place of one for the same epoch."""
        if self.points and self.points[-1].epoch == epoch:
            self.points.pop()
        self.points.append(CurvePoint(epoch=epoch, fit_seconds=seconds, metrics=metrics))
