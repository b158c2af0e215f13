"""``recbench task import`` and ``recbench task export``: splits that others made, and tasks for others."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.completion import dataset_name
from recbench.cli.shared.output_options import FOLDER, OUTPUT, check_folder
from recbench.cli.shared.ratings_file_options import (
    ItemColumn,
    RatingColumn,
    Separator,
    TimestampColumn,
    TimestampFormat,
    UserColumn,
)
from recbench.cli.shared.task_options import NameOrSpec, Replace, TooFewNegatives
from recbench.cli.shared.terminal import emit
from recbench.cli.shared.verbs import Verbs
from recbench.errors import RecbenchError, unknown_name
from recbench.experiments.defaults import MAX_SEED
from recbench.tasks.exchange.forms import ExportForm, NegativesMethod, TooFew, UniformNegatives

if TYPE_CHECKING:
    from recbench.tasks.spec import Negatives, Waiver
    from recbench.tasks.task import Task

log = logging.getLogger(__name__)

app = Verbs(help="Import a split that somebody published.")

Name = Annotated[str, typer.Argument(help="Name of the task.")]
Train = Annotated[Path | None, typer.Option(help="Train rows.")]
Test = Annotated[Path | None, typer.Option(help="Held-out rows, one per case.")]
DatasetName = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        help="Instead of files: a dataset of 'recbench data list' that has them.",
        autocompletion=dataset_name,
    ),
]
Method = Annotated[NegativesMethod, typer.Option("--negatives", help="How to draw negatives if none were published.")]
Count = Annotated[int, typer.Option(min=1, help="Number of negatives for each case.")]
Seed = Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of the draw of negatives.")]
Waive = Annotated[
    list[str] | None,
    typer.Option(help="A rule that this split may break. Every table shows the waiver."),
]
Declared = Annotated[
    UniformNegatives | None,
    typer.Option(
        "--uniform-negatives",
        help="Whether the published negatives were drawn uniformly from the items that the user has not interacted "
        "with. Default: a chi-square test of the negatives decides.",
    ),
]


@app.command("ncf")
def import_ncf(
    name: Name,
    train: Annotated[
        Path | None, typer.Option(help="Train rows: user, item[, rating, timestamp], separated by tabs.")
    ] = None,
    test: Test = None,
    candidates: Annotated[
        Path | None, typer.Option(help="Candidates: (user,item) and its negatives, separated by tabs.")
    ] = None,
    dataset: DatasetName = None,
    waive: Waive = None,
    uniform_negatives: Declared = None,
    force: Replace = False,
) -> None:
    """Import files in the form of the NCF paper, plain or gzip, with their published candidates.

    Examples:
      recbench task import ncf --train ml-1m.train.rating --test ml-1m.test.rating
        --candidates ml-1m.test.negative --waive positive-among-negatives ncf-ml-1m
      recbench task import ncf --dataset pinterest-20 pinterest
    """
    from recbench.tasks.exchange import ncf

    _check_name(name, force)
    given = {"--train": train, "--test": test, "--candidates": candidates}
    files = _files(given, dataset, (".train.rating", ".test.rating", ".test.negative"))
    _keep(ncf.import_ncf(name, files[0], files[1], files[2], _waivers(waive), uniform_negatives), force)


@app.command("lightgcn")
def import_lightgcn(
    name: Name,
    train: Train = None,
    test: Test = None,
    dataset: DatasetName = None,
    method: Method = NegativesMethod.UNIFORM,
    count: Count = 100,
    seed: Seed = 0,
    too_few_negatives: TooFewNegatives = None,
    waive: Waive = None,
    force: Replace = False,
) -> None:
    """Import train.txt and test.txt in the form of LightGCN: a user and the items of this user in each line.

    Examples:
      recbench task import lightgcn --dataset gowalla gowalla
      recbench task import lightgcn --train train.txt --test test.txt my-split
    """
    from recbench.tasks.exchange.imports import LIGHTGCN, import_split
    from recbench.tasks.exchange.split_files import SplitFiles

    _check_name(name, force)
    files = SplitFiles(*_files({"--train": train, "--test": test}, dataset, ("train.txt", "test.txt")))
    rule = _rule(method, count, seed, too_few_negatives)
    _keep(import_split(name, "lightgcn", files, rule, LIGHTGCN, _waivers(waive)), force)


@app.command("recbole-benchmark")
def import_recbole(
    name: Name,
    train: Annotated[Path, typer.Option(help="The atomic file of train rows.")],
    test: Annotated[Path, typer.Option(help="The atomic file of test rows.")],
    validation: Annotated[
        Path | None,
        typer.Option(help="The atomic file of validation rows. A run on the test cases also trains on them."),
    ] = None,
    method: Method = NegativesMethod.UNIFORM,
    count: Count = 100,
    seed: Seed = 0,
    too_few_negatives: TooFewNegatives = None,
    waive: Waive = None,
    force: Replace = False,
) -> None:
    """Import the atomic files of RecBole's benchmark_filename: train, valid, test.

    Example:
      recbench task import recbole-benchmark --train x.train.inter --validation x.valid.inter --test x.test.inter mine
    """
    from recbench.tasks.exchange.imports import import_split
    from recbench.tasks.exchange.split_files import SplitFiles

    _check_name(name, force)
    files, rule = SplitFiles(train, test, validation), _rule(method, count, seed, too_few_negatives)
    _keep(import_split(name, "recbole", files, rule, waivers=_waivers(waive)), force)


@app.command("pairs")
def import_pairs(
    name: Name,
    train: Annotated[Path, typer.Option(help="Train rows, as in 'recbench task build --ratings'.")],
    test: Annotated[Path, typer.Option(help="Held-out rows, one per case.")],
    candidates: Annotated[
        Path | None, typer.Option(help="Negatives, one per row, with the columns user, item, negative.")
    ] = None,
    validation: Annotated[Path | None, typer.Option(help="More train rows, which are the validation cases.")] = None,
    items: Annotated[
        Path | None, typer.Option(help="File of all item ids (column id), if some items have no row.")
    ] = None,
    users: Annotated[
        Path | None, typer.Option(help="File of all user ids (column id), if some users have no row.")
    ] = None,
    method: Method = NegativesMethod.UNIFORM,
    count: Count = 100,
    seed: Seed = 0,
    too_few_negatives: TooFewNegatives = None,
    user_column: UserColumn = None,
    item_column: ItemColumn = None,
    rating_column: RatingColumn = None,
    timestamp_column: TimestampColumn = None,
    timestamp_format: TimestampFormat = None,
    separator: Separator = None,
    waive: Waive = None,
    uniform_negatives: Declared = None,
    force: Replace = False,
) -> None:
    """Import a split of your own: train and test, and candidates if you have them.

    Example: recbench task import pairs --train train.csv --test test.csv --candidates candidates.csv mine
    """
    from recbench.data.readers.layout import Layout
    from recbench.data.time_column import time_format
    from recbench.tasks.exchange.imports import import_split
    from recbench.tasks.exchange.split_files import SplitFiles

    _check_name(name, force)
    files = SplitFiles(train, test, validation, candidates=candidates, users=users, items=items)
    layout = Layout(
        user_column,
        item_column,
        rating_column,
        timestamp_column,
        separator,
        timestamp_format=time_format(timestamp_format),
    )
    rule = _rule(method, count, seed, too_few_negatives)
    _keep(import_split(name, "pairs", files, rule, layout, _waivers(waive), uniform_negatives), force)


@app.command("folder")
def import_folder(
    name: Name,
    folder: Annotated[
        Path, typer.Argument(help="Folder that 'recbench task export' wrote, as csv, parquet or recbole.")
    ],
    force: Replace = False,
) -> None:
    """Import an exported task. The digest stays the same.

    Example: recbench task import folder again exported/
    """
    from recbench.tasks.exchange import imports

    _check_name(name, force)
    _keep(imports.import_folder(name, folder), force)


def export(
    name: NameOrSpec,
    output: Annotated[Path, typer.Option(*OUTPUT, metavar=FOLDER, help="Folder of the files.", callback=check_folder)],
    form: Annotated[ExportForm, typer.Option("--form", help="Format of the files.")] = ExportForm.CSV,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files in the folder that have other content.")
    ] = False,
) -> None:
    """Write a task's rows, cases and candidates for other frameworks.

    Examples:
      recbench task export ml-100k -o exported/
      recbench task export ml-100k -o recbole/ --form recbole
    """
    from recbench.progress.console import animated
    from recbench.tasks.exchange import export as exports
    from recbench.tasks.lookup import load_task

    for path in exports.export(load_task(name, progressbar=animated()), output, form, force=force):
        emit(str(path))


def _files(given: dict[str, Path | None], dataset: str | None, endings: tuple[str, ...]) -> list[Path]:
    """Returns the files that were named, or those of a dataset, by the ends of their names."""
    if dataset is None:
        if missing := [option for option, path in given.items() if path is None]:
            raise RecbenchError(f"Missing: {', '.join(missing)}.", f"Give {', '.join(given)}, or --dataset.")
        return [path for path in given.values() if path is not None]
    if any(path is not None for path in given.values()):
        raise RecbenchError(f"--dataset replaces {', '.join(given)}.", "Leave out one or the other.")
    from recbench.data.catalogue import find_dataset
    from recbench.data.fetch import fetch
    from recbench.progress.console import animated

    names = [file.name for file in find_dataset(dataset).files]
    if [ending for ending in endings if not any(name.endswith(ending) for name in names)]:
        raise RecbenchError(f"Dataset {dataset!r} has no such split; its files: {', '.join(names)}.", "Give files.")
    paths = fetch(dataset, progressbar=animated())
    return [next(path for name, path in paths.items() if name.endswith(ending)) for ending in endings]


def _rule(method: NegativesMethod, count: int, seed: int, too_few: TooFew | None) -> "Negatives":
    from recbench.tasks.spec import Negatives

    return Negatives(method=method.value, count=count, seed=seed, too_few=too_few)


def _waivers(names: list[str] | None) -> "frozenset[Waiver]":
    from recbench.tasks.spec import Waiver

    known = {waiver.value: waiver for waiver in Waiver}
    for name in names or ():
        if name not in known:
            raise unknown_name("waiver", name, known)
    return frozenset(known[name] for name in names or ())


def _check_name(name: str, replace: bool) -> None:
    from recbench.tasks.lookup import check_name

    check_name(name, replace=replace)


def _keep(task: "Task", replace: bool) -> None:
    from recbench.cli.shared.task_summary import emit_summary
    from recbench.tasks.lookup import keep_as_own

    log.info("Stored as %s", keep_as_own(task, replace=replace))
    emit_summary(task)
