"""What pages call the configurations, and the part of a page that lists the hyper-parameters of each.

A configuration is named by its differences from the defaults of its model, such as ``ease (l2=1320)``. Each name in a
table is a link to all of its hyper-parameters.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from recbench.errors import shortened
from recbench.escaping.markdown import link, markdown
from recbench.records.grouping import conditions_of, configuration_of, group_names
from recbench.records.schema import ParameterValue, class_identity
from recbench.registry.parameter_values import as_text
from recbench.reports.cells import Markup
from recbench.reports.differences import MOST_CHARACTERS, Defaults, changed_parameters, shown_differences
from recbench.reports.formats import Format
from recbench.reports.rendering import render_lines, render_table
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import ModelSummary


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration of a page.

    Attributes:
        summary: Its trials; ``summary.name`` is its name in sentences.
        differences: Its differences from the defaults, as tables show them behind the name; empty if there are none.
        changed: The hyper-parameters whose value is not the default, or whose default is not known.
        unchanged: The others.
        anchor: The place in the page that lists its hyper-parameters.
        is_known: Whether the defaults of its model are known.
    """

    summary: ModelSummary
    differences: str
    changed: dict[str, ParameterValue]
    unchanged: dict[str, ParameterValue]
    anchor: str
    is_known: bool

    @property
    def full_name(self) -> str:
        """Its name with its differences from the defaults."""
        base = self.summary.group.name
        return f"{base} ({self.differences})" if self.differences else base

    @property
    def cell(self) -> Markup:
        """Its name as a cell in Markdown, with the link to its hyper-parameters."""
        shown = self.differences or ("defaults" if self.unchanged else "no parameters")
        name = markdown(shortened(self.summary.group.name, MOST_CHARACTERS))
        return Markup(f"{name} {link(f'({shown})', f'#{self.anchor}')}")


def configurations(summaries: Sequence[ModelSummary], defaults: Defaults) -> list[Configuration]:
    """Names the configurations of one task; no two have the same name, as far as anything differs.

    Args:
        summaries: The configurations.
        defaults: See ``Defaults``.
    """
    changed = [changed_parameters(summary, defaults) for summary in summaries]
    detailed = shown_differences(summaries, changed)
    counts = Counter(zip((summary.group.name for summary in summaries), detailed, strict=True))
    exact = group_names([summary.group for summary in summaries])
    described = []
    for summary, of_one, details, name in zip(summaries, changed, detailed, exact, strict=True):
        base = summary.group.name
        if counts[base, details] > 1:
            details = name.removeprefix(f"{base} (").removesuffix(")")
        unchanged = {key: value for key, value in summary.parameters.items() if key not in of_one}
        is_known = not summary.parameters or bool(defaults.get(class_identity(summary.group.record.reference)))
        described.append(Configuration(summary, details, of_one, unchanged, _anchor(summary), is_known))
    return described


def with_names(report: RunReport, defaults: Defaults) -> tuple[RunReport, list[Configuration]]:
    """Names the configurations of a report: in sentences, by the model alone if it has no other configuration."""
    described = configurations(report.summaries, defaults)
    bases = [summary.group.name for summary in report.summaries]
    named = [
        replace(
            configuration,
            summary=replace(configuration.summary, name=base if bases.count(base) == 1 else configuration.full_name),
        )
        for configuration, base in zip(described, bases, strict=True)
    ]
    return replace(report, summaries=tuple(configuration.summary for configuration in named)), named


def configurations_section(described: Sequence[Configuration], heading: str) -> list[str]:
    """Renders the hyper-parameters of all configurations, in Markdown; values are exact.

    Args:
        described: The configurations.
        heading: The marks of a heading, such as ``##``.
    """
    rows = [
        [
            Markup(f'<a id="{configuration.anchor}"></a>{markdown(_with_model(configuration))}'),
            Markup(markdown(_listed(configuration.changed))),
            Markup(markdown(_listed(configuration.unchanged))),
        ]
        for configuration in described
    ]
    table = render_table(rows, ["configuration", "not the default", "default"], "lll", Format.MARKDOWN)
    unknown = ", ".join(configuration.full_name for configuration in described if not configuration.is_known)
    notes = [f"The source with the defaults was not found: {unknown}."] if unknown else []
    return [
        f"{heading} Hyper-parameters",
        "",
        table,
        "",
        *render_lines(notes, Format.MARKDOWN),
        *([""] if notes else []),
    ]


def _with_model(configuration: Configuration) -> str:
    """Returns the full name; behind a user's label with the model that it stands for."""
    record = configuration.summary.group.record
    return f"{configuration.full_name}, model {record.model}" if record.label else configuration.full_name


def _anchor(summary: ModelSummary) -> str:
    record = summary.group.record
    identity = repr((record.task.digest, configuration_of(record), conditions_of(record)))
    return f"configuration-{hashlib.sha256(identity.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _listed(parameters: Mapping[str, ParameterValue]) -> str:
    return ", ".join(f"{name}={as_text(value)}" for name, value in parameters.items()) or "none"
