"""``recbench suite``: several tasks and one set of models."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.execution_options import (
    MODEL_FORMS,
    Cluster,
    DeviceOption,
    Jobs,
    MaxMemory,
    OnlyModels,
    Param,
    RunAgain,
    Threads,
    Timeout,
    Track,
    models_option,
)
from recbench.cli.shared.interruption import interruption_message
from recbench.cli.shared.output_options import FOLDER, OUTPUT, PANEL, AsJson, Form, Quiet, check_folder
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.tables import emit_table
from recbench.cli.shared.terminal import ExitCode, emit, emit_json, exit_if_failed, set_quiet
from recbench.cli.shared.verbs import Verbs
from recbench.errors import NothingToCompareError
from recbench.progress.console import write_message
from recbench.reports.formats import Format

if TYPE_CHECKING:
    from recbench.cli.shared.document_types import LintDocument, SuitesDocument
    from recbench.experiments.suite import Suite
    from recbench.reports.view import View

NAME = "A name of 'recbench suite list', or a suite file."
SuiteName = Annotated[str, typer.Argument(metavar="SUITE", help=NAME, show_default=False)]
Folders = Annotated[
    list[str],
    typer.Argument(
        metavar="FOLDER...", help="Folder with records of a suite, or a folder of such folders.", show_default=False
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(metavar="METRIC", help="Rank the models by this metric, such as hr@10.", show_default="of the suite"),
]

app = Verbs(help="Compare models over several tasks: one table, with confidence intervals over tasks and users.")


@app.command("run")
def run(
    suite: SuiteName,
    models: Annotated[
        list[str] | None,
        models_option(MODEL_FORMS, show_default="of the suite"),
    ] = None,
    param: Param = None,
    settings: Annotated[
        str | None,
        typer.Option(
            metavar="tuned|default|FILE",
            help="Source of the hyper-parameters: tuned settings, the models' own defaults, or a file.",
            show_default="of the suite",
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Number of seeds for each configuration.", show_default="of the suite")
    ] = None,
    metric: Metric = None,
    threads: Threads = 1,
    device: DeviceOption = "auto",
    jobs: Jobs = 1,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    cluster: Cluster = None,
    force: RunAgain = False,
    track: Track = False,
    output: Annotated[
        Path | None,
        typer.Option(
            *OUTPUT,
            metavar=FOLDER,
            help="Folder of the records.",
            callback=check_folder,
            show_default="results/suites/SUITE/local",
            rich_help_panel=PANEL,
        ),
    ] = None,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
    quiet: Quiet = False,
) -> None:
    """Train each model on each task of a suite, and print the comparison over all tasks.

    Run it again to resume: trials whose records exist are not run again.

    Examples:
      recbench suite run small
      recbench suite run small --models ease,my_model.py:MyModel --seeds 5
      recbench suite run my-suite.toml --cluster tcp://HOST:8786

    Exit codes: 0 all trials done, 2 bad input, 3 a model failed, 130 interrupted, 143 terminated.
    """
    from recbench.tasks.suite_spec import find_suite

    set_quiet(quiet)
    spec = find_suite(suite)
    folder = output or Path("results/suites") / spec.name / "local"
    with interruption_message(folder) as count:
        from recbench.experiments.execution import Execution
        from recbench.experiments.suite import SuiteRequest, run_suite
        from recbench.experiments.train import Reuse
        from recbench.progress.choice import run_progress
        from recbench.registry.requested import request_models
        from recbench.trials.machine import library_settings

        os.environ.update(library_settings(threads, device))
        form = Format.JSON if as_json else form
        view = _view(columns, sort, form)
        request = SuiteRequest(
            name=spec.name,
            tasks=spec.tasks,
            models=request_models(models or spec.models, param or ()),
            metric=metric or spec.metric,
            seeds=range(seeds or spec.seeds),
            settings=settings or spec.settings,
            output=folder,
            reuse=Reuse.REPEAT if force else Reuse.KEEP,
            execution=Execution(
                threads=threads, device=device, jobs=jobs, timeout=timeout, max_memory=max_memory, cluster=cluster
            ),
            track=track,
        )
        result = run_suite(request, lambda: count.of(run_progress(quiet=quiet)))
        try:
            _emit(result, form, view)
        except NothingToCompareError as error:
            if not result.failed:
                raise
            write_message(f"{error.message}\n{error.hint}", "yellow")
        if not quiet:
            write_message(f"Records: {folder}", "dim")
        exit_if_failed(result.failed)


@app.command("report")
def report(
    folders: Folders,
    models: OnlyModels = None,
    metric: Metric = None,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
) -> None:
    """Compare the models of a suite over the tasks that every model has.

    It shows mean ranks and relative scores with confidence intervals, a win matrix, the critical difference, and which
    models are on the Pareto front of quality and training time. Give several folders to compare the results of several
    people.

    Examples:
      recbench suite report results/suites/small
      recbench suite report results/suites/small/local --metric hr@10 --json
      recbench suite report mine theirs --models ease,bpr --format markdown

    Exit codes: 0 printed, 2 bad input, 4 too few models or tasks.
    """
    from recbench.experiments.suite import load_suite

    form = Format.JSON if as_json else form
    _emit(load_suite(folders, metric, models), form, _view(columns, sort, form))


@app.command("merge")
def merge(
    folders: Folders,
    models: OnlyModels = None,
    metric: Metric = None,
    output: Annotated[
        Path,
        typer.Option(
            *OUTPUT,
            metavar=FOLDER,
            help="Folder of the suite, such as results/suites/small. It has a folder for each source.",
            callback=check_folder,
            rich_help_panel=PANEL,
            show_default=False,
        ),
    ] = ...,  # type: ignore[assignment]
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
) -> None:
    """Check the records of other people against their ranks, copy them beside your own, and print the joint table.

    Nothing is copied if a record does not follow from its ranks, or is of another task of the same name.

    Examples:
      recbench suite merge ../alice ../bob -o results/suites/small

    Exit codes: 0 merged, 2 bad input, 4 too few models or tasks.
    """
    from recbench.experiments.suite import load_suite
    from recbench.experiments.suite_merge import merge_suites

    form = Format.JSON if as_json else form
    view = _view(columns, sort, form)
    copied = merge_suites([Path(folder) for folder in folders], output)
    write_message(f"{copied} records copied into {output}", "dim")
    _emit(load_suite([output], metric, models), form, view)


@app.command("lint")
def lint(
    folders: Annotated[
        list[str] | None,
        typer.Argument(metavar="FOLDER...", help="Folders of suites.", show_default="results/suites/*"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the layout of the results of suites, and every record against its ranks and its task.

    A pull request adds records as results/suites/SUITE/WHO/TASK/*.json and *.npz, and suite.toml in the folder WHO.

    Examples:
      recbench suite lint
      recbench suite lint results/suites/small

    Exit codes: 0 no problem, 1 a problem, 2 bad input.
    """
    from recbench.experiments.suite_lint import lint_suites

    problems = lint_suites([Path(folder) for folder in folders or ()])
    if as_json:
        document: LintDocument = {"schema": 1, "problems": problems}
        emit_json(document)
    else:
        emit("\n".join(problems) if problems else "No problem")
    if problems:
        raise typer.Exit(ExitCode.CHECK_FAILED)


