"""``recbench sweep``: what one hyper-parameter does to quality, time and memory."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.run import DEFAULT_OUTPUT, MAX_SEED
from recbench.cli.shared.interruption import told_when_interrupted
from recbench.device import Device
from recbench.errors import RecbenchError
from recbench.progress.console import messages
from recbench.registry.model_entries import split_commas


def sweep(
    model: Annotated[str, typer.Option(help="A name of 'recbench list', package.module:Class, or file.py:Class.")],
    param: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUE,VALUE,...",
            help="The values to go through. Given again with one value, it sets another hyper-parameter for all.",
        ),
    ],
    task: Annotated[str, typer.Option(help="A name of 'recbench task list', or a spec file.")] = "ml-100k",
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds each value is trained with.")] = 3,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="The first seed; the others count up.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads for each trial.")] = 1,
    device: Annotated[Device, typer.Option(help="What to train on; auto is a GPU where there is one.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Run also trials whose records are there.")] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the records.")] = DEFAULT_OUTPUT,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it too, as .png or .svg.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train a model with one value of a hyper-parameter after the other, and print what each costs and gives.

    The trials are those that 'recbench run' would run, and their records are kept in the same way.

    Examples:
      recbench sweep --model bpr --param factors=16,32,64,128
      recbench sweep --model bpr --param loss=bpr,softmax --param epochs=30 --task ml-100k-loo --plot loss.png

    Exit codes: 0 all trials done, 2 bad input, 3 a trial failed, 130 interrupted, 143 terminated.
    """
    name, values, others = parse_sweep(param)
    if seed + seeds > MAX_SEED + 1:
        raise RecbenchError(f"The seeds would go beyond {MAX_SEED}.", "Use a smaller --seed.")
    with told_when_interrupted(output) as tally:
        messages().print(f"Task {task}; model {model}; {name} = {', '.join(values)}", style="dim", markup=False)

        from recbench.experiments.sweep import SweepRequest, sweep_and_report
        from recbench.trials.conditions import Conditions

        request = SweepRequest(
            model=model,
            name=name,
            values=values,
            others=others,
            task=task,
            seeds=range(seed, seed + seeds),
            conditions=Conditions(threads, device),
            force=force,
            output=output,
            plot=plot,
            as_json=as_json,
        )
        sweep_and_report(request, tally)


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
