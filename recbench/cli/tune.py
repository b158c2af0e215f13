"""``recbench tune``: good hyper-parameters, with the same budget for every model."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.execution_options import (
    Cluster,
    DeviceOption,
    Jobs,
    MaxMemory,
    Models,
    Quiet,
    Task,
    Threads,
    Timeout,
)
from recbench.cli.shared.interruption import interruption_message
from recbench.cli.shared.lists import model_names
from recbench.cli.shared.terminal import ExitCode, emit, emit_json, set_quiet
from recbench.experiments.defaults import DEFAULT_TASK, MAX_SEED, TUNING_FOLDER
from recbench.progress.console import messages
from recbench.reports.formats import Format

if TYPE_CHECKING:
    from recbench.experiments.tune import Tuning


def tune(
    models: Models,
    task: Task = DEFAULT_TASK,
    trials: Annotated[int, typer.Option(min=1, help="Trials of each model.")] = 30,
    budget: Annotated[
        float,
        typer.Option(
            min=0.001,
            metavar="SECONDS",
            help="Seconds that the trials of each model may take together, over all sessions; imports are not counted.",
        ),
    ] = 600.0,
    threads: Threads = 1,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of the search, and of every training.")] = 0,
    device: DeviceOption = "auto",
    jobs: Jobs = 1,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    cluster: Cluster = None,
    spaces: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Search spaces.", show_default="models/search_spaces.toml"),
    ] = None,
    storage: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="SQLite file for all trials; they go on where it stops.",
            show_default=f"{TUNING_FOLDER}/TASK.db",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Where the settings go.", show_default="results/settings/TASK.toml"
        ),
    ] = None,
    plot: Annotated[
        bool,
        typer.Option(
            "--plot", help="Also draw each model's history and its parameters' importance, beside the storage."
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Replace a settings file or a picture that recbench did not write, and settings of another task. "
            "Trials that exist are kept.",
        ),
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="How the table is printed.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    quiet: Quiet = False,
) -> None:
    """Look for each model's best hyper-parameters on validation cases, with one budget for every model.

    Trials are trained without the validation rows, and scored by NDCG@10 on the validation cases; what they are given
    holds no test case. Each runs in a process of its own. Trials that fall behind the median are ended early. The best
    epoch is part of a setting. 'recbench run --settings tuned' trains on all train rows with what was found.

    Run it again to go on where an interrupted tuning was, or with a larger budget. On a Dask cluster, as many trials
    run at a time as there are workers; a budget is the sum of their seconds.

    Examples:
      recbench tune --models bpr,ncf --trials 30 --budget 600
      recbench tune --models bpr --task ml-100k-loo --plot
      recbench tune --models bpr,ncf --cluster tcp://HOST:8786
      recbench tune --models my_model.py:MyModel --spaces my_spaces.toml -o my_settings.toml

    Exit codes: 0 every model with a search space has a setting, 2 bad input, 3 no trial of some model was completed,
    130 interrupted, 143 terminated.
    """
    names = model_names(models)
    set_quiet(quiet)
    with interruption_message(storage or TUNING_FOLDER) as count:
        if not quiet:
            messages().print(f"Task {task}; models {', '.join(names)}", style="dim", markup=False)

        from recbench.experiments.optional_packages import check_optuna
        from recbench.reports.plots.figures import check_matplotlib

        check_optuna()
        if plot:
            check_matplotlib()

        from recbench.experiments.execution import Execution
        from recbench.experiments.tune import TuneRequest
        from recbench.experiments.tune import tune as tune_request
        from recbench.progress.choice import tuning_progress
        from recbench.registry.requested import request_models
        from recbench.trials.machine import library_settings
        from recbench.tuning.past import Budget

        os.environ.update(library_settings(threads, device))
        request = TuneRequest(
            models=request_models(names),
            task=task,
            budget=Budget(trials, budget),
            seed=seed,
            spaces=spaces,
            storage=storage,
            output=output,
            force=force,
            importance=plot,
            execution=Execution(
                threads=threads, device=device, jobs=jobs, timeout=timeout, max_memory=max_memory, cluster=cluster
            ),
        )
        if storage is None and not task.endswith(".toml"):
            count.folder = TUNING_FOLDER / f"{task}.db"
        result = tune_request(request, count.of(tuning_progress(request.budget, quiet=quiet)))
        if plot:
            _draw(result, force)
        if as_json or form is Format.JSON:
            emit_json(result.document())
        else:
            emit(result.table(form))
        _report(result, output)


def _draw(result: "Tuning", force: bool) -> None:
    for one in result.models:
        if one.space and not result.importance.get(one.model):
            messages().print(f"{one.model}: too few completed trials for parameters' importance.", markup=False)
    messages().print(f"Drawn: {', '.join(map(str, result.plot(force=force)))}", style="dim", markup=False)


def _report(result: "Tuning", output: Path | None) -> None:
    if result.settings:
        use = output or "tuned"
        messages().print(f"Settings: {result.output}; recbench run --settings {use}", style="dim", markup=False)
    if without := result.without_setting:
        messages().print(
            f"Error: no trial of {', '.join(without)} was completed in the budget, so there is no setting.\n"
            "Give a larger --budget or --trials (what was tried stays), or look at the logs of failed trials in "
            f"{result.storage.parent / 'logs'}.",
            markup=False,
        )
        raise typer.Exit(ExitCode.MODEL_FAILED)
