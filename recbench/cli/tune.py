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
    Task,
    Threads,
    Timeout,
)
from recbench.cli.shared.interruption import interruption_message
from recbench.cli.shared.next_steps import after_tuning, emit_next_step
from recbench.cli.shared.output_options import AsJson, Form, Plot, Quiet, output_file, output_option
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.terminal import ExitCode, emit, emit_json, set_quiet
from recbench.escaping.shell import shell_command
from recbench.experiments.defaults import DEFAULT_TASK, MAX_SEED, TUNING_FOLDER
from recbench.progress.console import messages, write_message
from recbench.reports.formats import Format

if TYPE_CHECKING:
    from recbench.experiments.tuning import Tuning
    from recbench.output_files import OutputFile


def tune(
    models: Models,
    task: Task = DEFAULT_TASK,
    trials: Annotated[int, typer.Option(min=1, help="Number of trials for each model.")] = 30,
    budget: Annotated[
        float,
        typer.Option(
            min=0.001,
            metavar="SECONDS",
            help="Seconds for all trials of a model together, over all sessions. Imports are not counted.",
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
        typer.Option(metavar="FILE", help="TOML file of search spaces.", show_default="models/search_spaces.toml"),
    ] = None,
    storage: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="SQLite file of all trials. Use the same file again to resume a tuning.",
            show_default=f"{TUNING_FOLDER}/TASK.db",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        output_option("File of the tuned settings", show_default="results/settings/TASK.toml"),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC",
            help="Metric to maximise on validation cases, such as ndcg@10 or, in the full ranking, full-recall@20.",
            show_default="ndcg@10; full-user-ndcg@20 for published splits with several cases a user",
        ),
    ] = None,
    plot: Plot = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Replace a settings file or a picture that recbench did not write, and settings of another task. "
            "Trials that exist are kept.",
        ),
    ] = False,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
    quiet: Quiet = False,
) -> None:
    """Tune the hyper-parameters of each model on validation cases, with the same budget for each model.

    A trial trains without the validation rows, and --metric scores it on the validation cases. It gets no test case.
    Each trial runs in a process of its own. Trials in the worst quarter end early. A setting includes the best number
    of epochs. 'recbench run --settings tuned' trains on all train rows with the tuned settings.

    Run the same command again to resume an interrupted tuning, or with a larger budget to continue it. On a Dask
    cluster, each worker runs one trial at a time, and a budget is the sum of the seconds of all trials.

    Examples:
      recbench tune --models bpr,ncf --trials 30 --budget 600
      recbench tune --models bpr --task ml-100k-loo --plot tuning.png
      recbench tune --models bpr --task gowalla --metric full-recall@20
      recbench tune --models bpr,ncf --cluster tcp://HOST:8786
      recbench tune --models my_model.py:MyModel --spaces my_spaces.toml -o my_settings.toml

    Exit codes: 0 every model with a search space has a setting, 2 bad input, 3 a model completed no trial, or only the
    trial with its defaults, 130 interrupted, 143 terminated.
    """
    if output is not None:
        output = output_file(output, Path(f"{Path(task).name.removesuffix('.toml')}.toml"))
    set_quiet(quiet)
    with interruption_message(storage or TUNING_FOLDER) as count:
        if not quiet:
            write_message(f"Task {task}; models {', '.join(dict.fromkeys(models))}", "dim")

        from recbench.experiments.optional_packages import check_optuna
        from recbench.output_files import OutputFile
        from recbench.reports.plots.figures import check_picture
        from recbench.reports.tuning.table import TUNING_COLUMNS, tuning_table

        form = Format.JSON if as_json else form
        view = table_view(columns, sort, TUNING_COLUMNS, form)
        check_optuna()
        picture = None if plot is None else OutputFile(plot, force)
        if picture is not None:
            check_picture(picture)

        from recbench.experiments.execution import Execution
        from recbench.experiments.tune import TuneRequest
        from recbench.experiments.tune import tune as tune_request
        from recbench.progress.choice import tuning_progress
        from recbench.registry.requested import request_models
        from recbench.trials.machine import library_settings
        from recbench.tuning.past import Budget

        os.environ.update(library_settings(threads, device))
        request = TuneRequest(
            models=request_models(models),
            task=task,
            budget=Budget(trials, budget),
            seed=seed,
            spaces=spaces,
            storage=storage,
            output=output,
            force=force,
            metric=metric,
            importance=picture is not None,
            picture=picture,
            execution=Execution(
                threads=threads, device=device, jobs=jobs, timeout=timeout, max_memory=max_memory, cluster=cluster
            ),
        )
        if storage is None and not task.endswith(".toml"):
            count.folder = TUNING_FOLDER / f"{task}.db"
        result = tune_request(request, count.of(tuning_progress(request.budget, quiet=quiet)))
        if picture is not None:
            _draw(result, picture)
        if form is Format.JSON:
            emit_json(result.document())
        else:
            emit(tuning_table(result.models, result.budget, form, view), styled=view.screen is not None)
            if not quiet:
                emit_next_step(after_tuning(result, output), view.screen)
        _report(result, output)


def _draw(result: "Tuning", picture: "OutputFile") -> None:
    for tuned in result.models:
        if tuned.space and not result.importance.get(tuned.model):
            write_message(f"{tuned.model}: too few completed trials for parameters' importance.")
    drawn = result.plot(picture.path, force=picture.force)
    write_message(f"Drawn: {', '.join(map(str, drawn))}", "dim")


def _report(result: "Tuning", output: Path | None) -> None:
    if result.settings:
        use = shell_command(["recbench", "run", "--settings", str(output or "tuned")])
        write_message(f"Settings: {result.output}; {use}", "dim")
    logs = result.storage.parent / "logs"
    if failed := result.failed_searches:
        write_message(
            f"Error: all trials of {', '.join(failed)} failed, except those with the defaults. "
            "The defaults are the setting."
        )
        write_message(f"Look at the logs of failed trials in {logs}, and correct the search space.")
    if without := result.without_setting:
        messages().print(
            f"Error: no trial of {', '.join(without)} was completed in the budget, so there is no setting.\n"
            "Give a larger --budget or --trials (completed trials are kept), or see the logs of failed trials in "
            f"{logs}.",
        )
    if failed or without:
        raise typer.Exit(ExitCode.MODEL_FAILED)
