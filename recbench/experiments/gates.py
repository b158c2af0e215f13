"""The verdict on a run as an object, several of them together, and the limits of a gate."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recbench.arguments import PATH, read_argument
from recbench.reports.compare.document import gate_document
from recbench.reports.compare.document_types import GateDocument
from recbench.reports.compare.gate import GateOutcome, GateReport
from recbench.reports.compare.gate_table import gate_table
from recbench.reports.compare.headline import gate_headline
from recbench.reports.compare.policy import Policy, read_policy
from recbench.reports.formats import Format

WORST_LAST = (
    GateOutcome.PASSED,
    GateOutcome.NO_BASELINE,
    GateOutcome.REJECTED,
    GateOutcome.NOT_COMPARABLE,
    GateOutcome.FAILED,
)


@dataclass(frozen=True, eq=False)
class Gate:
    """Whether a run may replace the accepted one.

    Attributes:
        report: The verdicts and everything that follows from them.
    """

    report: GateReport

    @property
    def passed(self) -> bool:
        """Whether nothing regressed and everything could be compared."""
        return self.report.outcome is GateOutcome.PASSED

    @property
    def outcome(self) -> GateOutcome:
        """``passed``, ``rejected``, ``failed`` or ``not comparable``."""
        return self.report.outcome

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the gate does not pass, one line each; empty if it passes."""
        return self.report.reasons

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        return gate_headline(self.report)

    def table(self, form: str | Format = Format.TEXT) -> str:
        """Returns what ``recbench gate`` prints, in a format."""
        return gate_table(self.report, Format(form))

    def document(self) -> GateDocument:
        """Returns the JSON document of ``recbench gate --json``."""
        return gate_document(self.report)

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        return self.table(Format.HTML)


def worst_outcome(gates: Sequence[Gate]) -> GateOutcome:
    """Returns the worst outcome of several gates, all of which a run must pass."""
    return max((gate.outcome for gate in gates), key=WORST_LAST.index)


def gates_document(gates: Sequence[Gate], outcome: GateOutcome) -> dict[str, Any]:
    """Returns the JSON document of a gate; of several, one that holds all of theirs."""
    first, *others = [gate.document() for gate in gates]
    if not others:
        return {**first}
    return {"schema": 1, "outcome": outcome.value, "exit_code": outcome.exit_code, "gates": [first, *others]}


def read_limits(policy: Policy | str | os.PathLike[str] | None) -> Policy:
    """Returns limits, given as an object or as a TOML file; the defaults for None.

    Raises:
        RecbenchError: The file cannot be read.
    """
    if policy is None:
        return Policy()
    if isinstance(policy, Policy):
        return policy
    return read_policy(read_argument("policy", PATH, policy, 'For example: policy="policy.toml"'))
