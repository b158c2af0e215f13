"""All figures of a run, computed; the table and the JSON document render them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recbench.builtin_models import POPULARITY
from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import measures_at
from recbench.evaluation.new_cases import NewCases
from recbench.evaluation.ranking import Ranking
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Environment, Record
from recbench.registry.settings_used import SettingsUsed
from recbench.reports.code_notes import code_notes
from recbench.reports.differences import Defaults, difference_notes
from recbench.reports.new_cases import KnownFigures, known_figures
from recbench.reports.run.bridge_notes import bridge_notes
from recbench.reports.run.correction import Correction, correction_of
from recbench.reports.run.sampling_caution import caution
from recbench.reports.run.shown_measures import copy_notes, have_one_case_each, measures_of, without_copies
from recbench.reports.run.summary import ModelSummary, summarise
from recbench.reports.run.tie_notes import tie_notes
from recbench.reports.run.time_to_quality import TimeToQuality, time_to_quality
from recbench.reports.run.uncertainty import SeedRanks, Uncertainty, uncertainty
from recbench.reports.spread import Spread
from recbench.reports.timing_notes import timing_notes

ALWAYS_SUMMED_UP = ("mrr", "auc")
"""Metrics that documents and the table of other metrics hold whatever the columns of the table are."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run, as tables and documents show it.

    Attributes:
        task: ``Task.summary()``.
        environment: What the run ran on.
        measures: What the models are compared by: metrics with their cut-offs, among the candidates and in the full
            ranking.
        summaries: One for each configuration.
        uncertainty: Intervals and paired comparisons.
        quality: One for each configuration, if there are learning curves.
        caution: What the sampled metrics say about the whole catalogue.
        correction: What the correction of the sampled metrics is good for.
        timing_notes: Why not to trust the timings.
        code_notes: Which seeds were trained with different code.
        tie_notes: Whose hits depend on ties, and whose framework left out users, items or scores.
        one_case_each: Whether each user has one case, so that some metrics of users equal metrics of cases.
        settings: Where the hyper-parameters come from, if the run was told.
        parameter_notes: Which hyper-parameters are not the defaults.
        known: The share of cases whose item or user has no train row, and the figures without them; None if no record
            tells which cases these are.
    """

    task: dict[str, Any]
    environment: Environment
    measures: tuple[Measure, ...]
    summaries: tuple[ModelSummary, ...]
    uncertainty: Uncertainty
    quality: tuple[TimeToQuality, ...]
    caution: str
    correction: Correction
    timing_notes: tuple[str, ...]
    settings: SettingsUsed | None = None
    code_notes: tuple[str, ...] = ()
    tie_notes: tuple[str, ...] = ()
    one_case_each: bool = False
    parameter_notes: tuple[str, ...] = ()
    known: KnownFigures | None = None

    @property
    def records(self) -> tuple[Record, ...]:
        """A record of each configuration."""
        return tuple(summary.group.record for summary in self.summaries)

    @property
    def columns(self) -> tuple[Measure, ...]:
        """The measures that tables show: all but metrics of users that equal another one."""
        return without_copies(self.measures) if self.one_case_each else self.measures

    @property
    def copy_notes(self) -> tuple[str, ...]:
        """A line that says which metrics of users equal metrics of cases; empty if none does."""
        return tuple(copy_notes(self.measures)) if self.one_case_each else ()

    @property
    def of_known_cases(self) -> tuple[dict[str, Spread], ...]:
        """For each summary, its figures without the cases of new items and users; empty where there are none."""
        return self.known.figures if self.known else tuple({} for _ in self.summaries)

    @property
    def has_catalogue(self) -> bool:
        """Whether any model was ranked in the whole catalogue."""
        return any(summary.catalogue for summary in self.summaries)


def run_report(
    task: dict[str, Any],
    trials: Sequence[FinishedTrial],
    environment: Environment,
    ks: tuple[int, ...],
    target: float | None = None,
    settings: SettingsUsed | None = None,
    measures: Sequence[Measure] | None = None,
    new: NewCases | None = None,
    defaults: Defaults | None = None,
) -> RunReport:
    """Sums up, and compares, the trials of a run.

    Args:
        task: ``Task.summary()``.
        trials: The trials, all of that task.
        environment: What the run ran on.
        ks: Cut-offs to show.
        target: HR that learning curves are held to.
        settings: Where the hyper-parameters come from, if the run was told.
        measures: What to show; None for HR and NDCG at the cut-offs, and metrics of users in the full ranking.
        new: The cases of items and users without train rows; None for those that the records name.
        defaults: The defaults of the models; None to say nothing about hyper-parameters.

    Raises:
        RecbenchError: The records are of different tasks, or ranks are missing.
    """
    shown = measures_of(trials, ks, measures)
    size, uniform = round(task["mean_catalogue_size"]), task["uniform_negatives"]
    summaries = summarise(trials, summed_up(shown), size, uniform is True)
    near = [measure.k for measure in shown if measure.k is not None and measure.ranking is Ranking.CANDIDATES]
    cut_offs = near or list(ks)
    full_cut_offs = {measure.k for measure in shown if measure.k is not None and measure.ranking is Ranking.FULL}
    curves = any(trial.record.curve for trial in trials)
    return RunReport(
        task,
        environment,
        shown,
        tuple(summaries),
        compare_models(summaries, shown),
        tuple(time_to_quality(summaries, ks, target) if curves else ()),
        caution(task, cut_offs, full_cut_offs),
        correction_of(trials, shown, size, uniform),
        tuple(timing_notes([trial.record for trial in trials])),
        settings,
        tuple(code_notes([summary.group for summary in summaries])),
        (*tie_notes(summaries, 10 if 10 in cut_offs else cut_offs[0]), *bridge_notes(summaries)),
        have_one_case_each(trials),
        () if defaults is None else tuple(difference_notes(summaries, defaults)),
        known_figures([summary.group for summary in summaries], shown, new),
    )


def summed_up(shown: Sequence[Measure]) -> tuple[Measure, ...]:
    """Returns what is shown and what every document holds besides, each once."""
    always = measures_at(ALWAYS_SUMMED_UP, ())
    return (*shown, *(measure for measure in always if measure not in shown))


def compare_models(summaries: Sequence[ModelSummary], measures: Sequence[Measure]) -> Uncertainty:
    """Compares the configurations by each measure; the reference is popularity, where it is one of them."""
    ranks = [{ranking: seed_ranks(summary, ranking) for ranking in Ranking} for summary in summaries]
    reference = next((number for number, summary in enumerate(summaries) if summary.model == POPULARITY), None)
    return uncertainty(ranks, measures, reference=reference)


def seed_ranks(summary: ModelSummary, ranking: Ranking) -> SeedRanks:
    """Returns the ranks of a configuration by seed; empty if a seed that is done has no such ranks."""
    by_seed = {trial.record.seed: trial.ranks_in(ranking) for trial in summary.group.done}
    known = {seed: ranks for seed, ranks in by_seed.items() if ranks is not None}
    return known if len(known) == len(by_seed) else {}
