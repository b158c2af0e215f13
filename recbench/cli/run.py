"""``recbench run``: the comparison."""

import os
from typing import TYPE_CHECKING, Annotated, cast

import typer

from recbench.cli.shared.execution_options import (
    Cluster,
    Configurations,
    CutOffs,
    DeviceOption,
    FirstSeed,
    Jobs,
    MaxMemory,
    Metrics,
    Param,
    RunAgain,
    Seeds,
    Task,
    Threads,
    Timeout,
    Track,
)
from recbench.cli.shared.interruption import interruption_message
from recbench.cli.shared.lists import cut_offs
from recbench.cli.shared.next_steps import after_run, emit_next_step
from recbench.cli.shared.output_options import AsJson, Form, Quiet, RecordsFolder
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.tables import emit_table
from recbench.cli.shared.terminal import emit, emit_json, exit_if_failed, set_quiet
from recbench.errors import RecbenchError
from recbench.experiments.defaults import DEFAULT_OUTPUT, DEFAULT_TASK, N_SEEDS
from recbench.progress.console import write_message
from recbench.reports.formats import Format
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.serving_plan import ServingPlan

if TYPE_CHECKING:
    from recbench.cli.shared.document_types import PlanDocument
    from recbench.experiments.run import RunRequest
    from recbench.progress.choice import Progress
    from recbench.reports.run.document_types import TaskDocument


