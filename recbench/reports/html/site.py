"""A site of report pages: the list of all pages, the history of accepted baselines, and a feed of its regressions."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from recbench.records.history import Accepted
from recbench.records.history_metrics import HR
from recbench.reports.cells import NO_RANKS, signed
from recbench.reports.compare.policy import Policy
from recbench.reports.history_table import parameters_text, varying_names
from recbench.reports.html.charts.svg import Chart
from recbench.reports.html.charts.trend_chart import trend_chart
from recbench.reports.html.rendering import render_feed, render_page
from recbench.reports.html.report_page import PageSources, Report, report
from recbench.reports.html.section import Section
from recbench.reports.html.suite_section import SuiteSection
from recbench.reports.plots.styles import style
from recbench.reports.regressions import Regression, regressions
from recbench.reports.trend import Trend, trends

INDEX, HISTORY, FEED = "index.html", "history.html", "feed.xml"
PAGES = "pages"
"""The folder of the report pages, so that none of them can take the name of another page."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A report page in the list of pages.

    Attributes:
        address: Its address, from the list.
        place: The records that it shows.
        sections: Its tasks.
        suites: Its suites.
    """

    address: str
    place: str
    sections: Sequence[Section]
    suites: Sequence[SuiteSection]


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """An acceptance in the table of a model's history.

    Attributes:
        when: Date and time, UTC.
        label: The label.
        revision: The git revision.
        parameters: The hyper-parameters that are not the same in all rows.
        figure: HR@10, mean over seeds.
        change: Its difference from the acceptance that it replaced.
    """

    when: str
    label: str
    revision: str
    parameters: str
    figure: str
    change: str


@dataclass(frozen=True, slots=True)
class ShownTrend:
    """The history of one model on one task.

    Attributes:
        anchor: Its identifier in the page.
        trend: The history.
        chart: Its chart; None if no acceptance has the metric.
        rows: Its table, the latest first.
    """

    anchor: str
    trend: Trend
    chart: Chart | None
    rows: tuple[AcceptedRow, ...]

    @property
    def parameters_vary(self) -> bool:
        """Whether the rows differ in hyper-parameters."""
        return len({row.parameters for row in self.rows}) > 1


@dataclass(frozen=True, slots=True)
class Alert:
    """A regression, as the page of the history and the feed show it.

    Attributes:
        identifier: A name that no other regression has, ever.
        title: What happened.
        when: When it was accepted.
        address: Where the page of the history shows it.
    """

    identifier: str
    title: str
    when: datetime
    address: str


def site_pages(pages: Mapping[str, PageSources], history: Sequence[Accepted]) -> dict[str, str]:
    """Renders all files of a site.

    Args:
        pages: The sources of each report page, by the name of the page.
        history: All accepted baselines.

    Returns:
        The content of each file, by its path in the site.

    Raises:
        RecbenchError: A record cannot be read.
    """
    shown = _trends(history)
    alerts = _alerts(shown)
    files: dict[str, str] = {}
    listed = []
    for name, sources in pages.items():
        address = f"{PAGES}/{name}.html"
        page: Report = report(sources, home=f"../{INDEX}")
        files[address] = page.text
        listed.append(Listed(address, ", ".join(run.text for run in sources.runs), page.sections, page.suites))
    tasks = dict.fromkeys(section.task for entry in listed for section in entry.sections)
    files[INDEX] = render_page(
        "index.html.jinja",
        title="recbench results",
        feed=FEED,
        history=HISTORY if shown else "",
        alerts=alerts,
        suites=[(entry, suite) for entry in listed for suite in entry.suites],
        tasks={
            task: [(entry, section) for entry in listed for section in entry.sections if section.task == task]
            for task in tasks
        },
    )
    if shown:
        files[HISTORY] = render_page(
            "history.html.jinja",
            title="History of accepted baselines",
            feed=FEED,
            home=INDEX,
            alerts=alerts,
            trends=shown,
        )
    files[FEED] = render_feed("feed.xml.jinja", alerts=alerts, updated=_updated(history), index=INDEX, feed=FEED)
    return files


def _trends(history: Sequence[Accepted]) -> list[ShownTrend]:
    return [
        ShownTrend(f"trend-{number}", trend, trend_chart(trend, HR, style(number - 1)), _rows(trend))
        for number, trend in enumerate(trends(history, [HR]), start=1)
    ]


def _rows(trend: Trend) -> tuple[AcceptedRow, ...]:
    rows = []
    varying = varying_names(trend)
    for acceptance in trend.acceptances:
        spread, change = acceptance.figures[HR], acceptance.changes[HR]
        rows.append(
            AcceptedRow(
                f"{acceptance.accepted_at:%Y-%m-%d %H:%M}",
                acceptance.label,
                (acceptance.sha or "unknown")[:9],
                parameters_text(acceptance, varying),
                f"{spread.mean:.4f}" if spread else NO_RANKS,
                "" if change is None else signed(change),
            )
        )
    return tuple(reversed(rows))


def _alerts(shown: Sequence[ShownTrend]) -> list[Alert]:
    anchors = {id(shown_trend.trend): shown_trend.anchor for shown_trend in shown}
    all_regressions = regressions([shown_trend.trend for shown_trend in shown], HR, Policy())
    return [_alert(regression, anchors[id(regression.trend)]) for regression in all_regressions]


def _alert(regression: Regression, anchor: str) -> Alert:
    trend, after = regression.trend, regression.after
    key = "\n".join([trend.digest, trend.model, *map(str, after.identity), after.accepted_at.isoformat()])
    title = (
        f"{trend.model} on {trend.task}: HR@10 fell from {regression.old.mean:.4f} to {regression.new.mean:.4f} "
        f"(label {after.label}, revision {(after.sha or 'unknown')[:9]})"
    )
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Alert(f"urn:recbench:regression:{digest}", title, after.accepted_at, f"{HISTORY}#{anchor}")


def _updated(history: Sequence[Accepted]) -> datetime:
    """Returns the time of the last acceptance: the same records give the same feed."""
    return max((line.accepted_at for line in history), default=datetime(2026, 1, 1, tzinfo=UTC))
