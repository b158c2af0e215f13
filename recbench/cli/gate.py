"""``recbench gate``: may this pull request pass?"""

from typing import Annotated

import typer

from recbench.cli.shared.next_steps import after_gate, emit_next_step
from recbench.cli.shared.output_options import AsJson, Form
from recbench.cli.shared.record_options import Base, Current, PolicyFile, note_labels
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.terminal import emit, emit_json
from recbench.reports.formats import Format


def gate(
    base: Base,
    current: Current,
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BASE,...",
            help="Comma-separated: further bases that CURRENT must pass too, such as best,v1.0. They find slow losses.",
        ),
    ] = None,
    policy: PolicyFile = None,
    strict: Annotated[bool, typer.Option("--strict", help="Inconclusive does not pass either.")] = False,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
) -> None:
    """Compare two runs, and end with a code that says whether the second may replace the first.

    Nothing that could not be compared passes: missing models or seeds, fewer cases, another task, no records.

    Examples:
      recbench gate main results/runs
      recbench gate main results/runs --against best,v1.0
      recbench gate origin/main:results/baselines/ml-100k/main results/runs --format markdown
      recbench gate main results/runs --policy gate.toml --strict

    Exit codes: 0 pass, 1 regressed or a sanity check failed, 2 bad input, 3 a model failed, 4 not comparable or no
    baseline.
    """
    from recbench.experiments.comparison import compare, worst_outcome
    from recbench.reports.compare.columns import COMPARISON_COLUMNS
    from recbench.reports.compare.gate_table import gate_table

    form = Format.JSON if as_json else form
    view = table_view(columns, sort, COMPARISON_COLUMNS, form)
    bases = [base, *(against or ())]
    # All are read before anything is printed: a base that is missing must not be overlooked below a table that passes.
    comparisons = [compare(one, current) for one in bases]
    note_labels(comparisons[0].current, *(comparison.base for comparison in comparisons))
    gates = [comparison.gate(policy, strict=strict) for comparison in comparisons]
    outcome = worst_outcome(gates)
    if form is Format.JSON:
        documents = [one.document() for one in gates]
        whole = {"schema": 1, "outcome": outcome.value, "exit_code": outcome.exit_code, "gates": documents}
        emit_json(whole if against else documents[0])
    else:
        emit("\n\n".join(gate_table(one.report, form, view) for one in gates), styled=view.screen is not None)
        emit_next_step(after_gate(outcome, current), view.screen)
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)
