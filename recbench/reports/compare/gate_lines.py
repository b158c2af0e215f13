"""Lines of a gate's report, before any format."""

import json

from recbench.errors import did_you_mean
from recbench.escaping.shell import shell_word
from recbench.records.target import ANY, COSTS, parse_target
from recbench.reports.compare.gate import GateOutcome, GateReport
from recbench.reports.compare.policy import Policy

NAMED = 10
"""More compared models than these are counted, not named."""
ADVICE = "To accept this run as the baseline, accept its records (the folder RUN) and commit the result:"


def accepted_lines(report: GateReport) -> list[str]:
    """Returns the accepted regressions, and the declarations that nothing needed."""
    lines = [
        f"Accepted: {regression.line}. Reason: {regression.allowance.explanation}." for regression in report.accepted
    ]
    lines += [
        f"Not needed: {allowance.target} did not regress. Reason: {allowance.explanation}."
        for allowance in report.unused
    ]
    return lines


def first_baseline_commands(report: GateReport) -> list[str]:
    """Returns the commands that accept a first baseline; none if there is one."""
    if report.outcome is not GateOutcome.NO_BASELINE:
        return []
    return [f"recbench baseline accept RUN{_label_option(report.decided.comparison.base.text)}", "git add results"]


def first_baseline_lines(report: GateReport) -> list[str]:
    """Returns how to accept a first baseline, as plain text; nothing if there is one."""
    commands = first_baseline_commands(report)
    return [ADVICE, *(f"  {command}" for command in commands)] if commands else []


def details_lines(report: GateReport) -> list[str]:
    """Returns what else decided: power, throughput, latency, sanity checks and, last, the policy."""
    policy = f"Policy: {policy_line(report.decided.policy)}"
    return [*_smallest_drops(report), *_speed(report), *_sanity_checks(report), *limit_notes(report), policy]


def limit_notes(report: GateReport) -> list[str]:
    """Returns a line for each limit of the policy that is about no compared model or metric.

    It is no error, because one policy may serve several comparisons.
    """
    comparison, policy = report.decided.comparison, report.decided.policy
    models = sorted({name for model in comparison.models for name in (model.model, model.label)})
    lines = []
    for text in policy.limits:
        target = parse_target(text)
        metric = target.metric_at(policy.k)
        if target.model not in (ANY, *models):
            compared = ", ".join(models[:NAMED]) + (f" and {len(models) - NAMED} more" if models[NAMED:] else "")
            lines.append(
                f"The limit {text!r} of the policy has no effect: {target.model} is not among the compared models "
                f"({compared}).{did_you_mean(target.model, models)}"
            )
        elif metric not in (ANY, *COSTS, *comparison.metrics):
            lines.append(
                f"The limit {text!r} of the policy has no effect: {metric} is not compared "
                f"({', '.join(comparison.metrics)}). To compare it, add it to the field gated."
            )
    return lines


def _label_option(base: str) -> str:
    label = base.rstrip("/").rpartition("/")[2]
    return "" if label == "main" else f" --label {shell_word(label)}"


def policy_line(policy: Policy) -> str:
    """Returns the limits of a policy that differ from the defaults in one line, written as in its file."""
    defaults = Policy().to_dict()
    changed = [f"{name} = {_toml(value)}" for name, value in policy.to_dict().items() if value != defaults.get(name)]
    return f"{', '.join(changed)}; defaults for all other fields" if changed else "the defaults"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)} = {_toml(entry)}' for name, entry in value.items())}}}"
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
    for name, decisions in (("Throughput", report.speed), ("Latency", report.latency)):
        for model, decision in zip(report.decided.comparison.models, decisions, strict=True):
            if decision:
                word = decision.verdict.value if decision.verdict else "not gated"
                lines.append(f"{name} of {report.decided.comparison.named(model)}: {word}; {decision.reason}.")
    return lines


def _sanity_checks(report: GateReport) -> list[str]:
    comparison = report.decided.comparison
    names_of_models = {(model.label, model.task.name): comparison.named(model) for model in comparison.models}
    broken = [
        f"{names_of_models[check.model, check.task]} is not {check.name}"
        for check in report.sanity_checks
        if not check.held
    ]
    count = f"{sum(check.held for check in report.sanity_checks)} of {len(report.sanity_checks)} hold"
    names = ", ".join(dict.fromkeys(check.name.value for check in report.sanity_checks))
    return [f"Sanity checks ({names}): {count}" + (f"; failed: {', '.join(broken)}." if broken else ".")]
