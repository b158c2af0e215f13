"""The gate's verdict in every format: the comparison, and what follows from it."""

import json

from recbench.escaping.data_files import json_text
from recbench.escaping.markdown import code_block
from recbench.escaping.shell import shell_word
from recbench.reports.cells import code
from recbench.reports.column_rendering import prose
from recbench.reports.compare.document import gate_document
from recbench.reports.compare.gate import GateOutcome, GateReport
from recbench.reports.compare.headline import gate_headline
from recbench.reports.compare.lines import legend, origins, reasons, seeds_compared, tag
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.table import figures, folded, title
from recbench.reports.compare.table_csv import compare_csv
from recbench.reports.compare.table_latex import compare_latex
from recbench.reports.formats import Format
from recbench.reports.rendering import details, paragraph, render_lines
from recbench.reports.view import DEFAULT_VIEW, View


def gate_table(report: GateReport, form: Format, view: View = DEFAULT_VIEW) -> str:
    """Renders a gate's report; as CSV, the figures alone; as JSON, the document; as LaTeX, for papers.

    Args:
        report: The gate's report.
        form: How.
        view: Which columns to show, and the terminal that plain text has to fit.
    """
    decided = report.decided
    if form is Format.CSV:
        return compare_csv(decided)
    if form is Format.JSON:
        return json_text(gate_document(report))
    if form is Format.LATEX:
        return compare_latex(decided, gate_headline(report), view)
    headline, against = gate_headline(report), list(report.reasons)
    shown = [
        *_accepted(report),
        *seeds_compared(decided),
        *_smallest_drops(report),
        *_speed(report),
        *_sanity_checks(report),
    ]
    first = _first_baseline(report, form)
    rest = [*reasons(decided), *legend(decided), f"Policy: {policy_line(decided.policy)}"]
    if form is Format.TEXT:
        listed = [f"- {line}" for line in against] if against[1:] else []
        told = [*rest, *origins(decided), f"Again: {decided.command}"]
        blocks = [[headline, *listed], shown, told]
        top, *others = ("\n".join(prose(block, form, view.screen)) for block in blocks if block)
        return "\n\n".join([top, *(["\n".join(first)] if first else []), figures(decided, form, view), *others])
    listed = render_lines(against, form) if against[1:] else []
    return "\n".join(
        [
            tag(decided, "gate"),
            *title(headline, form),
            "",
            *([*listed, ""] if listed else []),
            *([*first, ""] if first else []),
            figures(decided, form, view),
            "",
            *render_lines(shown, form),
            "",
            *details("How it was decided", folded(rest, decided, form)),
        ]
    )


def _accepted(report: GateReport) -> list[str]:
    """Returns the accepted regressions, and the declarations that nothing needed."""
    lines = [f"Accepted: {one.line}. Reason: {one.allowance.told}." for one in report.accepted]
    lines += [f"Not needed: {one.target} did not regress. Reason: {one.told}." for one in report.unused]
    return lines


def _first_baseline(report: GateReport, form: Format) -> list[str]:
    """Returns how to accept a first baseline; nothing if there is one."""
    if report.outcome is not GateOutcome.NO_BASELINE:
        return []
    advice = "To accept this run as the baseline, take its records (the folder RUN), and commit the result:"
    commands = [f"recbench baseline accept RUN{_label_option(report.decided.comparison.base.text)}", "git add results"]
    if form is Format.MARKDOWN:
        return [advice, "", *code_block(commands)]
    if form is Format.HTML:
        return [*paragraph([advice], form), *(f"<p>{code(command, form)}</p>" for command in commands)]
    return [advice, *(f"  {command}" for command in commands)]


def _label_option(base: str) -> str:
    label = base.rstrip("/").rpartition("/")[2]
    return "" if label == "main" else f" --label {shell_word(label)}"


def policy_line(policy: Policy) -> str:
    """Returns all limits of a policy in one line, written as in its file."""
    return ", ".join(f"{name} = {_toml(value)}" for name, value in policy.to_dict().items())


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)} = {_toml(one)}' for name, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else f"{value:g}"


def _smallest_drops(report: GateReport) -> list[str]:
    decided = report.decided
    known = [
        f"{decided.comparison.named(model)} {decided.comparison.label(metric)} {decision.smallest_drop:.4f}"
        for model, metric, decision in decided.cells(decided.policy.gated_metrics)
        if decision.smallest_drop is not None
    ]
    return [f"Smallest true drop that this gate finds with 80 % power: {', '.join(known)}."] if known else []


def _speed(report: GateReport) -> list[str]:
    lines = []
    for model, speed in zip(report.decided.comparison.models, report.speed, strict=True):
        if speed:
            word = speed.verdict.value if speed.verdict else "not gated"
            lines.append(f"Throughput of {report.decided.comparison.named(model)}: {word}; {speed.reason}.")
    return lines


def _sanity_checks(report: GateReport) -> list[str]:
    broken = [f"{one.model} is not {one.name}" for one in report.sanity_checks if not one.held]
    count = f"{sum(one.held for one in report.sanity_checks)} of {len(report.sanity_checks)} hold"
    names = ", ".join(dict.fromkeys(one.name.value for one in report.sanity_checks))
    return [f"Sanity checks ({names}): {count}" + (f"; failed: {', '.join(broken)}." if broken else ".")]