@app.command("list")
def list_suites(as_json: AsJson = False) -> None:
    """List the suites that come with recbench.

    Examples:
      recbench suite list

    Exit codes: 0 listed, 2 bad input.
    """
    from recbench.tasks.suite_spec import builtin_suites

    suites = builtin_suites().values()
    if as_json:
        document: SuitesDocument = {
            "schema": 1,
            "suites": [
                {
                    "name": suite.name,
                    "description": suite.description,
                    "tasks": list(suite.tasks),
                    "models": list(suite.models),
                    "metric": suite.metric,
                    "seeds": suite.seeds,
                }
                for suite in suites
            ],
        }
        emit_json(document)
        return
    rows = [[suite.name, len(suite.tasks), ", ".join(suite.models), suite.description] for suite in suites]
    emit_table(rows, ["suite", "tasks", "models", "description"])


@app.command("show")
def show(suite: SuiteName) -> None:
    """Print a suite as a file, to change it.

    Examples:
      recbench suite show small > my-suite.toml

    Exit codes: 0 printed, 2 bad input.
    """
    import tomli_w

    from recbench.tasks.suite_spec import find_suite

    emit(tomli_w.dumps(find_suite(suite).model_dump(mode="json", exclude_none=True)).rstrip())


def _view(columns: list[str] | None, sort: str | None, form: Format) -> "View":
    from recbench.reports.suite.table import SUITE_COLUMNS

    return table_view(columns, sort, SUITE_COLUMNS, form)


def _emit(suite: "Suite", form: Format, view: "View") -> None:
    from recbench.reports.suite.table import suite_table

    if form is Format.JSON:
        emit_json(suite.document())
    else:
        emit(suite_table(suite.report, form, view), styled=view.screen is not None)
