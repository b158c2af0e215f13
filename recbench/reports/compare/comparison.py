"""BASE beside CURRENT: what can be compared is measured, what cannot says why. No verdict on differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from types import MappingProxyType

import numpy as np

from recbench.evaluation.bootstrap import RESAMPLES
from recbench.evaluation.metric import Measure
from recbench.git_history import Relation
from recbench.records.ancestry import Ancestries, Ancestry, worst
from recbench.records.grouping import TrialGroup, group_names
from recbench.records.schema import TaskIdentity
from recbench.records.selection import RecordSet
from recbench.reports.code_notes import differing_files
from recbench.reports.compare.changes import Change, changes_of
from recbench.reports.compare.evidence import Measured, measure_matches
from recbench.reports.compare.known_cases import measure_known, new_cases_by_task
from recbench.reports.compare.matching import Match, match_groups
from recbench.reports.compare.verdict import Verdict
from recbench.reports.new_cases import NewCaseCounts, known_measure
from recbench.reports.run.shown_measures import have_one_case_each


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a model cannot be compared.

    Attributes:
        verdict: ``not comparable``, ``failed``, ``missing`` or ``new``.
        reason: In words, with the values that differ.
    """

    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One configuration of BASE and CURRENT.

    Attributes:
        label: The model's name; with what tells it apart, if there are several of that name.
        match: Its trials.
        obstacle: Why it cannot be compared; None if it can.
        measured: Its figures.
        notes: What a reader should know of it.
        known: The figures of the comparison's ``known_measure``, without cases of items or users without train rows;
            None where these do not matter.
        changes: What changed besides the figures.
        ancestry: How the commit of its records of BASE stands to that of CURRENT; None if it was not looked up.
    """

    label: str
    match: Match
    obstacle: Obstacle | None
    measured: Measured
    notes: tuple[str, ...]
    known: Measured | None = None
    ancestry: Ancestry | None = None
    changes: tuple[Change, ...] = ()

    @property
    def is_caused(self) -> bool:
        """Whether a difference is due to CURRENT, as far as git can tell."""
        return self.ancestry is None or self.ancestry.relation is not Relation.NO_ANCESTOR

    @property
    def group(self) -> TrialGroup:
        """The trials that are there: of CURRENT, or else of BASE."""
        return self.match.present

    @property
    def model(self) -> str:
        """The model's name."""
        return self.group.model

    @property
    def names(self) -> frozenset[str]:
        """The names by which options and policies may call it: the model, and the label of its configuration."""
        return self.match.names

    @property
    def task(self) -> TaskIdentity:
        """The task, of CURRENT if it is there."""
        return self.group.task

    @property
    def throughput_ratio(self) -> float | None:
        """Median throughput of CURRENT over that of BASE; on other machines it says little about the code."""
        base, current = throughputs(self.match.base), throughputs(self.match.current)
        return median(current) / median(base) if base and current else None


