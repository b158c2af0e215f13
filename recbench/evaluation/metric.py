"""What a metric is: one object that tables, tests, policies, plots and the command line read."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from recbench.errors import RecbenchError
from recbench.evaluation.metric_names import find_metric, metric_names
from recbench.evaluation.ranking import Ranking, Ranks
from recbench.protocol import Int32Array, Int64Array

Float64Array = npt.NDArray[np.float64]

NO_CUT_OFF = 2**31 - 1
"""The k of a metric that takes none: no list is longer."""

FULL_PREFIX = "full-"
"""Before the name of a metric that is computed in the full ranking."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that follows from ranks, without its cut-off.

    Attributes:
        name: What users type, such as ``hr``.
        label: What tables print, such as ``HR``.
        values: Takes ranks and k; returns float64[cases], or float64[users] if ``per_user``. Ties count by their
            expectation over all orders.
        takes_k: Whether the metric has a cut-off. If not, ``values`` ignores k.
        per_user: Whether a value belongs to a user, in the order of ``np.unique(ranks.users)``, and not to a case.
        gains: Takes ranks int64[n], from 1, and k; returns float64[n], the value of a case at each rank. None if the
            metric cannot be corrected for sampled negatives (Krichene and Rendle, KDD 2020).
        with_one_case: For a metric of users: the name of the metric of cases that has the same values where each user
            has one case, such as ``hr`` for ``recall``. None if there is none.
        is_hit: Whether a case without ties has the value 0 or 1, so that McNemar's test applies.
        has_chance: Whether ``values`` counts ties by expectation, so that the value under chance follows from it.
    """

    name: str
    label: str
    values: Callable[[Ranks, int], Float64Array]
    takes_k: bool = True
    per_user: bool = False
    gains: Callable[[Int64Array, int], Float64Array] | None = None
    with_one_case: str | None = None
    is_hit: bool = False
    has_chance: bool = True


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric at its cut-off in one of the rankings, such as HR@10 or full HR@10.

    Attributes:
        metric: The metric.
        k: Its cut-off; None if the metric takes none.
        ranking: Among which items positives are ranked.
    """

    metric: Metric
    k: int | None = field(default=None)
    ranking: Ranking = Ranking.CANDIDATES

    def __post_init__(self) -> None:
        if self.metric.takes_k != (self.k is not None):
            needs = f"needs a cut-off, such as {self.metric.name}@10" if self.metric.takes_k else "takes no cut-off"
            raise RecbenchError(f"The metric {self.metric.name} {needs}.", "Write METRIC@K, or METRIC alone.")
        if self.k is not None and self.k < 1:
            raise RecbenchError(f"{self.name}: the cut-off is below 1.", "Use a cut-off of 1 or more.")

    @property
    def base_name(self) -> str:
        """The name without the ranking: ``hr@10``, ``mrr``."""
        return self.metric.name if self.k is None else f"{self.metric.name}@{self.k}"

    @property
    def name(self) -> str:
        """What users type and documents hold: ``hr@10``, ``mrr``, ``full-hr@10``."""
        return f"{FULL_PREFIX}{self.base_name}" if self.ranking is Ranking.FULL else self.base_name

    @property
    def label(self) -> str:
        """What tables print: ``HR@10``, ``MRR``, ``full HR@10``."""
        label = self.metric.label if self.k is None else f"{self.metric.label}@{self.k}"
        return f"full {label}" if self.ranking is Ranking.FULL else label

    def in_ranking(self, ranking: Ranking) -> "Measure":
        """Returns the same metric at the same cut-off in one of the rankings."""
        return self if ranking is self.ranking else replace(self, ranking=ranking)

    def with_one_case(self) -> "Measure | None":
        """Returns the measure of cases that is the same where each user has one case; None if there is none."""
        name = self.metric.with_one_case
        return None if name is None else replace(self, metric=find_metric(name))

    def values(self, ranks: Ranks) -> Float64Array:
        """Returns float64[cases], or float64[users] for a metric of users.

        Raises:
            RecbenchError: The metric is a user's own and returns another shape.
        """
        return self.metric.values(ranks, NO_CUT_OFF if self.k is None else self.k)

    def users(self, ranks: Ranks) -> Int32Array:
        """Returns the user of each value: int32[cases], or int32[users] for a metric of users."""
        return np.unique(ranks.users) if self.metric.per_user else ranks.users

    def chance(self, ranks: Ranks) -> float | None:
        """Returns the mean value of a random order, which is the value of equal scores; None if it is unknown."""
        if not self.metric.has_chance:
            return None
        return float(self.values(replace(ranks, better=np.zeros_like(ranks.better), tied=ranks.n_others)).mean())

    def check_cut_off(self, ranks: Ranks) -> None:
        """Checks that k is not beyond the candidates of every case.

        Raises:
            RecbenchError: It is.
        """
        if self.k is not None and self.k > (most := int(ranks.n_others.max()) + 1):
            listed = "items that are ranked in" if self.ranking is Ranking.FULL else "candidates of"
            raise RecbenchError(
                f"{self.name}: the cut-off is more than the {most} {listed} a case.", "Use a smaller k."
            )


def custom_metric(function: Callable[[Ranks], Float64Array], name: str) -> Metric:
    """Returns a user's own function as a metric without a cut-off.

    The function's result is checked each time. Nothing is assumed about ties, so the value under chance is unknown.

    Args:
        function: Takes ``Ranks`` and returns float64[cases], all finite.
        name: What tables and documents call the metric.

    Raises:
        RecbenchError: The name is empty or taken. Later, when the metric is used: the function returned another shape,
            no numbers, or a value that is not finite.

    Examples:
        >>> from recbench.evaluation.ranking import Ranks
        >>> first = Measure(custom_metric(lambda ranks: ranks.better == 0, "first"))
        >>> one, ten = np.array([0, 0], dtype=np.int32), np.array([9, 9], dtype=np.int32)
        >>> first.values(Ranks(one, ten, np.array([0, 3], dtype=np.int32), one)).tolist()
        [1.0, 0.0]
    """
    if not name.strip() or name in metric_names():
        taken = f"{name!r} is the name of a metric already." if name.strip() else "A metric needs a name."
        raise RecbenchError(taken, "Choose a name of its own, such as 'HR in the first 5'.")

    def values(ranks: Ranks, _: int) -> Float64Array:
        result: npt.NDArray[np.generic] = np.asarray(function(ranks))
        expected = (len(ranks),)
        if result.shape != expected:
            raise RecbenchError(
                f"The metric {name!r} returned the shape {result.shape}, expected {expected}.",
                "A metric takes Ranks and returns one number per case: float64[cases].",
            )
        if not (np.issubdtype(result.dtype, np.number) or result.dtype == np.bool_) or np.iscomplexobj(result):
            raise RecbenchError(
                f"The metric {name!r} returned {result.dtype}, expected numbers.",
                "A metric takes Ranks and returns one number per case: float64[cases].",
            )
        numbers = result.astype(np.float64)
        if not np.isfinite(numbers).all():
            case = int(np.flatnonzero(~np.isfinite(numbers))[0])
            raise RecbenchError(
                f"The metric {name!r} returned {numbers[case]} for case {case}.", "All values must be finite."
            )
        return numbers

    return Metric(name, name, values, takes_k=False, has_chance=False)
