"""``recbench gate``: may this pull request pass?"""

from typing import Annotated

import typer

from recbench.cli.shared.command_words import BETWEEN_VALUES
from recbench.cli.shared.execution_options import OnlyModels, OnlyTask
from recbench.cli.shared.gate_outputs import Annotations, JUnit, Notify, Summary, gate_outputs
from recbench.cli.shared.next_steps import after_gate, emit_next_step
from recbench.cli.shared.output_options import AsJson, Form
from recbench.cli.shared.record_options import Allow, Base, Current, PolicyFile, Renamed, Strict, note_labels
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.terminal import emit, emit_json
from recbench.progress.console import write_message
from recbench.reports.formats import Format


def gate(
    base: Base,
    current: Current,
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BASE,...",
            help="Comma-separated: more baselines that CURRENT must pass, such as best,v1.0. They catch a slow "
            "decline over many changes.",
        ),
    ] = None,
    models: OnlyModels = None,
    task: OnlyTask = None,
    renamed: Renamed = None,
    allow: Allow = None,
    policy: PolicyFile = None,
    strict: Strict = False,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    junit: JUnit = None,
    annotations: Annotations = None,
    summary: Summary = None,
    notify: Notify = None,
    columns: Columns = None,
    sort: Sort = None,
) -> None:
    """Compare two runs. The exit code says whether the second may replace the first.

    The gate fails if anything could not be compared: missing models or seeds, fewer cases, another task, no records.

    Examples:
      recbench gate main results/runs
      recbench gate main results/runs --against best,v1.0
      recbench gate main results/runs --task ml-100k
      recbench gate origin/main:results/baselines/ml-100k/main results/runs --format markdown
      recbench gate main results/runs --policy gate.toml --strict
      recbench gate main results/runs --junit gate.xml --summary gate.md --notify "$URL"
      recbench gate main results/runs --allow bpr:hr "half the memory" --renamed ncf=neumf

    Exit codes: 0 pass, 1 regressed or a sanity check failed, 2 bad input, 3 a model failed, 4 not comparable or no
    baseline.
    """
    from recbench.experiments.comparison import compare_with_all
    from recbench.experiments.gates import gates_document, worst_outcome
    from recbench.records.gate_notes import write_notes
    from recbench.records.renaming import read_renames
    from recbench.reports.compare.columns import COMPARISON_COLUMNS
    from recbench.reports.compare.gate_result import accepted_notes, result_mark
    from recbench.reports.compare.gate_table import gate_table

    form = Format.JSON if as_json else form
    view = table_view(columns, sort, COMPARISON_COLUMNS, form)
    outputs = gate_outputs(junit, annotations, summary, notify)
    # All are read before anything is printed: a base that is missing must not be overlooked below a table that passes.
    bases, renames = [base, *(against or ())], read_renames(renamed or ())
    reasons = dict(pair.split(BETWEEN_VALUES, 1) for pair in allow or ())
    comparisons = compare_with_all(bases, current, models=models, renamed=renames, task=task)
    note_labels(comparisons[0].current, *(comparison.base for comparison in comparisons))
    gates = [comparison.gate(policy, strict=strict, allow=reasons) for comparison in comparisons]
    outcome = worst_outcome(gates)
    outputs.write([gate.report for gate in gates])
    if form is Format.JSON:
        emit_json(gates_document(gates, outcome))
    else:
        mark = [result_mark([gate.report for gate in gates])] if form in (Format.MARKDOWN, Format.HTML) else []
        tables = [gate_table(gate.report, form, view) for gate in gates]
        emit("\n\n".join([*tables, *mark]), styled=view.screen is not None)
        emit_next_step(after_gate(outcome, current), view.screen)
    first_that_counts = next(gate for gate in gates if gate.outcome is outcome)
    outputs.send(first_that_counts.headline, lambda: gates_document(gates, outcome))
    if outcome.exit_code:
        raise typer.Exit(outcome.exit_code)
    if problem := write_notes(comparisons[0].current, accepted_notes([gate.report for gate in gates])):
        write_message(f"note: {problem}", "yellow")
