"""A finished trial: its record and its ranks, from which every figure of quality is derived."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from recbench.evaluation.correction import corrected, has_little_bias, of_perfect_model
from recbench.evaluation.metric import Measure
from recbench.evaluation.new_cases import NewCases
from recbench.evaluation.ranking import Ranking, Ranks
from recbench.records.schema import Record, Status
from recbench.tasks.exchange.forms import UniformNegatives


@dataclass(frozen=True, slots=True, eq=False)
class TrialRanks:
    """The ranks that a trial leaves behind.

    Attributes:
        candidates: Of every case among its candidates.
        catalogue: Of every case among all items that its user has not interacted with, if that was asked for.
        new: Which cases have an item or a user without train rows; None in older records.
    """

    candidates: Ranks
    catalogue: Ranks | None = None
    new: NewCases | None = None


@dataclass(frozen=True)
class FinishedTrial:
    """A trial that ended, well or not. Its ranks are read when a figure is first asked for, and then kept.

    Attributes:
        record: The record.
        place: Where it lies, for people; of a git revision as ``REV:PATH``.
        path: Its file; None if there is none, or no longer.
        read_ranks: Returns its ranks; None if it has none.
        known_means: What ``mean`` returns for the measures that were computed already.
    """

    record: Record
    place: str
    path: Path | None = None
    read_ranks: Callable[[], TrialRanks] | None = field(default=None, compare=False, repr=False)
    known_means: dict[Measure, float] = field(default_factory=dict, init=False, compare=False, repr=False)

    @classmethod
    def in_memory(cls, record: Record, ranks: TrialRanks | None, place: str) -> Self:
        """Returns a trial whose ranks are already read."""
        return cls(record, place, None, None if ranks is None else lambda: ranks)

    @cached_property
    def ranks(self) -> TrialRanks | None:
        """All of its ranks; None unless it is done.

        Raises:
            RecbenchError: The file of ranks is missing or cannot be read.
        """
        return self.read_ranks() if self.read_ranks and self.record.status is Status.DONE else None

    @property
    def candidate_ranks(self) -> Ranks | None:
        """The ranks among the candidates; None unless it is done."""
        return self.ranks_in(Ranking.CANDIDATES)

    @property
    def full_ranks(self) -> Ranks | None:
        """The ranks in the full ranking; None if the record has none, or was asked for without."""
        return self.ranks_in(Ranking.FULL)

    def ranks_in(self, ranking: Ranking) -> Ranks | None:
        """Returns the ranks in one of the rankings, if it has them."""
        if self.ranks is None:
            return None
        if ranking is Ranking.CANDIDATES:
            return self.ranks.candidates
        return self.ranks.catalogue if self.record.catalogue is not None else None

    def mean(self, measure: Measure) -> float | None:
        """Returns the mean over cases, or over users for a metric of users; None without ranks in its ranking."""
        if (known := self.known_means.get(measure)) is not None:
            return known
        ranks = self.ranks_in(measure.ranking)
        if ranks is None:
            return None
        return self.known_means.setdefault(measure, float(measure.values(ranks).mean()))

    @property
    def uniform_negatives(self) -> bool | None:
        """Whether the task's negatives are uniform, as the record says; None if it is not known.

        Older records only have corrected metrics if they are.
        """
        stated = self.record.uniform_negatives
        if stated is None:
            return True if self.record.corrected else None
        return {UniformNegatives.YES: True, UniformNegatives.NO: False}.get(stated)

    def corrected(
        self, measure: Measure, catalogue_size: int | None = None, uniform: bool | None = None
    ) -> float | None:
        """Estimates the mean in the full ranking from the ranks among the candidates (Krichene and Rendle, KDD 2020).

        None where the metric cannot be corrected, the negatives are not known to be uniform, the size is unknown, or
        the value of a perfect model is too far from 1, see ``has_little_bias``.

        Args:
            measure: The metric and its cut-off.
            catalogue_size: Mean number of items that a positive is ranked with in the full ranking, itself included;
                None to take it from the full ranks.
            uniform: Whether the negatives are uniform, if the task is at hand; None for what the record says.
        """
        if not (self.uniform_negatives if uniform is None else uniform):
            return None
        perfect = self.perfect_corrected(measure, catalogue_size)
        if perfect is None or not has_little_bias(perfect):
            return None
        ranks, size = self.candidate_ranks, self._catalogue_size(catalogue_size)
        assert ranks is not None
        assert size is not None
        return float(corrected(measure, ranks, size).mean())

    def perfect_corrected(self, measure: Measure, catalogue_size: int | None = None) -> float | None:
        """Returns the value of a perfect model after the correction, in the cases of this trial.

        None where the metric cannot be corrected, or the size is unknown.

        Args:
            measure: The metric and its cut-off.
            catalogue_size: See ``corrected``.
        """
        ranks, size = self.candidate_ranks, self._catalogue_size(catalogue_size)
        return None if ranks is None or size is None else of_perfect_model(measure, ranks.n_others, size)

    def _catalogue_size(self, known: int | None) -> int | None:
        if known is not None or self.full_ranks is None:
            return known
        return round(float(self.full_ranks.n_others.mean()) + 1)
