"""``recbench sweep``: what one hyper-parameter does to quality, time and memory."""

import os
from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.execution_options import (
    Cluster,
    DeviceOption,
    FirstSeed,
    Jobs,
    MaxMemory,
    Quiet,
    Seeds,
    Task,
    Threads,
    Timeout,
)
from recbench.cli.shared.interruption import interruption_message
from recbench.cli.shared.terminal import emit, emit_json, exit_if_failed, set_quiet
from recbench.errors import RecbenchError
from recbench.experiments.defaults import DEFAULT_OUTPUT, DEFAULT_TASK, N_SEEDS
from recbench.progress.console import messages
from recbench.registry.model_entries import split_commas
from recbench.reports.formats import Format


def sweep(
    model: Annotated[str, typer.Option(help="A name of 'recbench list', package.module:Class, or file.py:Class.")],
    param: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUE,VALUE,...",
            help="The values to compare. Given again with one value, it sets another hyper-parameter for all trials.",
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
    force: Annotated[bool, typer.Option("--force", help="Run again also trials whose records exist.")] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the records.")] = DEFAULT_OUTPUT,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it too, as .png or .svg.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How the table is printed.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a model once per value of a hyper-parameter; compare quality, time and memory.

    The trials are those that 'recbench run' would run, and their records are kept in the same way.

    Examples:
      recbench sweep --model bpr --param factors=16,32,64,128
      recbench sweep --model bpr --param loss=bpr,softmax --param epochs=30 --task ml-100k-loo --plot loss.png

    Exit codes: 0 all trials done, 2 bad input, 3 a trial failed, 130 interrupted, 143 terminated.
    """
    name, values, others = parse_sweep(param)
    set_quiet(quiet)
    with interruption_message(output) as count:
        if not quiet:
            messages().print(f"Task {task}; model {model}; {name} = {', '.join(values)}", style="dim", markup=False)

        from recbench.experiments.execution import Execution
        from recbench.experiments.sweep import SweepRequest
        from recbench.experiments.sweep import sweep as sweep_request
        from recbench.experiments.train import Reuse
        from recbench.output_files import BY_NAME_ONLY, OutputFile
        from recbench.progress.choice import run_progress
        from recbench.registry.models import find_model
        from recbench.registry.requested import RequestedModel
        from recbench.reports.plots.figures import check_picture
        from recbench.trials.machine import library_settings

        os.environ.update(library_settings(threads, device))
        if plot is not None:
            # Not --force: it runs trials again.
            check_picture(OutputFile(plot, advice=BY_NAME_ONLY))
        request = SweepRequest(
            model=RequestedModel(find_model(model), others),
            parameter=name,
            values=values,
            task=task,
            seeds=range(seed, seed + seeds),
            output=output,
            reuse=Reuse.REPEAT if force else Reuse.KEEP,
            execution=Execution(
                threads=threads, device=device, jobs=jobs, timeout=timeout, max_memory=max_memory, cluster=cluster
            ),
        )
        result = sweep_request(request, count.of(run_progress(quiet=quiet)))
        if as_json or form is Format.JSON:
            emit_json(result.document())
        else:
            emit(result.table(form))
        if not quiet:
            messages().print(f"Records: {output}", style="dim", markup=False)
        if plot is not None:
            messages().print(f"Drawn: {result.plot(plot)}", style="dim", markup=False)
        exit_if_failed(result.run.failed)


def parse_sweep(assignments: list[str]) -> tuple[str, list[str], dict[str, str]]:
    """Reads the ``NAME=VALUE,VALUE,...`` texts.

    Returns:
        The hyper-parameter with several values, these, and the others with their only one.

    Raises:
        RecbenchError: A text is not of that form, or not exactly one of them has several values.
    """
    values: dict[str, list[str]] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        given = list(dict.fromkeys(split_commas(text)))
        if not (name and equals and all(given)):
            raise RecbenchError(
                f"--param {assignment!r} is not of the form NAME=VALUE,VALUE,...",
                "For example: --param factors=16,32,64",
            )
        if name in values:
            raise RecbenchError(f"--param gives {name!r} twice.", "Put all its values into one.")
        values[name] = given
    several = [name for name, given in values.items() if len(given) > 1]
    if len(several) != 1:
        told = f"{', '.join(several)} have several values" if several else "none of them has several values"
        raise RecbenchError(
            f"A sweep goes through the values of one hyper-parameter, and {told}.",
            "For example: --param factors=16,32,64 --param epochs=30",
        )
    (name,) = several
    return name, values.pop(name), {other: given for other, (given,) in values.items()}
