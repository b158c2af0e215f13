"""``recbench sweep``: what one hyper-parameter does to quality, time and memory."""

import os
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from recbench.cli.shared.execution_options import (
    PARAM,
    Cluster,
    DeviceOption,
    FirstSeed,
    Jobs,
    MaxMemory,
    Models,
    RunAgain,
    Seeds,
    Task,
    Threads,
    Timeout,
    Track,
)
from recbench.cli.shared.interruption import interruption_message
from recbench.cli.shared.lists import only_item
from recbench.cli.shared.next_steps import after_sweep, emit_next_step
from recbench.cli.shared.output_options import AsJson, Form, Plot, Quiet, RecordsFolder
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.terminal import emit, emit_json, exit_if_failed, set_quiet
from recbench.errors import RecbenchError
from recbench.experiments.defaults import DEFAULT_OUTPUT, DEFAULT_TASK, N_SEEDS
from recbench.progress.console import write_message
from recbench.registry.model_entries import split_commas
from recbench.reports.formats import Format


def sweep(
    models: Models,
    param: Annotated[
        list[str],
        typer.Option(
            metavar=PARAM,
            help="Comma-separated: the values to compare. A second --param with one value sets another hyper-parameter "
            "for all trials. MODEL may be left out.",
        ),
    ],
    task: Task = DEFAULT_TASK,
    seeds: Seeds = N_SEEDS,
    seed: FirstSeed = 0,
    threads: Threads = 1,
    device: DeviceOption = "auto",
    jobs: Jobs = 1,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    cluster: Cluster = None,
    force: RunAgain = False,
    track: Track = False,
    output: RecordsFolder = DEFAULT_OUTPUT,
    plot: Plot = None,
    form: Form = Format.TEXT,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
    quiet: Quiet = False,
) -> None:
    """Train a model once per value of a hyper-parameter; compare quality, time and memory.

    The trials are those that 'recbench run' would run, and their records are kept in the same way.

    Examples:
      recbench sweep --models bpr --param factors=16,32,64,128
      recbench sweep --models bpr --param loss=bpr,softmax --param epochs=30 --task ml-100k-loo --plot loss.png

    Exit codes: 0 all trials done, 2 bad input, 3 a trial failed, 130 interrupted, 143 terminated.
    """
    model = only_item("--models", models)
    from recbench.registry.requested import request_models

    (requested,) = request_models([model])
    name, values, others = parse_sweep(param, requested.names)
    set_quiet(quiet)
    with interruption_message(output) as count:
        if not quiet:
            write_message(f"Task {task}; model {model}; {name} = {', '.join(values)}", "dim")

        from recbench.experiments.execution import Execution
        from recbench.experiments.sweep import SweepRequest
        from recbench.experiments.sweep import sweep as sweep_request
        from recbench.experiments.train import Reuse
        from recbench.output_files import BY_NAME_ONLY, OutputFile
        from recbench.progress.choice import run_progress
        from recbench.reports.plots.figures import check_picture
        from recbench.reports.sweep.table import sweep_column_names, sweep_table
        from recbench.trials.machine import library_settings

        form = Format.JSON if as_json else form
        known = sweep_column_names()
        shown = None if columns is None else [column_name(column, name, known) for column in columns]
        sort = None if sort is None else column_name(sort, name, known)
        # An error names the hyper-parameter too.
        view = table_view(shown, sort, list(dict.fromkeys([*known, name.lower()])), form)
        os.environ.update(library_settings(threads, device))
        if plot is not None:
            # Not --force: it runs trials again.
            check_picture(OutputFile(plot, advice=BY_NAME_ONLY))
        (requested,) = request_models([model], [f"{other}={text}" for other, text in others.items()])
        request = SweepRequest(
            model=requested,
            parameter=name,
            values=values,
            task=task,
            seeds=range(seed, seed + seeds),
            output=output,
            reuse=Reuse.REPEAT if force else Reuse.KEEP,
            execution=Execution(
                threads=threads, device=device, jobs=jobs, timeout=timeout, max_memory=max_memory, cluster=cluster
            ),
            track=track,
        )
        result = sweep_request(request, count.of(run_progress(quiet=quiet)))
        if form is Format.JSON:
            emit_json(result.document())
        else:
            emit(sweep_table(result.run.report, name, form, view), styled=view.screen is not None)
            if not quiet:
                emit_next_step(after_sweep(result.run, name), view.screen)
        if not quiet:
            write_message(f"Records: {output}", "dim")
        if plot is not None:
            write_message(f"Drawn: {result.plot(plot)}", "dim")
        exit_if_failed(result.run.failed)


def column_name(text: str, parameter: str, known: Sequence[str]) -> str:
    """Returns the name of a column: that of the values may also be written as the hyper-parameter, as in its header.

    Upper and lower case count as equal, as for all names of columns.

    >>> column_name("Factors", "factors", ["value", "fit"]), column_name("fit", "factors", ["value", "fit"])
    ('value', 'fit')
    """
    return "value" if text.lower() == parameter.lower() and text.lower() not in known else text


def parse_sweep(assignments: list[str], model_names: Iterable[str]) -> tuple[str, list[str], dict[str, str]]:
    """Reads the ``[MODEL.]NAME=VALUE,VALUE,...`` texts.

    Args:
        assignments: The texts.
        model_names: What a text may call the model.

    Returns:
        The hyper-parameter with several values, these, and the others with their only one.

    Raises:
        RecbenchError: A text is not of that form, or not exactly one of them has several values.
    """
    values: dict[str, list[str]] = {}
    for assignment in assignments:
        prefix = next((f"{model}." for model in model_names if assignment.startswith(f"{model}.")), "")
        name, equals, text = assignment.removeprefix(prefix).partition("=")
        given = list(dict.fromkeys(split_commas(text)))
        if not (name and equals and all(given)):
            raise RecbenchError(
                f"--param {assignment!r} is not of the form [MODEL.]NAME=VALUE,VALUE,...",
                "For example: --param factors=16,32,64",
            )
        if name in values:
            raise RecbenchError(f"--param gives {name!r} twice.", "Put all its values into one.")
        values[name] = given
    several = [name for name, given in values.items() if len(given) > 1]
    if len(several) != 1:
        problem = (
            f"{', '.join(several)} have several values" if several else "none of these parameters has several values"
        )
        raise RecbenchError(
            f"A sweep compares the values of one hyper-parameter, and {problem}.",
            "For example: --param factors=16,32,64 --param epochs=30",
        )
    (name,) = several
    return name, values.pop(name), {other: given for other, (given,) in values.items()}
