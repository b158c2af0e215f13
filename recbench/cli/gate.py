"""``recbench gate``: may this pull request pass?"""

import shlex
from typing import Annotated

import typer

from recbench.cli.sides import AsJson, Base, Current, Form, PolicyFile
from recbench.cli.terminal import ExitCode, emit, emit_json
from recbench.reports.formats import CompareFormat


def gate(
    base: Base,
    current: Current,
    policy: PolicyFile = None,
    strict: Annotated[bool, typer.Option("--strict", help="Inconclusive does not pass either.")] = False,
    form: Form = CompareFormat.TEXT,
    as_json: AsJson = False,
) -> None:
    """Compare two runs, and end with a code that says whether the second may replace the first.

    Nothing that could not be compared passes: missing models or seeds, fewer cases, another task, no records.

    Examples:
      recbench gate seed results/runs
      recbench gate origin/main:results/baselines/ml-100k/seed results/runs --format markdown
      recbench gate seed results/runs --policy gate.toml --strict

    Exit codes: 0 pass, 1 regressed or a floor broken, 2 bad input, 3 a model failed, 4 not comparable or no baseline.
    """
    from recbench.records.sides import read_sides
    from recbench.reports.compare_document import gate_document
    from recbench.reports.comparison import compare_sides
    from recbench.reports.gate import Outcome
    from recbench.reports.gate import gate as decide_gate
    from recbench.reports.gate_table import gate_table
    from recbench.reports.policy import Policy, read_policy

    limits = read_policy(policy) if policy else Policy()
    limits = limits.model_copy(update={"strict": limits.strict or strict})
    command = ["recbench", "gate", base, current]
    command += ["--policy", str(policy)] if policy else []
    command += ["--strict"] if strict else []
    comparison = compare_sides(*read_sides(base, current), limits.metrics)
    report = decide_gate(comparison, limits, shlex.join(command))
    code = {
        Outcome.PASSED: ExitCode.OK,
        Outcome.REJECTED: ExitCode.CHECK_FAILED,
        Outcome.FAILED: ExitCode.MODEL_FAILED,
        Outcome.NOT_COMPARABLE: ExitCode.NOT_COMPARABLE,
    }[report.outcome]
    if as_json or form is CompareFormat.JSON:
        emit_json(gate_document(report, code))
    else:
        emit(gate_table(report, form))
    if code:
        raise typer.Exit(code)
