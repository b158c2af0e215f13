"""``recbench bisect``: the commit at which a metric fell."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from recbench.cli.shared.commit_options import OwnEnvironments
from recbench.cli.shared.completion import metric_list, model_list
from recbench.cli.shared.execution_options import (
    METRICS,
    MODELS,
    Cluster,
    DeviceOption,
    FirstSeed,
    MaxMemory,
    Task,
    Threads,
    Timeout,
)
from recbench.cli.shared.interruption import interruption_message
from recbench.cli.shared.lists import cut_offs, only_item
from recbench.cli.shared.output_options import AsJson, Quiet, RecordsFolder
from recbench.cli.shared.tables import emit_prose, emit_table
from recbench.cli.shared.terminal import ExitCode, emit_json, set_quiet
from recbench.counted import counted
from recbench.experiments.defaults import DEFAULT_TASK, MAX_SEEDS, N_SEEDS, REVISIONS_FOLDER
from recbench.progress.console import write_message
from recbench.reports.cells import signed

if TYPE_CHECKING:
    from recbench.cli.shared.commit_document_types import BisectDocument, DifferenceDocument
    from recbench.evaluation.inference import Difference
    from recbench.experiments.bisect import Bisection, BisectRequest, BisectStep
    from recbench.reports.run.document_types import TaskDocument

HEADERS = ("commit", "date", "seeds", "{metric}", "from good", "p (good)", "from bad", "p (bad)", "decision")


def bisect(
    good: Annotated[str, typer.Argument(help="A revision before the drop.", show_default=False)],
    bad: Annotated[str, typer.Argument(help="A revision after the drop.", show_default=False)],
    models: Annotated[
        list[str],
        typer.Option(
            "--models",
            metavar=MODELS,
            help="One model: a name of 'recbench list', package.module:Class, or file.py:Class. MODEL:NAME=VALUE sets "
            "hyper-parameters.",
            autocompletion=model_list,
        ),
    ],
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics",
            metavar=METRICS,
            help="One metric, such as ndcg@10 or full-hr@10. Without @K, K is 10.",
            show_default="hr@10",
            autocompletion=metric_list,
        ),
    ] = None,
    task: Task = DEFAULT_TASK,
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds to start with.")] = N_SEEDS,
    max_seeds: Annotated[
        int,
        typer.Option(
            "--max-seeds",
            min=1,
            max=MAX_SEEDS,
            help="Largest number of seeds. recbench doubles the number while the test cannot decide.",
        ),
    ] = 12,
    seed: FirstSeed = 0,
    threads: Threads = 1,
    device: DeviceOption = "auto",
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    cluster: Cluster = None,
    own_environments: OwnEnvironments = False,
    output: RecordsFolder = REVISIONS_FOLDER,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find the commit at which a metric of a model fell, by a binary search over the first parents.

    Commits are trained in work trees; your own work tree does not change. Each step is decided by the
    paired test over users and by the variation between seeds: a commit is bad if it is significantly lower than GOOD,
    and good if it is significantly higher than BAD. recbench skips commits that cannot be trained.

    Examples:
      recbench bisect v1.0 main --models my_model.py:Net
      recbench bisect v1.0 main --models bpr --task ml-100k --metrics ndcg@10 --seeds 3 --max-seeds 24

    Exit codes: 0 the commit was found, 1 only a range of commits, 2 bad input, 4 the metric did not fall,
    130 interrupted, 143 terminated.
    """
    set_quiet(quiet)
    with interruption_message(output) as count:
        from recbench.evaluation.metric_names import read_measures
        from recbench.evaluation.ranking import Ranking
        from recbench.experiments.bisect import BisectRequest
        from recbench.experiments.bisect import bisect as search
        from recbench.experiments.commit_trials import commit_trials
        from recbench.experiments.execution import Execution

        (measure,) = read_measures([only_item("--metrics", metrics or ["hr"])], cut_offs(None))
        execution = Execution(threads=threads, device=device, timeout=timeout, max_memory=max_memory, cluster=cluster)
        request = BisectRequest(
            good=good,
            bad=bad,
            model=only_item("--models", models),
            measure=measure,
            trials=commit_trials(
                task, execution, output, own_environments=own_environments, full=measure.ranking is Ranking.FULL
            ),
            seed=seed,
            seeds=seeds,
            max_seeds=max_seeds,
        )

        def report(step: "BisectStep") -> None:
            count.planned = count.kept = step.n_trials
            if not quiet:
                write_message(_progress(step), "dim")

        bisection = search(request, report)
    if as_json:
        emit_json(_document(request, bisection))
    else:
        if bisection.steps:
            headers = [header.format(metric=measure.label) for header in HEADERS]
            emit_table([_row(step) for step in bisection.steps], headers)
        emit_prose(f"{chr(10) if bisection.steps else ''}{_conclusion(request, bisection)}")
    if bisection.between:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _progress(step: "BisectStep") -> str:
    what = f"{step.commit.short} ({counted(step.n_seeds, 'seed')}): {step.side}"
    return f"{what}: {step.problem}" if step.problem else what


