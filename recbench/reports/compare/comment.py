"""A gate's report as the comment of a pull request, in Markdown or HTML.

The order is that of a reviewer's questions: the verdict; what changed in the project; the figures of the models that
changed; whether the change is intended; how to repeat it. Everything else is folded.
"""

from collections.abc import Sequence

from recbench.escaping.markdown import code_block
from recbench.reports.cells import NO_BREAK, code, escape
from recbench.reports.column_rendering import render_columns
from recbench.reports.compare.changed_figures import changed_figures
from recbench.reports.compare.columns import comparison_columns
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.gate import DecidedComparison, GateReport
from recbench.reports.compare.gate_lines import ADVICE, accepted_lines, details_lines, first_baseline_commands
from recbench.reports.compare.headline import gate_headline
from recbench.reports.compare.intended import FILE, LABEL, allowing_command, declaration_lines, open_targets
from recbench.reports.compare.lines import (
    by_task,
    legend,
    new_case_lines,
    origins_for_others,
    reasons,
    seeds_and_spread,
    tag,
    task_line,
)
from recbench.reports.compare.table import title
from recbench.reports.compare.verdict import Verdict
from recbench.reports.formats import Format
from recbench.reports.rendering import details, paragraph, render_lines
from recbench.reports.view import DEFAULT_VIEW, View

NAMED = 10
"""More unchanged models than these are counted, not named."""
WITHOUT_CAUSE = "No change of hyper-parameters, code, data or versions, as far as the records show"


def comment(report: GateReport, form: Format, view: View = DEFAULT_VIEW) -> str:
    """Renders a gate's report.

    Args:
        report: The report.
        form: Markdown or HTML.
        view: Which columns to show; without a choice, as many as fit the comment.
    """
    decided = report.decided
    changed = report.changed
    unchanged = [model for model in decided.comparison.models if model not in changed]
    blocks = [
        [tag(decided, "gate"), *title(gate_headline(report), form)],
        _list(report.reasons if report.reasons[1:] else (), form),
        _list(accepted_lines(report), form),
        _first_baseline(report, form),
        _section("What changed", _list(_changes(decided, changed), form), form),
        *_tables(decided, changed, form, view),
        _unchanged_line(decided, unchanged, form),
        _intended(report, form),
        _section("Repeat the comparison", _commands(_repeat(decided), form), form),
        details("How it was decided", _folded(report, unchanged, form, view)),
    ]
    return "\n".join(line for block in blocks if block for line in (*block, "")).rstrip("\n")


def _section(heading: str, lines: Sequence[str], form: Format) -> list[str]:
    if not lines:
        return []
    return [*title(heading, form), "", *lines]


def _list(lines: Sequence[str], form: Format) -> list[str]:
    # A line never breaks beside the sign.
    return [
        render_line.replace(" ±", f"{NO_BREAK}±").replace("± ", f"±{NO_BREAK}")
        for render_line in render_lines(lines, form)
    ]


def _changes(decided: DecidedComparison, changed: Sequence[Compared]) -> list[str]:
    """Returns a line for each change, with the models that it is about; and the models that changed without any."""
    comparison = decided.comparison
    by_change: dict[str, list[str]] = {}
    for model in comparison.models:
        for change in model.changes:
            by_change.setdefault(f"{change.kind} of {{}}: {change.detail}", []).append(comparison.named(model))
    lines = [_capital(text.replace("{}", _named(models), 1)) for text, models in by_change.items()]
    lines += [f"Renamed: {old} is now {new}" for old, new in comparison.renamed.items()]
    for word, verdict in (("New", Verdict.NEW), ("Missing", Verdict.MISSING)):
        names = [comparison.named(model) for model in changed if model.obstacle and model.obstacle.verdict is verdict]
        lines += [f"{word}: {_named(names)}"] if names else []
    without = [comparison.named(model) for model in changed if not model.changes and not model.obstacle]
    if without or not lines:
        lines.append(f"{WITHOUT_CAUSE}: {_named(without)}" if without else f"{WITHOUT_CAUSE}.")
    return lines


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _tables(decided: DecidedComparison, models: Sequence[Compared], form: Format, view: View) -> list[list[str]]:
    """Returns a table for each task, with the lines around it."""
    blocks = []
    for digest, numbered in by_task(decided.comparison).items():
        chosen = [(number, model) for number, model in numbered if model in models]
        if not chosen:
            continue
        line = escape(task_line(numbered[0][1]), form)
        table = (
            render_columns(comparison_columns(decided, chosen), form, view)
            if view.columns or view.sort
            else changed_figures(decided, [model for _, model in chosen], form)
        )
        below = _list([*table.notes, *new_case_lines(decided.comparison, digest)], form)
        blocks.append([line] if form is Format.MARKDOWN else paragraph([line], form))
        blocks.append([table.text])
        blocks.append(below)
    return blocks


def _unchanged_line(decided: DecidedComparison, models: Sequence[Compared], form: Format) -> list[str]:
    if not models:
        return []
    names = _named([decided.comparison.named(model) for model in models])
    limit = f"{decided.policy.floor:g}{' or the limit of the model' if decided.policy.limits else ''}"
    line = escape(f"Unchanged: {names} (no change of more than {limit}).", form)
    return [line] if form is Format.MARKDOWN else paragraph([line], form)


def _first_baseline(report: GateReport, form: Format) -> list[str]:
    commands = first_baseline_commands(report)
    if not commands:
        return []
    above = [ADVICE] if form is Format.MARKDOWN else paragraph([ADVICE], form)
    return [*above, "", *_commands(commands, form)]


def _intended(report: GateReport, form: Format) -> list[str]:
    targets = open_targets(report)
    if not targets:
        return []
    lines = " and ".join(code(line, form) for line in declaration_lines(targets))
    ways = [
        f"Give the pull request the label {code(LABEL, form)},",
        f"commit {lines} in {code(FILE, form)},",
        "or run:",
    ]
    text = " ".join(ways)
    above = [text] if form is Format.MARKDOWN else paragraph([text], form)
    command = allowing_command(_repeat(report.decided)[-1], targets)
    return _section("Is this intended?", [*above, "", *_commands([command], form)], form)


def _repeat(decided: DecidedComparison) -> Sequence[str]:
    return decided.repeat() or (decided.command,)


def _commands(commands: Sequence[str], form: Format) -> list[str]:
    return (
        code_block(commands) if form is Format.MARKDOWN else [f"<p>{code(command, form)}</p>" for command in commands]
    )


def _folded(report: GateReport, unchanged: Sequence[Compared], form: Format, view: View) -> list[str]:
    """Returns the part that is folded at first: the figures of the unchanged models, and what decided."""
    decided = report.decided
    lines = [
        *seeds_and_spread(decided),
        *details_lines(report),
        *reasons(decided, with_changes=False),
        *map(_capital, legend(decided)),
        *origins_for_others(decided),
    ]
    tables = [line for block in _tables(decided, unchanged, form, view) if block for line in (*block, "")]
    return [*tables, *_list(lines, form)]
