"""All that is told about a run, computed; rendering it is left to the table and the JSON document."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from recbench.evaluation.ranking import Ranks
from recbench.records.schema import Environment, Status
from recbench.records.store import StoredRecord, load_ranks
from recbench.registry.settings_used import SettingsUsed
from recbench.reports.run.sampling_caution import caution
from recbench.reports.run.summary import ModelSummary, summarise
from recbench.reports.run.time_to_quality import TimeToQuality, time_to_quality
from recbench.reports.run.uncertainty import Uncertainty, uncertainty
from recbench.reports.timing_notes import timing_notes


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run, as tables and documents show it.

    Attributes:
        task: ``Task.summary()``.
        environment: What the run ran on.
        ks: Cut-offs to show.
        summaries: One for each configuration.
        uncertainty: Intervals and paired comparisons.
        quality: One for each configuration, if there are learning curves.
        caution: What the sampled metrics say about the whole catalogue.
        timing_notes: Why not to trust the timings.
        settings: Where the hyper-parameters come from, if the run was told.
    """

    task: dict[str, Any]
    environment: Environment
    ks: tuple[int, ...]
    summaries: tuple[ModelSummary, ...]
    uncertainty: Uncertainty
    quality: tuple[TimeToQuality, ...]
    caution: str
    timing_notes: tuple[str, ...]
    settings: SettingsUsed | None = None

    @property
    def has_catalogue(self) -> bool:
        """Whether any model was ranked in the whole catalogue."""
        return any(summary.catalogue for summary in self.summaries)


def candidate_ranks(stored: StoredRecord) -> Ranks:
    """Reads a record's ranks among the candidates."""
    return load_ranks(stored.path).candidates


def run_report(
    task: dict[str, Any],
    stored: Sequence[StoredRecord],
    environment: Environment,
    ks: tuple[int, ...],
    target: float | None = None,
    ranks_of: Callable[[StoredRecord], Ranks] = candidate_ranks,
    settings: SettingsUsed | None = None,
) -> RunReport:
    """Sums up, and compares, the records of a run.

    Args:
        task: ``Task.summary()``.
        stored: The records, all of that task.
        environment: What the run ran on.
        ks: Cut-offs to show.
        target: HR that learning curves are held to.
        ranks_of: Where a record's ranks come from.
        settings: Where the hyper-parameters come from, if the run was told.

    Raises:
        RecbenchError: The records are of different tasks, or ranks are missing.
    """
    summaries = summarise(stored)
    ranks = [
        {one.record.seed: ranks_of(one) for one in summary.records if one.record.status is Status.DONE}
        for summary in summaries
    ]
    curves = any(one.record.curve for one in stored)
    return RunReport(
        task,
        environment,
        ks,
        tuple(summaries),
        uncertainty(ranks, ks),
        tuple(time_to_quality(summaries, ks, target) if curves else ()),
        caution(task, ks),
        tuple(timing_notes([one.record for one in stored])),
        settings,
    )