def _row(step: "BisectStep") -> list[Any]:
    return [
        *(step.commit.short, f"{step.commit.moment:%Y-%m-%d}", step.n_seeds),
        *("" if step.mean is None else f"{step.mean:.4f}", *_cells(step.from_good), *_cells(step.from_bad)),
        step.side.value,
    ]


def _cells(difference: "Difference | None") -> tuple[str, str]:
    return ("", "") if difference is None else (signed(difference.difference), f"{difference.p:.4f}")


def _conclusion(request: "BisectRequest", bisection: "Bisection") -> str:
    metric, drop = request.measure.label, bisection.drop
    means = f"from {bisection.means[0]:.4f} to {bisection.means[1]:.4f}"
    size = f"{means}: {signed(drop.difference)} [{signed(drop.interval.low)}, {signed(drop.interval.high)}]"
    kept = f", {bisection.n_kept} kept" if bisection.n_kept else ""
    effort = (
        f"{counted(len(bisection.steps), 'step')} over {counted(bisection.n_commits, 'commit')}; "
        f"{counted(bisection.n_trained, 'trial')} trained{kept}."
    )
    if not bisection.between:
        return (
            f"{metric} of {request.model} fell at {bisection.bad.short}, {bisection.bad.subject!r}, {size}.\n"
            f"{effort}\nSee the change: git show {bisection.bad.short}"
        )
    reasons = _reasons(bisection.steps, {commit.sha for commit in bisection.between})
    return (
        f"{metric} of {request.model} fell between {bisection.good.short} and {bisection.bad.short}, {size}.\n"
        f"{len(bisection.between)} commits between them are not decided: {reasons}.\n"
        f"{effort}\nSee the changes: git log --first-parent {bisection.good.short}..{bisection.bad.short}"
    )


def _reasons(steps: "Sequence[BisectStep]", between: set[str]) -> str:
    inside = [step for step in steps if step.commit.sha in between]
    reasons = [f"{step.commit.short} {step.side}{f' ({step.problem})' if step.problem else ''}" for step in inside]
    more = len(between) - len(inside)
    return "; ".join([*reasons, *([f"{more} not tried"] if more else [])])


def _document(request: "BisectRequest", bisection: "Bisection") -> "BisectDocument":
    return {
        "schema": 1,
        "task": cast("TaskDocument", request.trials.task.summary()),
        "model": request.model,
        "metric": request.measure.name,
        "good": bisection.good.sha,
        "bad": bisection.bad.sha,
        "between": [commit.sha for commit in bisection.between],
        "means": list(bisection.means),
        "drop": _difference(bisection.drop),
        "steps": [
            {
                "commit": step.commit.sha,
                "date": step.commit.moment.isoformat(),
                "subject": step.commit.subject,
                "decision": step.side.value,
                "seeds": step.n_seeds,
                "mean": step.mean,
                "from_good": _difference(step.from_good),
                "from_bad": _difference(step.from_bad),
                "problem": step.problem,
            }
            for step in bisection.steps
        ],
        "commits": bisection.n_commits,
        "trained": bisection.n_trained,
        "kept": bisection.n_kept,
    }


def _difference(difference: "Difference | None") -> "DifferenceDocument | None":
    if difference is None:
        return None
    return {
        "difference": difference.difference,
        "interval": [difference.interval.low, difference.interval.high],
        "p": difference.p,
    }
