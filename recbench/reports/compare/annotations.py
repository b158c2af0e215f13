"""GitHub's annotations of gates: one for each model that changed, in the log and the summary of a job."""

from collections.abc import Sequence
from typing import Final

from recbench.escaping.workflow_commands import Level, annotation
from recbench.reports.cells import signed
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.gate import GateOutcome, GateReport
from recbench.reports.compare.headline import gate_headline
from recbench.reports.compare.verdict import Verdict

SHOWN: Final = 10
"""GitHub shows so many annotations of a level and step."""
LEVELS: Final[tuple[Level, ...]] = ("error", "warning", "notice")
WARNED: Final = (Verdict.REGRESSED, Verdict.LOWER)


def annotations(reports: Sequence[GateReport]) -> list[str]:
    """Returns a command of a workflow for each model that changed, against any of several bases.

    It is an error if the model fails a gate, a warning if it regressed otherwise (a regression that was declared as
    intended, or of a metric that is not gated), else a notice. The last of more than ``SHOWN`` counts the others.
    A gate without a baseline gives a further warning.

    Args:
        reports: The gates.
    """
    levels: dict[str, Level] = {}
    lines: dict[str, list[str]] = {}
    for report in reports:
        for model in report.changed:
            name = report.decided.comparison.named(model)
            level = min(levels.get(name, LEVELS[-1]), _level(report, model), key=LEVELS.index)
            levels[name] = level
            lines.setdefault(name, []).extend(_lines(report, model))
    commands = []
    for level in LEVELS:
        names = [name for name, of_name in levels.items() if of_name == level]
        commands += [annotation(level, f"recbench: {name}", list(dict.fromkeys(lines[name]))) for name in names]
        if len(names) > SHOWN:
            rest = names[SHOWN - 1 :]
            del commands[len(commands) - len(rest) :]
            commands.append(annotation(level, f"recbench: {len(rest)} more models", [", ".join(rest)]))
    general = [finding.line for report in reports for finding in report.findings if finding.model is None]
    # The job may end well without a baseline, so that nobody would look for a misspelled label.
    absent = [gate_headline(report) for report in reports if report.outcome is GateOutcome.NO_BASELINE]
    return [
        *(annotation("error", "recbench", [line]) for line in dict.fromkeys(general)),
        *(annotation("warning", "recbench: no baseline", [line]) for line in dict.fromkeys(absent)),
        *commands,
    ]


def _level(report: GateReport, model: Compared) -> Level:
    if any(finding.model is model for finding in report.findings):
        return "error"
    verdicts = [decision.verdict for compared, _, decision in report.decided.cells() if compared is model]
    is_slower = any(
        decision is not None and decision.verdict in WARNED
        for compared, *costs in zip(report.decided.comparison.models, report.speed, report.latency, strict=True)
        if compared is model
        for decision in costs
    )
    return "warning" if is_slower or any(verdict in WARNED for verdict in verdicts) else "notice"


def _lines(report: GateReport, model: Compared) -> list[str]:
    """Returns what became of a model: why it fails the gate, or else its verdicts."""
    comparison = report.decided.comparison
    failing = [finding.line for finding in report.findings if finding.model is model]
    accepted = [
        f"{regression.line}. Accepted: {regression.allowance.explanation}"
        for regression in report.accepted
        if regression.model is model
    ]
    if failing or accepted:
        return failing + accepted
    if model.obstacle:
        return [f"{model.obstacle.verdict}: {model.obstacle.reason}"]
    return [
        f"{comparison.label(metric)} {decision.verdict}"
        + (f" ({signed(model.measured.evidence[metric].difference)})" if metric in model.measured.evidence else "")
        for compared, metric, decision in report.decided.cells()
        if compared is model and decision.verdict is not Verdict.UNCHANGED
    ] or ["throughput or latency changed"]
