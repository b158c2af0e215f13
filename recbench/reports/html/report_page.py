"""The report page of any records: one section for each task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from recbench.evaluation.metric import Measure
from recbench.records.history import Accepted
from recbench.records.selection import RecordSet
from recbench.reports.differences import Defaults
from recbench.reports.html.rendering import render_page
from recbench.reports.html.section import Section, task_section
from recbench.reports.html.suite_section import SuiteSection, suite_section
from recbench.reports.suite.suite_report import SuiteReport


@dataclass(frozen=True, slots=True)
class PageSources:
    """What a report page is made from.

    Attributes:
        runs: The records.
        measures: The metrics; None for the default ones.
        history: All accepted baselines.
        names: The name of each class that has one, by its ``class_identity``; commands name others by their class.
        problems: What is missing on the page, and why.
        defaults: The defaults of the models, as far as they are known.
        suites: The suites among the records.
    """

    runs: Sequence[RecordSet]
    measures: tuple[Measure, ...] | None
    history: Sequence[Accepted]
    names: Mapping[str, str]
    problems: Sequence[str]
    defaults: Defaults = field(default_factory=dict)
    suites: Sequence[SuiteReport] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A rendered page.

    Attributes:
        text: The page as HTML.
        sections: The tasks that it shows.
        suites: The suites that it shows.
    """

    text: str
    sections: Sequence[Section]
    suites: Sequence[SuiteSection]


def report_page(sources: PageSources) -> str:
    """Returns the page as HTML; see ``report``."""
    return report(sources).text


def report(sources: PageSources, home: str = "") -> Report:
    """Renders a page.

    Args:
        sources: What it is made from.
        home: The address of the page that lists all pages; empty if there is none.

    Raises:
        RecbenchError: A cut-off is beyond the lists.
    """
    sections = task_sections(sources)
    suites = [suite_section(suite_report, number) for number, suite_report in enumerate(sources.suites, start=1)]
    of_suites = [f"suite {suite.name}" for suite in suites]
    names = of_suites or dict.fromkeys(section.task for section in sections)
    text = render_page(
        "report.html.jinja",
        title=f"recbench report: {', '.join(names)}",
        places=[run.text for run in sources.runs],
        sections=sections,
        suites=suites,
        problems=sources.problems,
        home=home,
    )
    return Report(text, sections, suites)


def task_sections(sources: PageSources) -> list[Section]:
    """Returns a section for each task, in the order in which the tasks first occur."""
    digests = dict.fromkeys(trial.record.task.digest for run in sources.runs for trial in run.trials)
    return [
        task_section(
            number,
            _of_task(sources.runs, digest),
            sources.measures,
            sources.history,
            sources.names,
            sources.defaults,
        )
        for number, digest in enumerate(digests, start=1)
    ]


def _of_task(runs: Sequence[RecordSet], digest: str) -> list[RecordSet]:
    runs_of_task = [
        replace(run, trials=tuple(trial for trial in run.trials if trial.record.task.digest == digest)) for run in runs
    ]
    return [run for run in runs_of_task if run.trials]
