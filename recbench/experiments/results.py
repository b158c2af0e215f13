"""A run as an object: tables, data frames and figures, all derived from the ranks of its trials."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recbench.arguments import TEXT, read_argument, read_column_names, read_metrics
from recbench.errors import NothingToCompareError
from recbench.evaluation.metric import Measure, custom_metric
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.new_cases import NewCases
from recbench.evaluation.ranking import Ranks
from recbench.experiments.cut_offs import check_lists
from recbench.experiments.python_words import table_in_python
from recbench.output_files import OutputFile
from recbench.records.environments import merged
from recbench.records.finished_trial import FinishedTrial
from recbench.records.grouping import group_names, group_trials, name_of
from recbench.records.schema import Record, Status
from recbench.records.selection import RecordSet
from recbench.registry.settings_used import SettingsUsed
from recbench.registry.source_defaults import source_defaults
from recbench.reports.column_choice import chosen_view
from recbench.reports.column_rendering import prose
from recbench.reports.cost_figures import present_figures
from recbench.reports.formats import Format
from recbench.reports.run.cost_table import cost_table
from recbench.reports.run.document import run_document
from recbench.reports.run.document_types import RunDocument
from recbench.reports.run.measures_table import measures_table
from recbench.reports.run.metrics_table import metrics_table
from recbench.reports.run.model_columns import run_column_names
from recbench.reports.run.pairs_table import pairs_table
from recbench.reports.run.run_report import RunReport, run_report
from recbench.reports.run.shown_measures import measures_of
from recbench.reports.run.table import run_table
from recbench.reports.timing_notes import SHORTEST_FIT
from recbench.tasks.task import Task
from recbench.trials.logs import log_path

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Run:
    """The trials of one run on one task.

    In a notebook a run shows its table; ``print(run)`` shows the same table as the command line, with the arguments of
    Python in its advice, and the logs of failed trials.

    Attributes:
        trials: The finished trials, in the order of the plan.
        task: The task.
        ks: Cut-offs of the tables.
        reach: HR for which tables show how long each model took to reach it.
        settings: Where the hyper-parameters come from, if a source was chosen.
        folder: Where the records are; None if they are not stored.
        measures: The metrics of the tables; None for HR and NDCG at the cut-offs, also in the full ranking if there is
            one; there with recall@20 and NDCG@20 of users, if users have several cases.
    """

    trials: tuple[FinishedTrial, ...]
    task: Task
    ks: tuple[int, ...] = (10,)
    reach: float | None = None
    settings: SettingsUsed | None = None
    folder: Path | None = None
    measures: tuple[Measure, ...] | None = None

    def __post_init__(self) -> None:
        if not self.trials:
            raise NothingToCompareError("There are no trials.", "Run them: recbench run --models ...")
        has_full = any(trial.record.catalogue for trial in self.trials)
        check_lists(self.task, self.ks, self.measures, full=has_full)

    @cached_property
    def report(self) -> RunReport:
        """The figures of the run, computed from the ranks.

        Raises:
            RecbenchError: A file of ranks was deleted or cannot be read.
        """
        return run_report(
            self.task.summary(),
            self.trials,
            merged(trial.record.environment for trial in self.trials)[0],
            self.ks,
            self.reach,
            self.settings,
            self.measures,
            # Records of older versions, which are kept, do not name them.
            NewCases.of(self.task),
            source_defaults(trial.record.reference for trial in self.trials),
        )

    @cached_property
    def _shown(self) -> tuple[Measure, ...]:
        return measures_of(self.trials, self.ks, self.measures)

    @property
    def failed(self) -> list[FinishedTrial]:
        """Trials that failed, or whose full ranking, curve or measurement in use failed."""
        return [trial for trial in self.trials if not _has_all(trial)]

    def metrics(self, *names: str) -> "Run":
        """Returns the same run with these metrics, instead of the present ones, in its tables, frames and pairs.

        Args:
            names: Such as ``"hr@5"``, ``"mrr"``, or ``"full-recall@20"`` in the full ranking.

        Raises:
            RecbenchError: A metric is unknown, or its cut-off is beyond the candidates.
        """
        return replace(self, measures=_measures(names[0] if len(names) == 1 else names))

    def metric(self, function: Callable[[Ranks], Any], name: str) -> "Run":
        """Returns the same run with a metric of your own, instead of the present ones, in its tables, frames and pairs.

        The metric gets a confidence interval and the paired tests like every other metric.

        Args:
            function: Takes ``recbench.evaluation.ranking.Ranks`` (arrays int32[cases]: ``users``, ``n_others``,
                ``better``, ``tied``) and returns float[cases], all finite; a higher value is better.
            name: Name of the metric in tables.

        Raises:
            RecbenchError: The function returns another shape, no numbers, or a value that is not finite.
        """
        measure = Measure(custom_metric(function, name))
        # At once, so that a wrong function fails here and not when the table is shown.
        for trial in self.trials:
            if trial.candidate_ranks is not None:
                measure.values(trial.candidate_ranks)
                break
        return replace(self, measures=(measure,))

    def to_frame(self) -> "pd.DataFrame":
        """Returns one row for each trial and metric.

        Columns: model, seed, ranking (``candidates`` or ``full``), metric, value, status, parameters (a dict), epochs,
        fit_seconds, score_seconds, interactions_per_second (missing for a fit that is too short to time), threads,
        device. A trial without ranks has one row, with the metric and value missing.

        Raises:
            RecbenchError: A file of ranks was deleted or cannot be read.
        """
        import pandas as pd

        return pd.DataFrame([row for name, trial in self._named_trials() for row in self._rows(name, trial)])

    def ranks_frame(self) -> "pd.DataFrame":
        """Returns one row for each case of each trial that is done.

        Columns: model, seed, case, user and item (original ids), better, tied, rank; with the full ranking also
        full_better, full_tied and full_rank. ``better`` counts the items with a higher score than the held-out item,
        ``tied`` those with an equal score; ``rank`` = better + tied / 2 + 1 is the expected rank.

        Raises:
            RecbenchError: A file of ranks was deleted or cannot be read.
        """
        import pandas as pd

        cases = self.task.test
        users = _ids(self.task.user_ids, cases.users)
        items = _ids(self.task.item_ids, cases.items)
        frames = []
        for name, trial in self._named_trials():
            if trial.candidate_ranks is None:
                continue
            columns: dict[str, Any] = {
                "model": name,
                "seed": trial.record.seed,
                "case": np.arange(len(cases)),
                "user": users,
                "item": items,
            }
            for prefix, ranks in (("", trial.candidate_ranks), ("full_", trial.full_ranks)):
                if ranks is not None:
                    columns[f"{prefix}better"] = ranks.better
                    columns[f"{prefix}tied"] = ranks.tied
                    columns[f"{prefix}rank"] = ranks.better + ranks.tied / 2 + 1
            frames.append(pd.DataFrame(columns))
        if not frames:
            raise NothingToCompareError("No trial of this run is done.", "See run.failed for the reasons.")
        return pd.concat(frames, ignore_index=True)

    def pairs(self) -> "pd.DataFrame":
        """Returns one row for each pair of configurations and metric.

        Columns: metric, such as ``hr@10`` or ``full-hr@10``, first, second, difference (first minus second), low and
        high (95 % confidence interval), p, p_holm (over all pairs of the metric), better_in, equal_in and worse_in
        (shares of cases in which the first model is better, equal or worse; metrics of users: shares of users),
        detectable (the smallest true difference found with 80 % power).
        """
        import pandas as pd

        names = [summary.name for summary in self.report.summaries]
        columns = [
            "metric", "first", "second", "difference", "low", "high", "p", "p_holm", "better_in", "equal_in",
            "worse_in", "detectable",
        ]  # fmt: skip
        rows = [
            [
                pair.measure.name,
                names[pair.first],
                names[pair.second],
                pair.evidence.difference,
                pair.evidence.interval.low,
                pair.evidence.interval.high,
                pair.evidence.p,
                pair.p_adjusted,
                pair.evidence.won,
                pair.tied,
                pair.evidence.lost,
                pair.detectable,
            ]
            for pair in self.report.uncertainty.pairs
        ]
        return pd.DataFrame(rows, columns=columns)

    def curves(self) -> "pd.DataFrame":
        """Returns one row for each point of a learning curve and metric.

        Columns: model, seed, epoch, fit_seconds, metric, value. Empty without ``curve=...``.
        """
        import pandas as pd

        rows = [
            [name, trial.record.seed, point.epoch, point.fit_seconds, metric, value]
            for name, trial in self._named_trials()
            for point in trial.record.curve
            for metric, value in point.metrics.items()
        ]
        return pd.DataFrame(rows, columns=["model", "seed", "epoch", "fit_seconds", "metric", "value"])

    def plot(
        self,
        path: str | os.PathLike[str],
        metric: str = "hr@10",
        against: str = "throughput",
        *,
        force: bool = False,
    ) -> Path:
        """Draws quality against speed.

        Args:
            path: The picture; its ending is the format: .png, .svg or .pdf.
            metric: The metric of the vertical axis.
            against: The horizontal axis: ``throughput`` or ``fit-seconds``.
            force: Whether to replace a file that recbench did not write, or that was edited.

        Returns:
            The path of the picture.

        Raises:
            RecbenchError: matplotlib is not installed, the picture cannot be written, or a file is there that recbench
                did not write.
        """
        from recbench.reports.plots.speed_quality import speed_quality
        from recbench.reports.plots.speed_quality_axes import Cost
        from recbench.reports.plots.speed_quality_plot import draw_speed_quality

        content = speed_quality([self.records()], parse_measure(metric), Cost(against))
        return draw_speed_quality(content, OutputFile(Path(path), force))

    def table(
        self,
        form: str | Format = Format.TEXT,
        *,
        marks: bool = True,
        columns: str | Sequence[str] | None = None,
        sort: str | None = None,
    ) -> str:
        """Returns the table of the command line, with the arguments of Python in its advice.

        Args:
            form: ``text``, ``markdown``, ``csv``, ``json``, ``latex`` or ``html``.
            marks: Whether to mark the best model and the models that are not significantly different from it.
            columns: Show these columns, in this order, such as ``["model", "hr@10", "speed"]``; None for all. CSV and
                JSON always have all columns.
            sort: Sort rows by this column, the best first; None for the order of the models. CSV and JSON keep their
                order.

        Raises:
            RecbenchError: A column is unknown, or is named twice.
        """
        chosen = None if columns is None else read_column_names(columns)
        by = None if sort is None else read_argument("sort", TEXT, sort, 'For example: sort="hr@10"')
        view = chosen_view(chosen, by, run_column_names(self._shown), options=("columns", "sort"))
        return table_in_python(run_table(self.report, Format(form), marks=marks, view=view), Format(form))

    def measures_table(self, names: Sequence[str], form: str | Format = Format.TEXT) -> str:
        """Returns a table of any metrics, among the candidates and in the full ranking where there is one.

        Args:
            names: Such as ``["recall@20", "map@10"]``.
            form: See ``table``.
        """
        return measures_table(self.report, _measures(names), Format(form))

    def metrics_table(self, form: str | Format = Format.TEXT) -> str:
        """Returns the table of MRR, AUC, what lists look like, and HR by cohort."""
        return metrics_table(self.report, Format(form))

    def cost_table(self, form: str | Format = Format.TEXT) -> str:
        """Returns the table of what each model costs in use: latency, users per second, size, memory and energy.

        Raises:
            NothingToCompareError: No trial was measured in use, and no sensor was read.
        """
        if not present_figures([trial.record for trial in self.trials]):
            raise NothingToCompareError("No model of this run was measured in use.", "Run with serving=True.")
        return cost_table(self.report, Format(form))

    def pairs_table(self, form: str | Format = Format.TEXT) -> str:
        """Returns the table of all pairs: difference, confidence interval, tests."""
        return pairs_table(self.report, Format(form))

    def document(self) -> RunDocument:
        """Returns the JSON document of ``recbench run --json``."""
        return run_document(self.report)

    def records(self) -> RecordSet:
        """Returns the trials as one side of a comparison."""
        text = str(self.folder) if self.folder is not None else f"run on {self.task.name}"
        paths = [trial.path for trial in self.trials if trial.path is not None]
        return RecordSet(text, self.trials, frozenset(str(path.resolve()) for path in paths))

    def __repr__(self) -> str:
        return "\n".join([self.table(), *log_lines(self.failed, Format.TEXT)])

    def _repr_html_(self) -> str:
        return "\n".join([self.table(Format.HTML), *log_lines(self.failed, Format.HTML)])

    def _named_trials(self) -> Iterator[tuple[str, FinishedTrial]]:
        groups = group_trials(self.trials)
        for name, group in zip(group_names(groups), groups, strict=True):
            for trial in group.trials:
                yield name, trial

    def _rows(self, name: str, trial: FinishedTrial) -> Iterator[dict[str, Any]]:
        record = trial.record
        common = {
            "status": record.status.value,
            "parameters": dict(record.parameters),
            "epochs": record.epochs,
            "fit_seconds": record.fit_seconds,
            "score_seconds": record.score_seconds,
            "interactions_per_second": math.nan if _is_too_short(record) else record.interactions_per_second,
            "threads": record.threads,
            "device": record.device,
        }
        values: list[tuple[str | None, str | None, float | None]] = [
            (measure.ranking.value, measure.base_name, value)
            for measure in self._shown
            if (value := trial.mean(measure)) is not None
        ]
        for ranking, metric, value in values or [(None, None, None)]:
            yield {
                "model": name,
                "seed": record.seed,
                "ranking": ranking,
                "metric": metric,
                "value": value,
                **common,
            }


def log_lines(failed: Sequence[FinishedTrial], form: Format) -> list[str]:
    """Returns where the output of failed trials is, as far as it exists on this machine, in a format."""
    paths = [(trial.record, log_path(trial.path)) for trial in failed if trial.path is not None]
    lines = [f"Log of {name_of(record)}, seed {record.seed}: {path}" for record, path in paths if path.exists()]
    return prose(lines, form, None)


def _measures(names: str | Sequence[str]) -> tuple[Measure, ...]:
    return tuple(parse_measure(name) for name in read_metrics(names))


def _is_too_short(record: Record) -> bool:
    """Whether the throughput depends on the clock and on the set-up of the fit; tables show a dash instead."""
    return record.fit_seconds is not None and record.fit_seconds < SHORTEST_FIT


def _has_all(trial: FinishedTrial) -> bool:
    record = trial.record
    errors = (record.catalogue_error, record.curve_error, record.serving_error)
    return record.status is Status.DONE and not any(error is not None for error in errors)


def _ids(table: Any, indices: Any) -> Any:
    """Returns the original ids of dense indices, object[n]."""
    return np.array(list(table), dtype=object)[indices]
