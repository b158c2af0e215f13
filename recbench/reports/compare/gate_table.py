"""The gate's verdict as text, Markdown or LaTeX: the comparison, and what follows from it."""

from recbench.reports.cells import safe
from recbench.reports.compare.gate import GateReport
from recbench.reports.compare.headline import gate_headline
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.table import folded, legend, reasons, sides, tables, tag
from recbench.reports.compare.table_csv import compare_csv
from recbench.reports.formats import CompareFormat
from recbench.reports.rendering import details


def gate_table(report: GateReport, form: CompareFormat) -> str:
    """Renders a gate's report; as CSV and LaTeX, the comparison alone.

    Args:
        report: The gate's report.
        form: Text, Markdown, CSV or LaTeX.
    """
    judgement = report.judgement
    if form is CompareFormat.CSV:
        return compare_csv(judgement)
    if form is CompareFormat.LATEX:
        return tables(judgement, form)
    headline, against = gate_headline(report), list(report.reasons)
    shown = [*_smallest_drops(report), *_speed(report), *_floors(report)]
    rest = [*reasons(judgement), *legend(judgement), f"Policy: {policy_line(judgement.policy)}"]
    if form is CompareFormat.TEXT:
        listed = [f"- {line}" for line in against]
        blocks = [[headline, *(listed if listed[1:] else [])], [tables(judgement, form)], shown]
        told = [*rest, *sides(judgement), f"Again: {judgement.command}"]
        return "\n\n".join("\n".join(block) for block in [*blocks, told] if block)
    listed = [f"- {safe(line)}" for line in against] if against[1:] else []
    return "\n".join(
        [
            tag(judgement, "gate"),
            f"**{safe(headline)}**",
            "",
            *([*listed, ""] if listed else []),
            tables(judgement, form),
            "",
            *[f"- {safe(line)}" for line in shown],
            "",
            *details("How it was decided", folded(rest, judgement)),
        ]
    )


def policy_line(policy: Policy) -> str:
    """Returns all limits of a policy in one line, written as in its file."""
    return ", ".join(f"{name} = {_toml(value)}" for name, value in policy.to_dict().items())


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else f"{value:g}"


def _smallest_drops(report: GateReport) -> list[str]:
    judgement = report.judgement
    known, same = [], []
    for model, metric, decision in judgement.cells(judgement.policy.gated_metrics):
        name = f"{judgement.comparison.named(model)} {metric.upper()}"
        if decision.smallest_drop is not None:
            known.append(f"{name} {decision.smallest_drop:.4f}")
        elif not model.obstacle:
            same.append(name)
    parts = [", ".join(known)] if known else []
    parts += [f"not known where both sides are the same in every case ({', '.join(same)})"] if same else []
    return [f"Smallest true drop that this gate would have seen (80 % power): {'; '.join(parts)}."] if parts else []


def _speed(report: GateReport) -> list[str]:
    lines = []
    for model, speed in zip(report.judgement.comparison.models, report.speed, strict=True):
        if speed:
            word = speed.verdict.value if speed.verdict else "not gated"
            lines.append(f"Throughput of {report.judgement.comparison.named(model)}: {word}; {speed.reason}.")
    return lines


def _floors(report: GateReport) -> list[str]:
    broken = [f"{one.model} is not {one.name}" for one in report.floors if not one.held]
    count = f"{sum(one.held for one in report.floors)} of {len(report.floors)} hold"
    names = ", ".join(dict.fromkeys(one.name.value for one in report.floors))
    return [f"Floors ({names}): {count}" + (f"; broken: {', '.join(broken)}." if broken else ".")]
