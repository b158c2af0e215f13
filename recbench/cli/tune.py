"""``recbench tune``: good hyper-parameters, with the same effort for every model."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.run import MAX_SEED, model_names
from recbench.cli.shared.interruption import told_when_interrupted
from recbench.device import Device
from recbench.errors import RecbenchError
from recbench.progress.console import messages

FOLDER = Path("results/tuning")


def tune(
    models: Annotated[
        str, typer.Option(help="Comma-separated: names of 'recbench list', package.module:Class, file.py:Class.")
    ],
    task: Annotated[str, typer.Option(help="A name of 'recbench task list', or a spec file.")] = "ml-100k",
    trials: Annotated[int, typer.Option(min=1, help="How many settings to try of each model.")] = 30,
    budget: Annotated[
        float,
        typer.Option(
            min=0.001,
            metavar="SECONDS",
            help="How long each model's trials may take together, over all sessions; imports are not counted.",
        ),
    ] = 600.0,
    threads: Annotated[int, typer.Option(min=1, help="Threads for each trial.")] = 1,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Of the search, and of every training.")] = 0,
    device: Annotated[Device, typer.Option(help="What to train on; auto is a GPU where there is one.")] = "auto",
    spaces: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Search spaces.", show_default="models/search_spaces.toml"),
    ] = None,
    storage: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="SQLite file for all trials; they go on where it stops.",
            show_default=f"{FOLDER}/TASK.db",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Where the settings go.", show_default="models/settings/TASK.toml"
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run trials on all workers of a Dask cluster at a time: tcp://HOST:8786."),
    ] = None,
    plot: Annotated[
        bool,
        typer.Option(
            "--plot", help="Also draw each model's history and its parameters' importance, beside the storage."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
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
    with told_when_interrupted(storage or FOLDER) as tally:
        messages().print(f"Task {task}; models {', '.join(names)}", style="dim", markup=False)

        _check_packages(plot)

        from recbench.experiments.tune import TuneRequest, tune_and_report
        from recbench.tuning.past import Budget

        request = TuneRequest(
            models=names,
            task=task,
            budget=Budget(trials, budget),
            threads=threads,
            seed=seed,
            device=device,
            cluster=cluster,
            spaces=spaces,
            storage=storage,
            output=output,
            plot=plot,
            as_json=as_json,
        )
        tune_and_report(request, tally)


def _check_packages(plot: bool) -> None:
    """Checks that what a tuning needs is installed."""
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise RecbenchError(
            f"Tuning needs optuna, which cannot be imported: {error}.", "Install it: pip install -e '.[tune]'"
        ) from error
    if plot:
        from recbench.reports.plots.figures import check_matplotlib

        check_matplotlib()
