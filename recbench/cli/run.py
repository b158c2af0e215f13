"""``recbench run``: the comparison."""

import re
from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.interruption import told_when_interrupted
from recbench.device import Device
from recbench.errors import RecbenchError
from recbench.progress.console import messages
from recbench.registry.model_entries import split_entries
from recbench.reports.formats import Format
from recbench.trials.curve_epochs import CurveEpochs

DEFAULT_OUTPUT = Path("results/runs")
MAX_SEED = 2**31 - 1
"""The highest that every framework takes."""
SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([a-z]*)")
UNITS = {
    "": 1,
    **{f"{letter}{unit}": 1000**power for power, letter in enumerate("kmgt", 1) for unit in ("", "b")},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}


def run(
    models: Annotated[
        str,
        typer.Option(
            metavar="[LABEL=]MODEL[:NAME=VALUE]...,...",
            help="Comma-separated. MODEL is a name of 'recbench list', package.module:Class or file.py:Class; the same "
            "model may occur in several configurations.",
        ),
    ],
    task: Annotated[str, typer.Option(help="A name of 'recbench task list', or a spec file.")] = "ml-100k",
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds each model is trained with.")] = 3,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="The first seed; the others count up.")] = 0,
    k: Annotated[str, typer.Option(help="Cut-offs of HR@k and NDCG@k, comma-separated.")] = "10",
    param: Annotated[
        list[str] | None,
        typer.Option(help="MODEL.NAME=VALUE sets a hyper-parameter; MODEL may be a label. May be repeated."),
    ] = None,
    settings: Annotated[
        str | None,
        typer.Option(
            metavar="tuned|default|FILE",
            help="Hyper-parameters: those of 'recbench tune', the models' own (as without this option), or those of a "
            "file that it wrote. --param goes before.",
        ),
    ] = None,
    threads: Annotated[
        int,
        typer.Option(min=1, help="Threads for each model. One gives the same ranks every time, bit for bit."),
    ] = 1,
    device: Annotated[
        Device, typer.Option(help="What to train on; auto is a GPU where there is one. Models of the CPU stay there.")
    ] = "auto",
    curve: Annotated[
        str | None,
        typer.Option(
            metavar="EPOCHS",
            help="Score after these epochs as well, off the clock: all, every:N, or N,N,... The table then shows how "
            "long each model took to 99 % of its final HR.",
        ),
    ] = None,
    reach: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="HR", help="Show how long each model took to this HR; with --curve."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Also rank each case's item among all items that its user has not met."),
    ] = False,
    metrics: Annotated[
        bool,
        typer.Option(
            "--metrics", help="Also show MRR, AUC, coverage, Gini, popularity, and HR of cohorts; implies --full."
        ),
    ] = False,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Also show all pairs of models: difference, interval, tests.")
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(
            min=1, help="Trials at a time, each with --threads cores of its own. Their throughput is marked as shared."
        ),
    ] = 1,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.001, metavar="SECONDS", help="End a trial that takes longer; its import may as well."),
    ] = None,
    max_memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="End a trial whose process uses more memory, such as 500MB or 4GiB."),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run the trials on the workers of a Dask cluster: tcp://HOST:8786."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run also trials whose records are there.")] = False,
    collect: Annotated[
        bool, typer.Option("--collect", help="Run nothing; report on the records that are there.")
    ] = False,
    in_process: Annotated[
        bool,
        typer.Option("--in-process", help="Run all trials in this process, where a debugger sees them."),
    ] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the records.")] = DEFAULT_OUTPUT,
    form: Annotated[Format, typer.Option("--format", help="How the table is printed.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan; train nothing.")] = False,
) -> None:
    """Train each model on the task, rank the same candidates with each, and print the comparison.

    Each trial runs in a process of its own. Trials whose records are in the output folder are not run again, unless
    the task, the model's source or parameters, or what is asked for have changed.

    Examples:
      recbench run --models bpr,ncf
      recbench run --models popularity,bpr --task ml-100k-loo --seeds 5 --k 5,10,20
      recbench run --models bpr --param bpr.factors=64 --param bpr.epochs=50 --format markdown
      recbench run --models bpr,bpr:factors=128,deep=my_model.py:Net:layers=[64,32]
      recbench run --models bpr,ncf --settings tuned
      recbench run --models bpr,implicit-bpr --curve all --reach 0.45
      recbench run --models bpr,ncf,popularity --full --metrics --pairs
      recbench run --models popularity,my_model.py:MyModel --task synthetic --timeout 600 --max-memory 4GiB --json

    Exit codes: 0 all trials done, 2 bad input, 3 a model failed, 4 nothing to collect, 130 interrupted, 143 terminated.
    """
    names = model_names(models)
    ks = cut_offs(k)
    if reach is not None and curve is None:
        raise RecbenchError("--reach needs a learning curve.", "Add --curve all, or --curve every:10.")
    if form is Format.CSV and (pairs or metrics):
        raise RecbenchError("--format csv is one table; --pairs and --metrics are others.", "Use --json: it has all.")
    if seed + seeds > MAX_SEED + 1:
        raise RecbenchError(f"The seeds would go beyond {MAX_SEED}.", "Use a smaller --seed.")
    if force and collect:
        raise RecbenchError("--force repeats trials, and --collect runs none.", "Use one of them.")
    if in_process and (jobs > 1 or timeout is not None or max_memory is not None or cluster is not None):
        raise RecbenchError(
            "--jobs, --timeout, --max-memory and --cluster need a process for each trial.", "Leave --in-process out."
        )
    if cluster is not None and jobs > 1:
        raise RecbenchError(
            "Each worker of a cluster runs one trial at a time.", "Leave --jobs out; start more workers."
        )
    points, memory_bytes = _curve(curve), _size(max_memory)
    with told_when_interrupted(output) as tally:
        # Before the slow imports, so that nobody waits for a sign of life.
        messages().print(f"Task {task}; models {', '.join(names)}", style="dim", markup=False)

        from recbench.experiments.run import Request, run_and_report
        from recbench.experiments.train import Reuse
        from recbench.runners.limits import Limits
        from recbench.trials.conditions import Conditions

        request = Request(
            models=names,
            assignments=tuple(param or ()),
            settings=settings,
            task=task,
            seeds=range(seed, seed + seeds),
            conditions=Conditions(threads, device, ks, points, catalogue=full or metrics),
            limits=Limits(timeout, memory_bytes),
            jobs=jobs,
            cluster=cluster,
            in_process=in_process,
            reuse=Reuse.REPEAT if force else Reuse.ONLY if collect else Reuse.KEEP,
            dry_run=dry_run,
            output=output,
            form=Format.JSON if as_json else form,
            reach=reach,
            metrics=metrics,
            pairs=pairs,
        )
        run_and_report(request, tally)


