"""All figures of a run, computed; the table and the JSON document render them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import DEFAULT_METRICS, measures_at
from recbench.records.finished_trial import FinishedTrial, Ranking
from recbench.records.schema import Environment
from recbench.registry.settings_used import SettingsUsed
from recbench.reports.code_notes import code_notes
from recbench.reports.run.correction import Correction, correction_of
from recbench.reports.run.sampling_caution import caution
from recbench.reports.run.summary import ModelSummary, summarise
from recbench.reports.run.tie_notes import tie_notes
from recbench.reports.run.time_to_quality import TimeToQuality, time_to_quality
from recbench.reports.run.uncertainty import SeedRanks, Uncertainty, uncertainty
from recbench.reports.timing_notes import timing_notes

ALWAYS_SUMMED_UP = ("mrr", "auc")
"""Metrics that documents and the table of other metrics hold whatever the columns of the table are."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run, as tables and documents show it.

    Attributes:
        task: ``Task.summary()``.
        environment: What the run ran on.
        measures: What the table shows: metrics with their cut-offs.
        summaries: One for each configuration.
        uncertainty: Intervals and paired comparisons.
        quality: One for each configuration, if there are learning curves.
        caution: What the sampled metrics say about the whole catalogue.
        correction: What the correction of the sampled metrics is good for.
        timing_notes: Why not to trust the timings.
        code_notes: Which seeds were trained with different code.
        tie_notes: Whose hits depend on ties.
        settings: Where the hyper-parameters come from, if the run was told.
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
) -> RunReport:
    """Sums up, and compares, the trials of a run.

    Args:
        task: ``Task.summary()``.
        trials: The trials, all of that task.
        environment: What the run ran on.
        ks: Cut-offs to show.
        target: HR that learning curves are held to.
        settings: Where the hyper-parameters come from, if the run was told.
        measures: What to show; None for HR and NDCG at the cut-offs.

    Raises:
        RecbenchError: The records are of different tasks, or ranks are missing.
    """
    shown = tuple(measures) if measures is not None else measures_at(DEFAULT_METRICS, ks)
    size, uniform = round(task["mean_catalogue_size"]), task["uniform_negatives"]
    summaries = summarise(trials, summed_up(shown), size, uniform is True)
    ranks = [seed_ranks(summary) for summary in summaries]
    cut_offs = [measure.k for measure in shown if measure.k is not None] or list(ks)
    curves = any(one.record.curve for one in trials)
    return RunReport(
        task,
        environment,
        shown,
        tuple(summaries),
        uncertainty(ranks, shown),
        tuple(time_to_quality(summaries, ks, target) if curves else ()),
        caution(task, cut_offs),
        correction_of(trials, shown, size, uniform),
        tuple(timing_notes([one.record for one in trials])),
        settings,
        tuple(code_notes([summary.group for summary in summaries])),
        tuple(tie_notes(summaries, [one.values() for one in ranks], 10 if 10 in cut_offs else cut_offs[0])),
    )


def summed_up(shown: Sequence[Measure]) -> tuple[Measure, ...]:
    """Returns what is shown and what every document holds besides, each once."""
    always = measures_at(ALWAYS_SUMMED_UP, ())
    return (*shown, *(one for one in always if one not in shown))


def seed_ranks(summary: ModelSummary, ranking: Ranking = Ranking.CANDIDATES) -> SeedRanks:
    """Returns the ranks of a configuration by seed; without the seeds that are not done or have no such ranks."""
    found = {trial.record.seed: trial.ranks_in(ranking) for trial in summary.group.done}
    return {seed: ranks for seed, ranks in found.items() if ranks is not None}
