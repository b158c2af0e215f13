"""How long a trained model is measured in use. Loads no numeric library."""

from dataclasses import dataclass

from recbench.records.cost_values import ServingValue


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """How a trained model is measured in use.

    Attributes:
        k: Length of the lists.
        requests: Requests of each of the two groups of users, at least.
        seconds: Seconds of these requests, at least.
        warm_up: Requests of each group before, which are not timed.
        batch_seconds: Seconds of the batches of one size, at least.
    """

    k: int = 10
    requests: int = 1000
    seconds: float = 5.0
    warm_up: int = 20
    batch_seconds: float = 1.0

    def is_covered_by(self, measured: ServingValue | None) -> bool:
        """Whether figures are there that were measured like this, or for longer."""
        return (
            measured is not None
            and measured.k == self.k
            and measured.requests >= self.requests
            and measured.seconds >= self.seconds
        )