def model_names(models: str) -> list[str]:
    """Reads the names of ``--models``, each once.

    Raises:
        RecbenchError: There is none.
    """
    names = split_entries(models)
    if not names:
        raise RecbenchError("--models names no model.", "For example: --models popularity,bpr")
    return list(dict.fromkeys(names))


def cut_offs(text: str) -> tuple[int, ...]:
    """Reads the numbers of ``--k``, ascending.

    Raises:
        RecbenchError: They are not whole numbers from 1 up.
    """
    try:
        ks = sorted({int(part) for part in text.split(",")})
    except ValueError:
        ks = [0]
    if ks[0] < 1:
        raise RecbenchError(f"--k {text!r} is not a list of whole numbers from 1 up.", "For example: --k 5,10,20")
    return tuple(ks)


def _curve(text: str | None) -> CurveEpochs | None:
    try:
        return None if text is None else CurveEpochs.parse(text)
    except ValueError:
        raise RecbenchError(
            f"--curve {text!r} is not all, every:N, or N,N,...", "For example: --curve every:5"
        ) from None


def _size(text: str | None) -> int | None:
    """Reads a number of bytes."""
    if text is None:
        return None
    found = SIZE.fullmatch(text.strip().lower())
    size = int(float(found[1]) * UNITS[found[2]]) if found and found[2] in UNITS else 0
    if size < 1:
        raise RecbenchError(
            f"--max-memory {text!r} is not an amount of memory.", "For example: --max-memory 500MB, or 4GiB"
        )
    return size
