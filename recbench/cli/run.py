"""``recbench run``: the comparison."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.terminal import ExitCode, animated, emit, emit_json, emit_table, messages
from recbench.device import Device
from recbench.errors import RecbenchError
from recbench.reports.formats import Format

DEFAULT_OUTPUT = Path("results/runs")
MAX_SEED = 2**31 - 1
"""The highest that every framework takes."""


def run(
    models: Annotated[
        str,
        typer.Option(help="Comma-separated: names of 'recbench list', package.module:Class, file.py:Class."),
    ],
    task: Annotated[str, typer.Option(help="A name of 'recbench task list', or a spec file.")] = "ml-100k",
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds each model is trained with.")] = 3,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="The first seed; the others count up.")] = 0,
    k: Annotated[str, typer.Option(help="Cut-offs of HR@k and NDCG@k, comma-separated.")] = "10",
    param: Annotated[
        list[str] | None, typer.Option(help="MODEL.NAME=VALUE sets a hyper-parameter; may be repeated.")
    ] = None,
    threads: Annotated[
        int,
        typer.Option(min=1, help="Threads for each model. One gives the same ranks every time, bit for bit."),
    ] = 1,
    device: Annotated[
        Device, typer.Option(help="What to train on; auto is a GPU where there is one. Models of the CPU stay there.")
    ] = "auto",
    curve: Annotated[
        str | None,
        typer.Option(
            metavar="EPOCHS",
            help="Score after these epochs as well, off the clock: all, every:N, or N,N,... The table then shows how "
            "long each model took to 99 % of its final HR.",
        ),
    ] = None,
    reach: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="HR", help="Show how long each model took to this HR; with --curve."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Also rank each case's item among all items that its user has not met."),
    ] = False,
    metrics: Annotated[
        bool,
        typer.Option(
            "--metrics", help="Also show MRR, AUC, coverage, Gini, popularity, and HR of cohorts; implies --full."
        ),
    ] = False,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Also show all pairs of models: difference, interval, tests.")
    ] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the records.")] = DEFAULT_OUTPUT,
    form: Annotated[Format, typer.Option("--format", help="How the table is printed.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; train nothing.")] = False,
) -> None:
    """Train each model on the task, rank the same candidates with each, and print the comparison.

    Examples:
      recbench run --models bpr,ncf
      recbench run --models popularity,bpr --task ml-100k-loo --seeds 5 --k 5,10,20
      recbench run --models bpr --param bpr.factors=64 --param bpr.epochs=50 --format markdown
      recbench run --models bpr,implicit-bpr --curve all --reach 0.45
      recbench run --models bpr,ncf,popularity --full --metrics --pairs
      recbench run --models popularity,my_model.py:MyModel --task synthetic --json

    Exit codes: 0 all trials done, 2 bad input, 3 a model failed, 130 interrupted.
    """
    from recbench.trials.machine import available_cores, library_settings

    names = _names(models)
    ks = _cut_offs(k)
    if reach is not None and curve is None:
        raise RecbenchError("--reach needs a learning curve.", "Add --curve all, or --curve every:10.")
    if threads > (cores := available_cores()):
        raise RecbenchError(
            f"--threads {threads}, but this process may use {cores} cores: timings would mean nothing.",
            f"Use at most --threads {cores}.",
        )
    if form is Format.CSV and (pairs or metrics):
        raise RecbenchError("--format csv is one table; --pairs and --metrics are others.", "Use --json: it has all.")
    if seed + seeds > MAX_SEED + 1:
        raise RecbenchError(f"The seeds would go beyond {MAX_SEED}.", "Use a smaller --seed.")
    # Before any numeric library is loaded: they read these once.
    os.environ.update(library_settings(threads, device))

    from recbench.cli.progress import AnimatedProgress, PlainProgress
    from recbench.reports.document import run_document
    from recbench.reports.metrics_table import metrics_table
    from recbench.reports.pairs_table import pairs_table
    from recbench.reports.run_report import run_report
    from recbench.reports.table import run_table
    from recbench.tasks.shelf import load_task
    from recbench.trials.configuration import parse_assignments
    from recbench.trials.curve import CurveEpochs
    from recbench.trials.machine import environment
    from recbench.trials.registry import find_model
    from recbench.trials.schedule import LOG_NAME, import_and_configure, plan, run_plan
    from recbench.trials.trial import Conditions

    try:
        points = None if curve is None else CurveEpochs.parse(curve)
        conditions = Conditions(threads, device, ks, points, catalogue=full or metrics)
    except ValueError:
        raise RecbenchError(
            f"--curve {curve!r} is not all, every:N, or N,N,...", "For example: --curve every:5"
        ) from None
    parameters = parse_assignments(param or [], names)
    for name in names:
        find_model(name)
    loaded = load_task(task, progressbar=animated())
    if max(ks) > (most := loaded.summary()["n_negatives"] + 1):
        raise RecbenchError(f"--k {max(ks)} is more than the {most} candidates of a case.", "Use smaller cut-offs.")
    observer = AnimatedProgress() if animated() else PlainProgress()
    configurations = import_and_configure(parameters, observer)
    trials = plan(configurations, range(seed, seed + seeds))
    if dry_run and (as_json or form is Format.JSON):
        planned = [
            {"model": t.configuration.name, "seed": t.seed, "params": t.configuration.parameters} for t in trials
        ]
        emit_json({"schema": 1, "task": loaded.summary(), "plan": planned})
        return
    if dry_run:
        emit_table(
            [[t.configuration.name, t.seed, _readable(t.configuration.parameters)] for t in trials],
            ["model", "seed", "parameters"],
        )
        return
    stored = []
    try:
        for one in run_plan(loaded, trials, conditions, output, observer):
            stored.append(one)  # noqa: PERF402 - keeps what came before an interruption
    except KeyboardInterrupt:
        messages().print(
            f"Interrupted. {len(stored)} of {len(trials)} trials are kept in {output}. Start again with:\n  "
            + shlex.join(["recbench", *sys.argv[1:]]),
            markup=False,
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    finally:
        observer.close()
    report = run_report(loaded.summary(), stored, environment(), ks, reach)
    markdown = form is Format.MARKDOWN
    if as_json or form is Format.JSON:
        emit_json(run_document(report))
    else:
        emit(run_table(report, form))
        if metrics:
            emit("\n" + metrics_table(report, markdown=markdown))
        if pairs:
            emit("\n" + pairs_table(report, markdown=markdown))
    messages().print(f"Records: {output}", style="dim", markup=False)
    if any(summary.errors for summary in report.summaries):
        messages().print(f"Tracebacks: {output / LOG_NAME}", style="dim", markup=False)
        raise typer.Exit(ExitCode.MODEL_FAILED)


def _names(models: str) -> list[str]:
    names = [name.strip() for name in models.split(",") if name.strip()]
    if not names:
        raise RecbenchError("--models names no model.", "For example: --models popularity,bpr")
    return list(dict.fromkeys(names))


def _cut_offs(text: str) -> tuple[int, ...]:
    try:
        ks = sorted({int(part) for part in text.split(",")})
    except ValueError:
        ks = [0]
    if ks[0] < 1:
        raise RecbenchError(f"--k {text!r} is not a list of whole numbers from 1 up.", "For example: --k 5,10,20")
    return tuple(ks)


def _readable(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items()) or "none"
