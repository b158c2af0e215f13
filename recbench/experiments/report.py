"""The report page of records, as one HTML file."""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.errors import RecbenchError
from recbench.evaluation.metric import Measure
from recbench.records.history import Accepted, read_undamaged
from recbench.records.results_folder import history_file
from recbench.records.schema import class_identity
from recbench.records.selection import RecordSet, of_models, read_with_problems
from recbench.registry.models import known_models
from recbench.registry.source_defaults import source_defaults
from recbench.reports.html.report_page import PageSources, report_page


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A rendered report.

    Attributes:
        text: The page in HTML.
        runs: The records that it shows.
        warnings: What is missing on it, and why.
    """

    text: str
    runs: tuple[RecordSet, ...]
    warnings: tuple[str, ...] = ()


def render_report(
    runs: Sequence[str], measures: tuple[Measure, ...] | None = None, models: Sequence[str] | None = None
) -> ReportPage:
    """Renders the report of one or several runs, of any tasks.

    Args:
        runs: Folders of records, single records, labels of accepted baselines, or ``REV:PATH``.
        measures: The metrics; None for the default ones. The first orders the models.
        models: Only these models; None for all.

    Raises:
        RecbenchError: A record cannot be read, or a cut-off is beyond the lists.
        NothingToCompareError: There are no records.
    """
    record_sets = [read_with_problems(run) for run in dict.fromkeys(runs)]
    if models is not None:
        record_sets = of_models(record_sets, models)
    history, damaged = accepted_lines()
    problems = (*(problem for one in record_sets for problem in one.problems), *damaged)
    defaults = source_defaults(trial.record.reference for run in record_sets for trial in run.trials)
    sources = PageSources(record_sets, measures, history, command_names(), problems, defaults)
    return ReportPage(report_page(sources), tuple(record_sets), problems)


def accepted_lines() -> tuple[Sequence[Accepted], list[str]]:
    """Returns the lines of the project's history, and what is wrong with damaged ones; nothing without a history."""
    if not history_file().is_file():
        return (), []
    try:
        history = read_undamaged()
    except RecbenchError as error:
        return (), [error.message]
    return history.lines, list(history.damaged)


def command_names() -> dict[str, str]:
    """Returns the name of each model that has one, by its class."""
    return {class_identity(one.recorded): name for name, one in known_models().items()}
