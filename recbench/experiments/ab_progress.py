"""The trials of an A/B comparison as events, so that the progress of a run shows them."""

from collections.abc import Sequence

from recbench.experiments.ab_state import Pair, Stage
from recbench.progress.choice import Progress
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Status
from recbench.registry.models import ModelReference, Origin
from recbench.registry.requested import RequestedModel
from recbench.trials.events import TICK, Event, EventKind
from recbench.trials.planned import PlannedModel, PlannedTrial


class ABProgress:
    """Follows the trials of pairs.

    Args:
        progress: Shows them.
        pairs: The pairs that are going to run.
        base: What the base is called.
        head: What the head is called.
        n_done: Pairs that are complete.
        n_train: Train rows of the task.
    """

    def __init__(
        self, progress: Progress, pairs: Sequence[Pair], base: str, head: str, *, n_done: int, n_train: int
    ) -> None:
        self._progress = progress
        self._names = {
            Stage.CONTROL: (f"{base}, control", f"{base}, control again"),
            Stage.COMPARISON: (base, head),
        }
        planned = tuple(self._planned(pair, turn) for pair in pairs for turn in range(2))
        total = len(planned) + 2 * n_done
        progress.on_event(Event(EventKind.PLANNED, total=total, done=2 * n_done, n_train=n_train, planned=planned))

    def tick(self) -> None:
        """Shows that time has passed."""
        self._progress.on_event(TICK)

    def started(self, pair: Pair, turn: int) -> None:
        """Shows that a trial begins.

        Args:
            pair: Its pair.
            turn: 0 or 1: which trial of the pair.
        """
        self._progress.on_event(Event(EventKind.STARTED, trial=self._planned(pair, turn)))

    def ended(self, pair: Pair, turn: int, trial: FinishedTrial) -> None:
        """Shows the result of a trial; see ``started``."""
        kept = trial.record.status is Status.DONE
        self._progress.on_event(Event(EventKind.ENDED, trial=self._planned(pair, turn), result=trial, kept=kept))

    def _planned(self, pair: Pair, turn: int) -> PlannedTrial:
        title = f"{pair.model} at {self._names[pair.stage][turn]}"
        requested = RequestedModel(ModelReference(pair.model, pair.model, Origin.MODULE), label=title)
        return PlannedTrial(PlannedModel(requested, {}, None), pair.seed)
