"""What trials are run under, what is told while they run, and what they give. Loads no numeric library."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, Self

from recbench.device import Device
from recbench.records.schema import CurvePoint, Record, Revision
from recbench.trials.curve_epochs import CurveEpochs

if TYPE_CHECKING:
    from recbench.records.finished_trial import TrialRanks


class Observer(Protocol):
    """Is told how a trial goes, off the clock."""

    def phase(self, name: str) -> None:
        """A part of the trial begins: ``import``, ``warm-up``, ``fit``, ``score`` or ``full``."""
        ...

    def progress(self, done: int, total: int) -> None:
        """So much of a part without epochs is done."""
        ...

    def epoch(self, epoch: int, loss: float | None, seconds: float) -> None:
        """A pass over the train rows is done, after so many seconds of training."""
        ...

    def point(self, point: CurvePoint) -> None:
        """The learning curve has another point."""
        ...


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all trials of a run have in common.

    Attributes:
        threads: Threads that a model may use.
        device: What the user wants to train on.
        ks: Cut-offs of the metrics.
        curve: After which epochs to score as well; None for no learning curve.
        catalogue: Whether to rank the whole catalogue as well.
        revision: The git revision that the run was started in.
    """

    threads: int = 1
    device: Device = "auto"
    ks: tuple[int, ...] = (10,)
    curve: CurveEpochs | None = None
    catalogue: bool = False
    revision: Revision | None = None

    def in_revision(self, revision: Revision | None) -> Self:
        """Returns the same, in a git revision."""
        return replace(self, revision=revision)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial gives.

    Attributes:
        record: Its record.
        ranks: The ranks of all cases, if it is done.
        traceback: Where it went wrong, if the model raised something.
    """

    record: Record
    ranks: "TrialRanks | None"
    traceback: str = ""
