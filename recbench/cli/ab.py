"""``recbench ab``: two revisions on one machine."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.command_words import BETWEEN_VALUES
from recbench.cli.shared.commit_options import OwnEnvironments
from recbench.cli.shared.execution_options import (
    Configurations,
    DeviceOption,
    FirstSeed,
    MaxMemory,
    Task,
    Threads,
    Timeout,
)
from recbench.cli.shared.gate_outputs import Annotations, JUnit, Notify, Summary, gate_outputs
from recbench.cli.shared.interruption import interruption_message
from recbench.cli.shared.output_options import FOLDER, OUTPUT, PANEL, AsJson, Form, Quiet, check_folder
from recbench.cli.shared.record_options import Allow, PolicyFile, Strict
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.terminal import emit, emit_json, set_quiet
from recbench.escaping.shell import shell_command
from recbench.experiments.defaults import AB_SEEDS, DEFAULT_TASK
from recbench.progress.console import write_message
from recbench.reports.formats import Format


def ab(
    base: Annotated[str, typer.Argument(help="The revision to compare with: a branch, a tag or a commit.")],
    head: Annotated[str, typer.Argument(help="The revision that may replace it.")],
    models: Configurations,
    task: Task = DEFAULT_TASK,
    seeds: Annotated[
        int, typer.Option(min=1, help="Number of pairs of trials for each model. A verdict on throughput needs 6.")
    ] = AB_SEEDS,
    seed: FirstSeed = 0,
    settings: Annotated[
        str | None,
        typer.Option(metavar="tuned|default|FILE", help="Hyper-parameters of each revision, as in 'recbench run'."),
    ] = None,
    own_environments: OwnEnvironments = False,
    policy: PolicyFile = None,
    allow: Allow = None,
    strict: Strict = False,
    threads: Threads = 1,
    device: DeviceOption = "auto",
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    output: Annotated[
        Path | None,
        typer.Option(
            *OUTPUT,
            metavar=FOLDER,
            help="Keep the records in this folder. The same command then resumes an interrupted comparison.",
            show_default="removed at the end",
            callback=check_folder,
            rich_help_panel=PANEL,
        ),
    ] = None,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    junit: JUnit = None,
    annotations: Annotations = None,
    summary: Summary = None,
    notify: Notify = None,
    columns: Columns = None,
    sort: Sort = None,
    quiet: Quiet = False,
) -> None:
    """Train two revisions of a git repository on this machine, and gate the second: quality and throughput.

    Each revision is checked out in a work tree of its own; your checkout does not change. The trials alternate in
    the order A B B A, each in a process of its own, with the same seeds. A control first alternates BASE with itself:
    a change of throughput must be larger than the noise of this control.

    Examples:
      recbench ab main HEAD --models shop/net.py:Net
      recbench ab v1.0 HEAD --models bpr,popularity --seeds 10 -o results/ab
      recbench ab HEAD~1 HEAD --models shop/net.py:Net --task ml-100k-loo --format markdown
      recbench ab main HEAD --models shop/net.py:Net --allow Net:throughput "one more layer"

    Exit codes: 0 pass, 1 regressed or a sanity check failed, 2 bad input, 3 a model failed, 4 not comparable, 130
    interrupted, 143 terminated.
    """
    set_quiet(quiet)
    with interruption_message(output) as count:
        if not quiet:
            write_message(f"Task {task}; models {', '.join(dict.fromkeys(models))}; {base} against {head}", "dim")

        from recbench.evaluation.ranking import Ranking
        from recbench.experiments.ab import ABRequest, ab_document
        from recbench.experiments.ab import ab as compare_revisions
        from recbench.experiments.execution import Execution
        from recbench.experiments.gates import read_limits
        from recbench.progress.choice import run_progress
        from recbench.reports.compare.columns import COMPARISON_COLUMNS
        from recbench.reports.compare.gate_result import result_mark
        from recbench.reports.compare.gate_table import gate_table

        form = Format.JSON if as_json else form
        view = table_view(columns, sort, COMPARISON_COLUMNS, form)
        Execution(threads=threads, device=device, timeout=timeout, max_memory=max_memory).check()
        limits = read_limits(policy)
        outputs = gate_outputs(junit, annotations, summary, notify)
        reasons = dict(pair.split(BETWEEN_VALUES, 1) for pair in allow or ())
        options = _options(
            settings=settings,
            threads=threads if threads != 1 else None,
            device=device if device != "auto" else None,
            timeout=timeout,
            max_memory=max_memory,
        )
        if any(measure.ranking is Ranking.FULL for measure in limits.measures):
            options.append("--full")
        words = ["recbench", "ab", base, head, "--models", ",".join(models), "--task", task, "--seeds", str(seeds)]
        words += [*(["--seed", str(seed)] if seed else []), *options]
        words += ["--own-environments"] if own_environments else []
        words += ["--policy", str(policy)] if policy else []
        words += [word for pair in reasons.items() for word in ("--allow", *pair)]
        words += ["--strict"] if strict else []
        request = ABRequest(
            base=base,
            head=head,
            models=list(dict.fromkeys(models)),
            seeds=range(seed, seed + seeds),
            task=task,
            options=options,
            own_environments=own_environments,
            output=output,
            command=shell_command(words),
        )
        progress = count.of(run_progress(quiet=quiet))
        try:
            result = compare_revisions(request, progress)
        finally:
            progress.close()
        gate = result.gate(limits, strict=strict, allow=reasons)
        outputs.write([gate.report])
        if form is Format.JSON:
            emit_json(ab_document(result, gate))
        else:
            mark = [result_mark([gate.report])] if form in (Format.MARKDOWN, Format.HTML) else []
            emit("\n\n".join([gate_table(gate.report, form, view), *mark]), styled=view.screen is not None)
        outputs.send(gate.headline, lambda: ab_document(result, gate))
        if output is not None and not quiet:
            write_message(f"Records: {output}", "dim")
    if gate.outcome.exit_code:
        raise typer.Exit(gate.outcome.exit_code)


def _options(**options: object) -> list[str]:
    """Returns the options of ``recbench run`` that have a value; a revision may not know others."""
    return [
        word
        for name, value in options.items()
        if value is not None
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
