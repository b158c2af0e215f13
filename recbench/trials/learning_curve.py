"""The learning curve: metrics after chosen epochs, computed while the clock is stopped."""

from collections.abc import Callable
from dataclasses import dataclass, field

from recbench.errors import describe_error
from recbench.evaluation.ranking import Ranks, rank_cases
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.protocol import Recommender
from recbench.records.schema import CurvePoint
from recbench.tasks.task import Cases
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.curve_scoring import CurveScoring


@dataclass(slots=True)
class Curve:
    """The curve of one trial.

    Attributes:
        model: The model in training.
        cases: What it is scored on. Nothing is chosen by the result.
        ks: Cut-offs.
        epochs: When.
        notify: Receives each point while the model trains.
        points: The curve so far.
        error: Why there is no more of it: a model may be unable to score before its training is over.
        scoring: Scores the model by one metric; None to compute the metrics that records store.
    """

    model: Recommender
    cases: Cases
    ks: tuple[int, ...]
    epochs: CurveEpochs
    notify: Callable[[CurvePoint], None]
    points: list[CurvePoint] = field(default_factory=list)
    error: str | None = None
    scoring: CurveScoring | None = None

    def epoch(self, epoch: int, seconds: float) -> None:
        """Scores the model, if this epoch was chosen.

        Args:
            epoch: Epochs trained.
            seconds: What the clock shows.
        """
        if epoch not in self.epochs or self.error is not None:
            return
        try:
            metrics = self._metrics()
        except Exception as error:  # noqa: BLE001 - the curve is lost, the trial is not
            self.error = f"after epoch {epoch}: {describe_error(error)}"
            return
        self._add(epoch, seconds, metrics)
        self.notify(self.points[-1])

    def end(self, epoch: int, seconds: float, ranks: Ranks) -> None:
        """Adds the last point.

        Args:
            epoch: Epochs trained.
            seconds: What the clock shows.
            ranks: The ranks of the cases among their candidates.
        """
        self._add(epoch, seconds, self._metrics(ranks))

    def _metrics(self, ranks: Ranks | None = None) -> dict[str, float]:
        if self.scoring is not None:
            return self.scoring.score(self.model, ranks)
        ranks = rank_cases(self.model, self.cases) if ranks is None else ranks
        return {name: metric.mean for name, metric in compute_metrics(ranks, self.ks).items()}

    def _add(self, epoch: int, seconds: float, metrics: dict[str, float]) -> None:
        """Adds a point, in place of one for the same epoch."""
        if self.points and self.points[-1].epoch == epoch:
            self.points.pop()
        self.points.append(CurvePoint(epoch=epoch, fit_seconds=seconds, metrics=metrics))
