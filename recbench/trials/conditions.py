"""What trials are run under, and what they give. Loads no numeric library."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recbench.device import Device
from recbench.records.schema import Record, Revision
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.curve_measure import CurveMeasure
from recbench.trials.serving_plan import ServingPlan

if TYPE_CHECKING:
    from recbench.records.finished_trial import TrialRanks


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
        no_revision: Why there is none, if git has refused.
        curve_measure: What the curve is scored by; None for the metrics that records store.
        serving: How to measure the trained model in use; None for not at all.
        memory_limit: Bytes that the process of a trial may use; None for no limit.
    """

    threads: int = 1
    device: Device = "auto"
    ks: tuple[int, ...] = (10,)
    curve: CurveEpochs | None = None
    catalogue: bool = False
    revision: Revision | None = None
    no_revision: str | None = None
    curve_measure: CurveMeasure | None = None
    memory_limit: int | None = None
    serving: ServingPlan | None = None


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What a trial gives.

    Attributes:
        record: Its record.
        ranks: The ranks of all cases, if it is done.
        traceback: Where it went wrong, if the model raised something.
        is_final: Whether the trial is over; if not, its candidates are ranked, and its full ranking, or
            the measurement of the model in use, begins.
    """

    record: Record
    ranks: "TrialRanks | None"
    traceback: str = ""
    is_final: bool = True
