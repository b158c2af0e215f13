"""``recbench selftest``: whether the harness, and a model, can be trusted on a task."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recbench.cli.shared.terminal import ExitCode, emit, emit_json
from recbench.errors import RecbenchError
from recbench.progress.console import animated, messages

if TYPE_CHECKING:
    from recbench.registry.requested import RequestedModel
    from recbench.selftest.check import Check
    from recbench.tasks.task import Task

MARKS = {True: "[ok]", False: "[FAIL]", None: "[skip]"}
STATES = {True: "ok", False: "failed", None: "skipped"}


def selftest(
    task: Annotated[str, typer.Option(help="A name of 'recbench task list', or a spec file.")] = "ml-100k",
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Put this model through its contract as well; may be repeated. A name of 'recbench list', "
            "package.module:Class, or file.py:Class."
        ),
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="MODEL.NAME=VALUE sets a hyper-parameter; may be repeated.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads for each model.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check the harness against known answers on a task, and models against their contract.

    The harness: a constant scorer, chance, an oracle and its inverse, and changes that must move no rank.
    A model: five fits on the CPU, two of them with one seed; and what its scores depend on besides user and item.

    Examples:
      recbench selftest
      recbench selftest --task my-shop
      recbench selftest --task ml-100k-loo --model bpr --param bpr.epochs=2
      recbench selftest --model my_model.py:MyModel --json

    Exit codes: 0 nothing failed, 1 a check failed, 2 bad input, 130 interrupted.
    """
    from recbench.trials.machine import available_cores, library_settings

    names = list(dict.fromkeys(model or []))
    if threads > (cores := available_cores()):
        raise RecbenchError(
            f"--threads {threads}, but this process may use {cores} cores.", f"Use at most --threads {cores}."
        )
    # Before any numeric library is loaded: they read these once.
    os.environ.update(library_settings(threads, "cpu"))

    from recbench.registry.requested import request_models
    from recbench.tasks.lookup import load_task

    requested = request_models(names, param or [])
    loaded = load_task(task, progressbar=animated())
    document: list[dict[str, Any]] = []
    try:
        for about, check in _checks(loaded, requested, threads):
            if not as_json and (not document or document[-1]["model"] != about):
                emit(_heading(loaded, about))
            document.append({"model": about, "name": check.name, "state": STATES[check.passed], "detail": check.detail})
            if not as_json:
                emit(f"{MARKS[check.passed]:6} {check.name} — {check.detail}")
    except KeyboardInterrupt:
        messages().print(f"Interrupted after {len(document)} checks.", markup=False)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    counts = {state: sum(check["state"] == state for check in document) for state in STATES.values()}
    if as_json:
        summary = {**counts, "passed": not counts["failed"]}
        emit_json({"schema": 1, "task": loaded.summary(), "threads": threads, "summary": summary, "checks": document})
    else:
        emit("\n" + ", ".join(f"{count} {state}" for state, count in counts.items()))
    if counts["failed"]:
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _checks(task: "Task", requested: Sequence["RequestedModel"], threads: int) -> Iterator[tuple[str | None, "Check"]]:
    """Yields each check with the model that it is about; None for the harness.

    Models are imported, and their parameters read, before anything is checked.
    """
    from recbench.selftest.known_answers import known_answers
    from recbench.selftest.model_contract import ModelUnderTest, model_contract
    from recbench.trials.output_redirection import output_to

    candidates = []
    for one in requested:
        messages().print(f"Importing {one.title}", style="dim", markup=False)
        with output_to(None):
            candidates.append(ModelUnderTest.load(one.reference, one.texts))
    messages().print(f"Known answers on {task.name} ...", style="dim", markup=False)
    for check in known_answers(task):
        yield None, check
    for candidate in candidates:

        def say(what: str, name: str = candidate.name) -> None:
            messages().print(f"{name}: {what} ...", style="dim", markup=False)

        checks = model_contract(candidate, task, threads, say)
        while True:
            # Only while the model is at work: what is printed between its checks is not the model's.
            with output_to(None):
                check_of_model = next(checks, None)
            if check_of_model is None:
                break
            yield candidate.name, check_of_model


def _heading(task: "Task", model: str | None) -> str:
    if model is not None:
        return f"\nModel {model}"
    return f"Harness, on task {task.name} {task.digest[:19]}"
