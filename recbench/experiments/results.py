"""A run as an object: tables, data frames, figures and comparisons, all derived from the ranks of its trials."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbench.errors import NothingToCompareError
from recbench.records.schema import Status
from recbench.records.store import StoredRecord
from recbench.registry.settings_used import SettingsUsed
from recbench.reports.formats import Format
from recbench.reports.run.document import run_document
from recbench.reports.run.metrics_table import metrics_table
from recbench.reports.run.pairs_table import pairs_table
from recbench.reports.run.run_report import RunReport, run_report
from recbench.reports.run.table import run_table
from recbench.tasks.task import Task

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, eq=False)
class Run:
    """The trials of one run on one task.

    Attributes:
        trials: The finished trials, in the order of the plan.
        task: The task.
        ks: Cut-offs of the tables.
        reach: HR for which tables show how long each model took to reach it.
        settings: Where the hyper-parameters come from, if a source was chosen.
        folder: Where the records are.
    """

    trials: tuple[StoredRecord, ...]
    task: Task
    ks: tuple[int, ...]
    reach: float | None = None
    settings: SettingsUsed | None = None
    folder: Path | None = None

    @classmethod
    def of(cls, trials: Sequence[StoredRecord], **fields: Any) -> "Run":
        """Returns the run of these trials; ``fields`` are the other attributes.

        Raises:
            NothingToCompareError: There is no trial.
        """
        if not trials:
            raise NothingToCompareError("There are no trials.", "Run them: recbench run --models ...")
        return cls(tuple(trials), **fields)

    @cached_property
    def report(self) -> RunReport:
        """The figures of the run, computed from the ranks."""
        return run_report(
            self.task.summary(),
            self.trials,
            self.trials[0].record.environment,
            self.ks,
            self.reach,
            settings=self.settings,
        )

    @property
    def failed(self) -> list[StoredRecord]:
        """Trials that did not give all that was asked for."""
        return [one for one in self.trials if not _has_all(one)]

    def table(self, form: str | Format = Format.TEXT) -> str:
        """Returns the table of the command line.

        Args:
            form: ``text``, ``markdown``, ``csv``, ``json``, ``latex`` or ``html``.
        """
        return run_table(self.report, Format(form))

    def metrics_table(self, form: str | Format = Format.TEXT) -> str:
        """Returns MRR, AUC, what lists look like, and HR by cohort; needs the full ranking."""
        return metrics_table(self.report, markdown=form == Format.MARKDOWN)

    def pairs_table(self, form: str | Format = Format.TEXT) -> str:
        """Returns all pairs of configurations: difference, confidence interval, tests."""
        return pairs_table(self.report, markdown=form == Format.MARKDOWN)

    def document(self) -> dict[str, Any]:
        """Returns the JSON document of ``recbench run --json``."""
        return run_document(self.report)


def _has_all(one: StoredRecord) -> bool:
    record = one.record
    return record.status is Status.DONE and record.catalogue_error is None and record.curve_error is None
