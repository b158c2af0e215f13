"""The report page of records, as one HTML file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.evaluation.metric import Measure
from recbench.experiments.suite import load_suite
from recbench.records.history import Accepted, read_undamaged
from recbench.records.results_folder import history_file
from recbench.records.schema import class_identity
from recbench.records.selection import RecordSet, of_models, read_with_problems
from recbench.records.suite_folder import read_manifest
from recbench.records.suite_layout import is_suite, suite_folders
from recbench.registry.models import known_models
from recbench.registry.source_defaults import source_defaults
from recbench.reports.html.report_page import PageSources, report_page
from recbench.reports.suite.suite_report import SuiteReport


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
    runs = expanded(runs)
    record_sets = [read_with_problems(run) for run in runs]
    suites, suite_problems = suite_reports(runs, models)
    if models is not None:
        record_sets = of_models(record_sets, models)
    history, damaged = accepted_lines()
    problems = (*(problem for record_set in record_sets for problem in record_set.problems), *damaged, *suite_problems)
    defaults = source_defaults(trial.record.reference for run in record_sets for trial in run.trials)
    sources = PageSources(record_sets, measures, history, command_names(), problems, defaults, suites)
    return ReportPage(report_page(sources), tuple(record_sets), problems)


def expanded(runs: Sequence[str]) -> list[str]:
    """Returns the runs, each once, with the folders of its sources in place of a folder of a suite's sources.

    A folder that is named in two ways, such as ``./runs`` and ``runs``, is one run.
    """
    places: dict[Path | str, str] = {}
    for place in (place for run in runs for place in _sources(run)):
        places.setdefault(Path(place).resolve() if Path(place).is_dir() else place, place)
    return list(places.values())


def _sources(run: str) -> list[str]:
    path = Path(run)
    return [str(folder) for folder in suite_folders(path) if folder != path] or [run] if path.is_dir() else [run]


def suite_reports(runs: Sequence[str], models: Sequence[str] | None) -> tuple[list[SuiteReport], list[str]]:
    """Returns the suites among runs, the sources of one suite together; and why others cannot be shown.

    Args:
        runs: See ``render_report``.
        models: Only these models; None for all.
    """
    folders: dict[str, list[str]] = {}
    reports: list[SuiteReport] = []
    problems: list[str] = []
    for run in runs:
        if is_suite(Path(run)):
            try:
                manifest = read_manifest(Path(run))
            except RecbenchError as error:
                problems.append(error.message)
                continue
            folders.setdefault(manifest.name if manifest else "", []).append(run)
    for name, of_suite in folders.items():
        try:
            reports.append(load_suite(of_suite, models=models).report)
        except RecbenchError as error:
            problems.append(f"Suite {name}: {error.message}")
    return reports, problems


def accepted_lines() -> tuple[Sequence[Accepted], list[str]]:
    """Returns what was accepted by the project's history, and its damaged lines; nothing without a history.

    Tracked runs are left out: nobody accepted them, so that they are no baselines and no regressions.
    """
    if not history_file().is_file():
        return (), []
    try:
        history = read_undamaged()
    except RecbenchError as error:
        return (), [error.message]
    return [line for line in history.lines if not line.is_run], list(history.damaged)


def command_names() -> dict[str, str]:
    """Returns the name of each model that has one, by its class."""
    return {class_identity(reference.recorded): name for name, reference in known_models().items()}
