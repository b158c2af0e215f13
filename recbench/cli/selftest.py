"""``recbench selftest``: whether the harness, and a model, can be trusted on a task."""

import os
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, cast

import typer

from recbench.cli.shared.execution_options import MODEL_FORMS, Param, Task, Threads, models_option
from recbench.cli.shared.interruption import exit_code
from recbench.cli.shared.output_options import AsJson
from recbench.cli.shared.terminal import ExitCode, emit, emit_json
from recbench.errors import RecbenchError
from recbench.escaping.terminal import one_line
from recbench.experiments.defaults import DEFAULT_TASK
from recbench.progress.console import animated, write_message

if TYPE_CHECKING:
    from recbench.cli.shared.check_document_types import CheckCountsDocument, CheckDocument, SelftestDocument
    from recbench.reports.run.document_types import TaskDocument
    from recbench.tasks.task import Task as LoadedTask

MARKS = {"ok": "[ok]", "failed": "[FAIL]", "skipped": "[skip]", "warning": "[warn]"}


def selftest(
    task: Task = DEFAULT_TASK,
    models: Annotated[
        list[str] | None,
        models_option(f"check these models against their contract as well. N{MODEL_FORMS[1:]}", show_default="none"),
    ] = None,
    param: Param = None,
    threads: Threads = 1,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.001,
            metavar="SECONDS",
            help="Seconds for each step of a model: its import, or one fit with its checks. A model that takes longer "
            "fails.",
        ),
    ] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Check the harness against known answers on a task, and models against their contract.

    Checks of the harness: the metrics of a constant scorer, a random scorer, an oracle and an inverse oracle, and
    changes of the input that must not change a rank. Checks of a model: five fits on the CPU, two of them with the
    same seed. Its scores may depend on user and item only. Each model runs in a process of its own, and fails if
    this process ends. A warning is not a failure: the result is wrong for most models, but it breaks no rule.

    Examples:
      recbench selftest
      recbench selftest --task my-shop
      recbench selftest --task ml-100k-loo --models bpr --param bpr.epochs=2
      recbench selftest --models my_model.py:MyModel --json

    Exit codes: 0 nothing failed, 1 a check failed, 2 bad input, 130 interrupted.
    """
    from recbench.operating_system.processor import available_cores
    from recbench.trials.machine import library_settings

    if threads > (cores := available_cores()):
        raise RecbenchError(
            f"--threads {threads}, but this process may use {cores} cores.", f"Use at most --threads {cores}."
        )
    # Before any numeric library is loaded: they read these once.
    os.environ.update(library_settings(threads, "cpu"))

    from recbench.experiments.selftest import selftest as checks
    from recbench.experiments.task_source import task_source
    from recbench.registry.requested import request_models

    requested = request_models(models or [], param or [])
    source = task_source(task, progressbar=animated())
    loaded = source.task
    check_documents: list[CheckDocument] = []
    try:
        # Closed at once, so that an interruption ends the models' processes.
        with closing(checks(source, requested, threads, _announce, timeout)) as made:
            for checked in made:
                check = checked.check
                if not as_json and (not check_documents or check_documents[-1]["model"] != checked.model):
                    emit(_heading(loaded, checked.model))
                state = check.state
                check_documents.append(
                    {"model": checked.model, "name": check.name, "state": state, "detail": check.detail}
                )
                if not as_json:
                    emit(f"{MARKS[state]:6} {one_line(check.name)} — {one_line(check.detail)}")
    except KeyboardInterrupt as interruption:
        write_message(f"Interrupted after {len(check_documents)} checks.")
        raise typer.Exit(exit_code(interruption)) from None
    counts = {state: sum(check["state"] == state for check in check_documents) for state in MARKS}
    if as_json:
        document: SelftestDocument = {
            "schema": 1,
            "task": cast("TaskDocument", loaded.summary()),
            "threads": threads,
            "summary": cast("CheckCountsDocument", {**counts, "passed": not counts["failed"]}),
            "checks": check_documents,
        }
        emit_json(document)
    else:
        shown = {state: count for state, count in counts.items() if count or state != "warning"}
        emit("\n" + ", ".join(f"{count} {state}" for state, count in shown.items()))
    if counts["failed"]:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _announce(text: str) -> None:
    write_message(text, "dim")


def _heading(task: "LoadedTask", model: str | None) -> str:
    if model is not None:
        return f"\nModel {model}"
    return f"Harness, on task {task.name} {task.digest[:19]}"