@dataclass(frozen=True, eq=False)
class Comparison:
    """All models of BASE and CURRENT.

    Attributes:
        base: The accepted records.
        current: Those that are compared with them.
        measures: Metrics with their cut-offs, in the order of the columns or lines.
        models: One for each configuration.
        one_case_each: Whether no user has several cases, so that some metrics of users equal metrics of cases.
        new_cases: The cases of items or users without train rows, by the digest of their task; without the tasks whose
            records are too old to tell.
        renamed: The new name of each renamed model of BASE, by its old name.
    """

    base: RecordSet
    current: RecordSet
    measures: tuple[Measure, ...]
    models: tuple[Compared, ...]
    one_case_each: bool = False
    new_cases: Mapping[str, NewCaseCounts] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def known_measure(self) -> Measure | None:
        """The first measure that is not one of users: shown also for the known cases alone."""
        return known_measure(self.measures)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the measures, such as ``hr@10``."""
        return tuple(measure.name for measure in self.measures)

    def label(self, metric: str) -> str:
        """Returns what tables call the measure of that name."""
        return next(measure.label for measure in self.measures if measure.name == metric)

    def named(self, model: Compared) -> str:
        """Returns what a model is called in a sentence: its label, and its task where there are several."""
        return f"{model.label} on {model.task.name}" if self._has_several_tasks else model.label

    def counted(self, models: Sequence[Compared]) -> str:
        """Returns how many some of these models are, in words; a model on two tasks is one model.

        Args:
            models: Some of ``models``.
        """
        if not self._has_several_tasks:
            return f"{len(models)} models"
        n_models, n_tasks = len({model.label for model in models}), len({model.task.digest for model in models})
        on_tasks = f"{n_models} model{'s' * (n_models != 1)} on {n_tasks} task{'s' * (n_tasks != 1)}"
        is_complete = len(models) == n_models * n_tasks
        return on_tasks if is_complete else f"{len(models)} results ({on_tasks})"

    @cached_property
    def _has_several_tasks(self) -> bool:
        return len({model.task.digest for model in self.models}) > 1

    @property
    def nothing_compared(self) -> bool:
        """Whether no model at all could be compared by any metric."""
        return not any(model.measured.evidence for model in self.models)

    def same_as(self, metric: str) -> str:
        """Returns the name of the measure of cases that a measure of users equals on these cases, or its own name."""
        measure = next(measure for measure in self.measures if measure.name == metric)
        other = measure.with_one_case() if self.one_case_each else None
        return metric if other is None else other.name


def compare_records(
    base: RecordSet,
    current: RecordSet,
    measures: Sequence[Measure],
    resamples: int = RESAMPLES,
    ancestries: Ancestries = MappingProxyType({}),
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> Comparison:
    """Compares two record sets, model by model.

    Args:
        base: The accepted records.
        current: Those to be compared with them.
        measures: Metrics with any cut-offs, for all are computed from the ranks.
        resamples: Of the bootstrap.
        ancestries: How the commits of the two stand to each other, as far as it was looked up.
        renamed: The renamed models of BASE, whose records have their new names already.

    Raises:
        RecbenchError: Configurations cannot be matched, or a cut-off is beyond the candidates.
    """
    matches = match_groups(base, current)
    obstacles = [obstacle(match) for match in matches]
    measured = measure_matches(matches, [obstacle is None for obstacle in obstacles], measures, resamples)
    new_cases, first = new_cases_by_task(matches), known_measure(measures)
    paired = [obstacle is None for obstacle in obstacles]
    known = measure_known(matches, paired, first, new_cases, resamples) if first else [None] * len(matches)
    labels = group_names([match.present for match in matches])
    models = tuple(
        Compared(
            label,
            match,
            obstacle,
            figures,
            tuple(_notes(match)),
            of_known,
            _ancestry(match, base, current, ancestries),
            changes_of(match),
        )
        for label, match, obstacle, figures, of_known in zip(labels, matches, obstacles, measured, known, strict=True)
    )
    one_case_each = all(have_one_case_each(done) for match in matches if (done := match.present.done))
    return Comparison(base, current, tuple(measures), models, one_case_each, new_cases, renamed)


def _ancestry(match: Match, base: RecordSet, current: RecordSet, ancestries: Ancestries) -> Ancestry | None:
    """Returns the ancestry of a match; where it has one side only, with all records of the other."""
    older, newer = (
        [trial.record for trial in (group or records).trials]
        for group, records in ((match.base, base), (match.current, current))
    )
    return worst(ancestries, older, newer)


def obstacle(match: Match) -> Obstacle | None:
    """Returns what stands in the way of comparing a match; None if nothing does.

    A difference means something only for the same cases, measured by the same rules. So it is refused where the
    digests of the tasks differ, the versions of the protocol differ, or any trial has other or fewer cases.
    """
    base, current = match.base, match.current
    if current is None:
        return Obstacle(Verdict.MISSING, "BASE has it, CURRENT does not")
    if current.errors:
        return Obstacle(Verdict.FAILED, "; ".join(current.errors))
    if base is None:
        return Obstacle(Verdict.NEW, "CURRENT has it, BASE does not")
    if base.task.digest != current.task.digest:
        return Obstacle(
            Verdict.NOT_COMPARABLE,
            f"different tasks: BASE {base.task.name} {base.task.digest[:19]}, "
            f"CURRENT {current.task.name} {current.task.digest[:19]}",
        )
    if not base.done:
        return Obstacle(Verdict.NOT_COMPARABLE, f"no trial of BASE is done: {'; '.join(base.errors)}")
    versions = [sorted({t.record.protocol_version for t in side.trials}) for side in (base, current)]
    if versions[0] != versions[1] or len(versions[0]) > 1:
        shown = [", ".join(map(str, version)) for version in versions]
        return Obstacle(Verdict.NOT_COMPARABLE, f"different protocol versions: BASE {shown[0]}, CURRENT {shown[1]}")
    return _other_cases(base, current)


def throughputs(group: TrialGroup | None) -> list[float]:
    """Returns the train interactions a second of each seed that is done and was timed."""
    done = group.done if group else ()
    return [speed for trial in done if (speed := trial.record.interactions_per_second)]


def _other_cases(base: TrialGroup, current: TrialGroup) -> Obstacle | None:
    ranks = {
        side: [known for trial in group.done if (known := trial.candidate_ranks) is not None]
        for side, group in (("BASE", base), ("CURRENT", current))
    }
    first = ranks["BASE"][0]
    for side, ranks_of_side in ranks.items():
        for ranks_of_trial in ranks_of_side:
            if len(ranks_of_trial) != len(first):
                reason = f"the cases differ: BASE has {len(first):,}, a trial of {side} has {len(ranks_of_trial):,}"
                return Obstacle(Verdict.NOT_COMPARABLE, f"{reason}, of one task {base.task.digest[:19]}")
            if not (
                np.array_equal(ranks_of_trial.users, first.users)
                and np.array_equal(ranks_of_trial.n_others, first.n_others)
            ):
                reason = f"the cases differ: a trial of {side} has other users or numbers of candidates than BASE"
                return Obstacle(Verdict.NOT_COMPARABLE, f"{reason}, of one task {base.task.digest[:19]}")
    if len(np.unique(first.users)) < 2:
        return Obstacle(Verdict.NOT_COMPARABLE, "all cases are of one user, so that no interval can be computed")
    return None


def _notes(match: Match) -> list[str]:
    base, current = match.base, match.current
    if base is None or current is None:
        return []
    notes = []
    if base.done and base.errors:
        notes.append(f"failed trials of BASE are left out: {'; '.join(base.errors)}")
    for side, group in (("BASE", base), ("CURRENT", current)):
        doubts = [doubt for trial in group.done for doubt in trial.record.throughput_doubts]
        if doubts:
            notes.append(f"throughput of {side} is in doubt: {doubts[0]}")
        if files := differing_files(group):
            notes.append(f"seeds of {side} were trained with different code or data: {', '.join(files)}")
    return notes