def run(
    models: Configurations,
    task: Task = DEFAULT_TASK,
    seeds: Seeds = N_SEEDS,
    seed: FirstSeed = 0,
    k: CutOffs = None,
    param: Param = None,
    settings: Annotated[
        str | None,
        typer.Option(
            metavar="tuned|default|FILE",
            help="Source of the hyper-parameters: tuned settings (of the project, else of recbench), the models' "
            "own defaults, or a file that 'recbench tune' wrote. --param takes precedence.",
        ),
    ] = None,
    threads: Threads = 1,
    device: DeviceOption = "auto",
    curve: Annotated[
        str | None,
        typer.Option(
            metavar="EPOCHS",
            help="Also score after these epochs: all, every:N, or N,N,... The training time excludes this scoring. "
            "The table then "
            "shows the training time until 99 % of the final HR.",
        ),
    ] = None,
    reach: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="HR", help="With --curve: show the training time until this HR."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Also compute the full ranking: rank each held-out item among all items the user has not interacted "
            "with.",
        ),
    ] = False,
    serving: Annotated[
        bool,
        typer.Option(
            "--serving",
            help="Also measure each trained model in use, in about 10 s: latency of requests for one user, users per "
            "second in batches, size and memory.",
        ),
    ] = False,
    metrics: Metrics = None,
    more_metrics: Annotated[
        bool,
        typer.Option(
            "--more-metrics",
            help="Also show MRR, AUC, coverage, exposure Gini, popularity, and HR of cohorts; implies --full.",
        ),
    ] = False,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Also show all pairs of models: difference, interval, tests.")
    ] = False,
    jobs: Jobs = 1,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    cluster: Cluster = None,
    force: RunAgain = False,
    collect: Annotated[bool, typer.Option("--collect", help="Train nothing; report the records that exist.")] = False,
    track: Track = False,
    in_process: Annotated[
        bool,
        typer.Option("--in-process", help="Run all trials in this process, for a debugger. Limits do not apply."),
    ] = False,
    output: RecordsFolder = DEFAULT_OUTPUT,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; train nothing.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train each model on the task, rank the same candidates with each, and print the comparison.

    Each trial runs in a process of its own. recbench skips trials whose records are in the output folder,
    unless the task, the model's source or parameters, or the requested output have changed.

    Examples:
      recbench run --models bpr,ncf
      recbench run --models popularity,bpr --task ml-100k-loo --seeds 5 --k 5,10,20
      recbench run --models bpr --param bpr.factors=64 --param bpr.epochs=50 --format markdown
      recbench run --models bpr,bpr:factors=128,deep=my_model.py:Net:layers=[64,32]
      recbench run --models bpr,ncf --settings tuned
      recbench run --models bpr,implicit-bpr --curve all --reach 0.45
      recbench run --models bpr,ncf,popularity --full --more-metrics --pairs
      recbench run --models bpr,popularity --full --metrics recall@20,user-ndcg@20
      recbench run --models popularity,ease --task synthetic --seeds 1 --serving
      recbench run --models bpr,ncf --columns model,hr@10,speed --sort speed
      recbench run --models popularity,my_model.py:MyModel --task synthetic --timeout 600 --max-memory 4GiB --json

    Exit codes: 0 all trials done, 2 bad input, 3 a model failed, 4 nothing to collect, 130 interrupted, 143 terminated.
    """
    ks = cut_offs(k)
    if form is Format.CSV and pairs:
        raise RecbenchError("--format csv prints one table, and --pairs adds another.", "Use --json, which has both.")
    if force and collect:
        raise RecbenchError("--force repeats trials, but --collect runs none.", "Use only one of them.")
    points = _curve(curve)
    set_quiet(quiet)
    with interruption_message(output) as count:
        # Before the slow imports, so that people see at once that the program works.
        if not quiet:
            write_message(f"Task {task}; models {', '.join(dict.fromkeys(models))}", "dim")

        from recbench.evaluation.metric_names import DEFAULT_METRICS, measures_at, read_measures
        from recbench.experiments.execution import Execution
        from recbench.experiments.replicated import run_on_replicas
        from recbench.experiments.run import RunRequest
        from recbench.experiments.run import run as run_request
        from recbench.experiments.train import Reuse
        from recbench.progress.choice import run_progress
        from recbench.registry.requested import request_models
        from recbench.reports.run.cost_table import cost_table, has_served
        from recbench.reports.run.metrics_table import metrics_table
        from recbench.reports.run.model_columns import run_column_names
        from recbench.reports.run.pairs_table import pairs_table
        from recbench.reports.run.replicas import REPLICA_COLUMNS, replicas_table
        from recbench.reports.run.table import run_table
        from recbench.tasks.replicas import replica_names
        from recbench.trials.machine import library_settings

        # Before any numeric library does more than be loaded: it reads these once.
        os.environ.update(library_settings(threads, device))
        # At once: an unknown metric must not be noticed after the training.
        measures = read_measures(metrics, ks) if metrics else None
        form = Format.JSON if as_json else form
        has_replicas = bool(replica_names(task)) and not dry_run
        known = REPLICA_COLUMNS if has_replicas else run_column_names(measures or measures_at(DEFAULT_METRICS, ks))
        view = table_view(columns, sort, known, form)
        request = RunRequest(
            models=request_models(models, param or ()),
            task=task,
            seeds=range(seed, seed + seeds),
            ks=ks,
            measures=measures,
            settings=settings,
            curve=points,
            reach=reach,
            full=full or more_metrics,
            serving=ServingPlan() if serving else None,
            output=output,
            reuse=Reuse.REPEAT if force else Reuse.ONLY if collect else Reuse.KEEP,
            track=track,
            execution=Execution(
                threads=threads,
                device=device,
                jobs=jobs,
                timeout=timeout,
                max_memory=max_memory,
                cluster=cluster,
                in_process=in_process,
            ),
        )
        if has_replicas:
            if pairs or more_metrics or serving:
                raise RecbenchError(
                    "--pairs, --more-metrics and --serving show one split, and the task has replicas.",
                    f"Name a replica: --task {task}@0",
                )
            replicated = run_on_replicas(request, lambda: count.of(run_progress(quiet=quiet)))
            if form is Format.JSON:
                emit_json(replicated.document())
            else:
                emit(replicas_table(replicated.report, form, view), styled=view.screen is not None)
            exit_if_failed(replicated.failed)
            return
        progress = count.of(run_progress(quiet=quiet))
        if dry_run:
            _show_plan(request, progress, form)
            return
        result = run_request(request, progress)
        if form is Format.JSON:
            emit_json(result.document())
        else:
            tables = [run_table(result.report, form, view=view)]
            # As CSV, the table has these metrics too.
            if more_metrics and form is not Format.CSV:
                tables.append(metrics_table(result.report, form, view.screen))
            # As above.
            if form is not Format.CSV and has_served(result.report):
                tables.append(cost_table(result.report, form, view.screen))
            if pairs:
                tables.append(pairs_table(result.report, form, view.screen))
            emit("\n\n".join(tables), styled=view.screen is not None)
            if not quiet:
                emit_next_step(after_run(result), view.screen)
        if not quiet:
            write_message(f"Records: {output}", "dim")
        exit_if_failed(result.failed)


def _show_plan(request: "RunRequest", progress: "Progress", form: Format) -> None:
    from recbench.experiments.run import planned_trials

    task, trials = planned_trials(request, progress)
    if form is Format.JSON:
        document: PlanDocument = {
            "schema": 1,
            "task": cast("TaskDocument", task.summary()),
            "plan": [{"model": t.model.requested.title, "seed": t.seed, "params": t.model.parameters} for t in trials],
        }
        emit_json(document)
        return
    rows = [
        [
            t.model.requested.title,
            t.seed,
            ", ".join(f"{name}={value}" for name, value in t.model.parameters.items()) or "none",
        ]
        for t in trials
    ]
    emit_table(rows, ["model", "seed", "parameters"])


def _curve(text: str | None) -> CurveEpochs | None:
    try:
        return None if text is None else CurveEpochs.parse(text)
    except ValueError:
        raise RecbenchError(
            f"--curve {text!r} is not all, every:N, or N,N,...", "For example: --curve every:5"
        ) from None
