"""How many cases are of items or users without train rows, and the figures of a table without these cases.

A model that learns from the train rows alone cannot know such an item or user. Its place in the order of scores is an
accident, and where there are many such cases, this accident can decide which model seems best.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from recbench.evaluation.metric import Measure
from recbench.evaluation.new_cases import NewCases, ranks_of_known
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.grouping import TrialGroup
from recbench.reports.spread import Spread

SHOWN_FROM: Final = 0.01
"""From this share of new cases on, tables also show the first metric without them."""


@dataclass(frozen=True, slots=True)
class NewCaseCounts:
    """The new cases of one task: those whose item or user has no train row.

    Attributes:
        cases: Which they are.
        n_cases: All cases of the task.
    """

    cases: NewCases
    n_cases: int

    @property
    def n_new(self) -> int:
        """Cases with a new item, a new user, or both."""
        return int(self.cases.among(self.n_cases).sum())

    @property
    def matters(self) -> bool:
        """Whether tables show figures without the new cases: some cases are known, and enough are new."""
        return SHOWN_FROM * self.n_cases <= self.n_new < self.n_cases

    def line(self, measure: Measure | None) -> str:
        """Returns the share of new cases as a sentence.

        Args:
            measure: What the table also shows without these cases; None for nothing.
        """
        counts = {"items": len(self.cases.items), "users": len(self.cases.users)}
        kinds = [kind for kind, count in counts.items() if count]
        if not kinds:
            return f"All {self.n_cases:,} cases are of items and users with train rows."
        first, *others = kinds
        share = {kind: f"({100 * counts[kind] / self.n_cases:.1f} %)" for kind in kinds}
        text = f"{counts[first]:,} of {self.n_cases:,} cases {share[first]} are of {first} without train rows"
        rest = [f", {counts[kind]:,} {share[kind]} of {kind} without train rows" for kind in others]
        if others:
            # A case may be of both.
            rest.append(f"; {self.n_new:,} ({100 * self.n_new / self.n_cases:.1f} %) in all")
        shown = f" known {measure.label}: {measure.label} without these cases." if measure else ""
        return "".join([text, *rest, ".", shown])

    def document(self) -> dict[str, Any]:
        """Returns the object of a JSON document."""
        return {
            "cases": self.n_cases,
            "of_new_items": len(self.cases.items),
            "of_new_users": len(self.cases.users),
            "new": self.n_new,
            "shown_from": SHOWN_FROM,
        }


@dataclass(frozen=True, slots=True)
class KnownFigures:
    """The figures of the known cases: the metrics of a report without the new cases.

    Attributes:
        counts: How many cases are new.
        figures: For each group of trials of the report, its means over the known cases, over its seeds, by the name of
            the measure; empty where no case is new, or none is known.
        measure: The measure that tables show; None where they show none.
    """

    counts: NewCaseCounts
    figures: tuple[dict[str, Spread], ...]
    measure: Measure | None

    @property
    def line(self) -> str:
        """The share of new cases, and what the column of the known ones is."""
        return self.counts.line(self.measure)


def new_case_counts(trials: Iterable[FinishedTrial], new: NewCases | None = None) -> NewCaseCounts | None:
    """Returns the new cases of the trials' task; None if no trial has ranks, or all records are too old to name them.

    Args:
        trials: Trials of one task, which have the same cases.
        new: The new cases of the task, if it is at hand; None for what the records say.
    """
    for trial in trials:
        if trial.ranks is not None and (cases := new or trial.ranks.new) is not None:
            return NewCaseCounts(cases, len(trial.ranks.candidates))
    return None


def known_figures(
    groups: Sequence[TrialGroup], measures: Sequence[Measure], new: NewCases | None = None
) -> KnownFigures | None:
    """Computes the metrics of a report without the new cases; None if it is not known which cases are new.

    Metrics of users are left out: without its new items a user's list of held-out items is another one.

    Args:
        groups: The configurations, all of one task.
        measures: The metrics of the report.
        new: The new cases of the task, if it is at hand; None for what the records say.
    """
    counts = new_case_counts((trial for group in groups for trial in group.done), new)
    if counts is None:
        return None
    of_cases = [measure for measure in measures if not measure.metric.per_user]
    shown = known_measure(measures) if counts.matters else None
    if not 0 < counts.n_new < counts.n_cases:
        return KnownFigures(counts, tuple({} for _ in groups), None)
    figures = []
    for group in groups:
        known = known_group(group, counts)
        spreads = {measure.name: Spread.of_all(trial.mean(measure) for trial in known.done) for measure in of_cases}
        figures.append({name: spread for name, spread in spreads.items() if spread is not None})
    return KnownFigures(counts, tuple(figures), shown)


def known_measure(measures: Sequence[Measure]) -> Measure | None:
    """Returns the measure that tables also show for the known cases: the first that is not one of users."""
    return next((measure for measure in measures if not measure.metric.per_user), None)


def known_group(group: TrialGroup, counts: NewCaseCounts) -> TrialGroup:
    """Returns the trials with the ranks of the known cases alone."""
    return TrialGroup(tuple(_known(trial, counts) for trial in group.trials))


def _known(trial: FinishedTrial, counts: NewCaseCounts) -> FinishedTrial:
    ranks, known = trial.ranks, None
    if ranks is not None and len(ranks.candidates) == counts.n_cases:
        catalogue = None if ranks.catalogue is None else ranks_of_known(ranks.catalogue, counts.cases)
        known = TrialRanks(ranks_of_known(ranks.candidates, counts.cases), catalogue)
    return FinishedTrial.in_memory(trial.record, known, trial.place)
