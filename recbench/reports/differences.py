"""The hyper-parameters by which a configuration differs from the defaults of its model: what reports name it by."""

from collections.abc import Container, Mapping, Sequence

from recbench.errors import shortened
from recbench.records.grouping import TrialGroup, conditions_of, differing
from recbench.records.schema import ParameterValue, class_identity
from recbench.registry.parameter_values import as_text
from recbench.reports.run.summary import ModelSummary

Defaults = Mapping[str, Mapping[str, ParameterValue]]
"""The defaults of each class, by its ``class_identity``; a class or parameter without a known default is left out."""

SHOWN = 3
"""More differences than these are counted in a name, not shown."""
MOST_CHARACTERS = 60
"""Of a name, and of a value, in a table of figures; the middle of a longer one is left out."""
LARGEST_WHOLE = 1e15
"""Whole numbers below it are written with all their digits."""


def changed_parameters(summary: ModelSummary, defaults: Defaults) -> dict[str, ParameterValue]:
    """Returns the hyper-parameters of a configuration whose value is not the default, or whose default is not known."""
    known = defaults.get(class_identity(summary.group.record.reference), {})
    return {
        name: value
        for name, value in summary.parameters.items()
        if name not in known or as_text(known[name]) != as_text(value)
    }


def shown_differences(summaries: Sequence[ModelSummary], changed: Sequence[Mapping[str, ParameterValue]]) -> list[str]:
    """Returns the differences that each name shows: all that distinguish it from others, then a few more.

    Args:
        summaries: All configurations of the report.
        changed: The ``changed_parameters`` of each.
    """
    alike: dict[str, list[TrialGroup]] = {}
    for summary in summaries:
        alike.setdefault(summary.group.name, []).append(summary.group)
    varying = {name: differing(groups) for name, groups in alike.items()}
    return [
        _shown(summary.group, parameters, *varying[summary.group.name])
        for summary, parameters in zip(summaries, changed, strict=True)
    ]


def _shown(
    group: TrialGroup,
    changed: Mapping[str, ParameterValue],
    parameters: Container[str],
    conditions: Container[str],
) -> str:
    distinct = [name for name in changed if name in parameters]
    others = [name for name in changed if name not in distinct]
    shown = others[: max(0, SHOWN - len(distinct))]
    texts = [f"{name}={_short(changed[name])}" for name in (*distinct, *shown)]
    hidden = len(others) - len(shown)
    texts += [f"{hidden} more"] if hidden else []
    texts += [text for name, text in conditions_of(group.record).items() if name in conditions]
    return ", ".join(texts)


def difference_notes(summaries: Sequence[ModelSummary], defaults: Defaults) -> list[str]:
    """Returns a line with the hyper-parameters that are not the defaults, and one for models of unknown defaults."""
    changed = [changed_parameters(summary, defaults) for summary in summaries]
    texts: dict[str, list[str]] = {"that are not the defaults": [], "of models whose defaults are not known here": []}
    for summary, parameters, differences in zip(summaries, changed, shown_differences(summaries, changed), strict=True):
        if parameters and differences:
            is_known = bool(defaults.get(class_identity(summary.group.record.reference)))
            texts[list(texts)[not is_known]].append(f"{summary.group.name} ({differences})")
    return [f"Hyper-parameters {which}: {', '.join(named)}." for which, named in texts.items() if named]


def _short(value: ParameterValue) -> str:
    if not isinstance(value, float):
        return shortened(as_text(value), MOST_CHARACTERS)
    return f"{value:.0f}" if value.is_integer() and abs(value) < LARGEST_WHOLE else f"{value:.4g}"
