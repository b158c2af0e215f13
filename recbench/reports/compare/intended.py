"""How to declare the regressions of a gate as intended."""

import json
from collections.abc import Sequence
from typing import Final

from recbench.escaping.shell import shell_word
from recbench.records.declared_regressions import NAME
from recbench.records.results_folder import RESULTS
from recbench.records.target import ANY, Target
from recbench.reports.compare.gate import GateReport

LABEL: Final = "accept-regression"
"""The label of a pull request with which a maintainer accepts all of its regressions."""
FILE: Final = (RESULTS / NAME).as_posix()
NAMED: Final = 3
"""More regressions than these are declared together, as ``*:*``."""
REASON: Final = "REASON"


def open_targets(report: GateReport) -> list[Target]:
    """Returns the regressions that fail the gate and can be declared as intended; empty if there are none."""
    all_targets = [
        Target(finding.model.group.name, finding.metric)
        for finding in report.findings
        if finding.model and finding.metric and finding.may_be_allowed
    ]
    targets = list(dict.fromkeys(all_targets))
    return targets if len(targets) <= NAMED else [Target(ANY, ANY)]


def allowing_command(command: str, targets: Sequence[Target]) -> str:
    """Returns the command of a gate with the option that declares the regressions."""
    options = [f"--allow {shell_word(str(target))} {REASON!r}" for target in targets]
    return " ".join([command, *options])


def declaration_lines(targets: Sequence[Target]) -> list[str]:
    """Returns the lines of the file that declare the regressions, as TOML."""
    return [f"{json.dumps(str(target), ensure_ascii=False)} = {json.dumps(REASON)}" for target in targets]
