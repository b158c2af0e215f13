"""Gates as JUnit XML, which CI systems show as tests: one for each model and metric.

The file fits the schema of Jenkins and that of Ant. No model is timed here, so that all times are 0.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree

from recbench.escaping.xml import xml_text
from recbench.records.target import COSTS, LATENCY, THROUGHPUT
from recbench.reports.cells import signed
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.gate import GateOutcome, GateReport
from recbench.reports.compare.repeat import records_for_others
from recbench.reports.compare.verdict import Verdict

HOST: Final = "localhost"
"""For the name of the machine, which the schema asks for and a report does not tell."""


def junit_xml(reports: Sequence[GateReport]) -> str:
    """Returns a document with a suite for each gate.

    A test fails if its model and metric fail the gate, or if the whole model does. It is skipped if there is nothing
    to compare it with, or if its regression was declared as intended. A metric that is not gated never fails by itself.

    Args:
        reports: The gates.
    """
    root = ElementTree.Element("testsuites")
    for number, report in enumerate(reports):
        root.append(_suite(number, report))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(number: int, report: GateReport) -> ElementTree.Element:
    comparison = report.decided.comparison
    cases = [_case(report, model, metric, decision.verdict) for model, metric, decision in report.decided.cells()] + [
        _case(report, model, name, decision.verdict)
        for name, decisions in ((THROUGHPUT, report.speed), (LATENCY, report.latency))
        for model, decision in zip(comparison.models, decisions, strict=True)
        if decision and decision.verdict
    ]
    name = xml_text(f"recbench gate {records_for_others(comparison.base) or 'BASE'}")
    times = [trial.record.started_at for trial in comparison.current.trials]
    newest = max(times, default=datetime.fromtimestamp(0, UTC)).astimezone(UTC)
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": name,
            "package": "recbench",
            "id": str(number),
            "timestamp": newest.strftime("%Y-%m-%dT%H:%M:%S"),
            "hostname": HOST,
            "tests": str(len(cases)),
            "failures": str(sum(case.find("failure") is not None for case in cases)),
            "errors": "0",
            "skipped": str(sum(case.find("skipped") is not None for case in cases)),
            "time": "0",
        },
    )
    ElementTree.SubElement(suite, "properties")
    suite.extend(cases)
    general = "\n".join(xml_text(finding.line) for finding in report.findings if finding.model is None)
    ElementTree.SubElement(suite, "system-out").text = general
    ElementTree.SubElement(suite, "system-err")
    return suite


def _case(report: GateReport, model: Compared, metric: str, verdict: Verdict) -> ElementTree.Element:
    label = metric if metric in COSTS else report.decided.comparison.label(metric)
    attributes = {"name": f"{model.label} {label}", "classname": model.task.name, "time": "0"}
    case = ElementTree.Element("testcase", {name: xml_text(text) for name, text in attributes.items()})
    failing = [finding.line for finding in report.findings if finding.model is model and finding.metric in ("", metric)]
    accepted = [
        f"Accepted: {regression.line}. Reason: {regression.allowance.explanation}"
        for regression in report.accepted
        if regression.model is model and regression.metric == metric
    ]
    if failing:
        lines = [*failing, *_figures(model, metric)]
        failure = ElementTree.SubElement(case, "failure", {"type": verdict.value, "message": xml_text(failing[0])})
        failure.text = "\n".join(map(xml_text, lines))
    elif accepted or verdict is Verdict.NEW or report.outcome is GateOutcome.NO_BASELINE:
        skipped = ElementTree.SubElement(case, "skipped")
        skipped.text = xml_text(accepted[0]) if accepted else "no baseline to compare with"
    return case


def _figures(model: Compared, metric: str) -> list[str]:
    evidence = model.measured.evidence.get(metric)
    if evidence is None:
        return []
    base, current = model.measured.base[metric], model.measured.current[metric]
    return [
        f"baseline {base.spread.mean:.4f}, current {current.spread.mean:.4f}, difference {signed(evidence.difference)} "
        f"(95 % {signed(evidence.interval.low)} to {signed(evidence.interval.high)})"
    ]
