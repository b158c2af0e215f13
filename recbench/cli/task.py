"""``recbench task``: frozen tasks."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli import task_files
from recbench.cli.shared.cache_sizes import amount, megabytes
from recbench.cli.shared.completion import dataset_name, task_name
from recbench.cli.shared.output_options import AsJson, Plot
from recbench.cli.shared.ratings_file_options import (
    Encoding,
    FileForm,
    ItemColumn,
    Member,
    RatingColumn,
    Separator,
    SkipBadRows,
    TimestampColumn,
    TimestampFormat,
    UserColumn,
)
from recbench.cli.shared.tables import emit_prose, emit_table
from recbench.cli.shared.task_options import NameOrSpec, OrderOption, Replace, TooFewNegatives
from recbench.cli.shared.task_summary import emit_replicas, emit_summary, emit_task
from recbench.cli.shared.terminal import emit, emit_json
from recbench.cli.shared.verbs import Verbs
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.progress.console import animated

if TYPE_CHECKING:
    from recbench.cli.shared.document_types import ListedTaskDocument, TasksDocument

log = logging.getLogger(__name__)

app = Verbs(help="List, build, check, import, export and remove frozen tasks.")
app.add_typer(task_files.app, name="import")
app.command("export")(task_files.export)


@app.command("list")
def list_tasks(as_json: AsJson = False) -> None:
    """List the tasks for --task, and the size of each in the cache."""
    from recbench.data.cache import home
    from recbench.tasks.cache_contents import contents, task_files, total_bytes
    from recbench.tasks.lookup import find_task
    from recbench.tasks.named_specs import builtin_specs
    from recbench.tasks.names import own_task_names
    from recbench.tasks.task_file import spec_of

    cache_bytes = total_bytes(contents())
    rows: list[ListedTaskDocument] = []
    for kind, names in (("builtin", [*builtin_specs()]), ("own", own_task_names())):
        for name in names:
            try:
                entry = find_task(name)
                spec, built = entry.spec or spec_of(entry.path), entry.path.exists()
            except RecbenchError:
                spec, built = None, False
            description = "Its file cannot be read" if spec is None else spec.description or "Your own"
            n_bytes = total_bytes(task_files(name))
            rows.append({"name": name, "kind": kind, "built": built, "bytes": n_bytes, "description": description})
    if as_json:
        document: TasksDocument = {"schema": 1, "cache": str(home()), "cache_bytes": cache_bytes, "tasks": rows}
        emit_json(document)
        return
    emit_table(
        [
            [
                row["name"],
                row["kind"],
                "yes" if row["built"] else "no",
                megabytes(row["bytes"]) if row["bytes"] else "",
                row["description"],
            ]
            for row in rows
        ],
        ["task", "from", "built", "MB", "description"],
    )
    emit_prose(f"\nCache, with datasets: {megabytes(cache_bytes)} MB in {home()}")


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="A task's name.", autocompletion=task_name)],
    yes: Annotated[
        bool, typer.Option("--yes", help="Also remove a task of your own that recbench cannot make again.")
    ] = False,
) -> None:
    """Remove a task from the cache. Records of runs on it stay.

    Examples:
      recbench task remove ml-100k-loo
      recbench task remove my-shop --yes
    """
    from recbench.tasks.removal import remove_task

    removed = remove_task(name, yes=yes)
    if not removed.n_files:
        emit(f"The task {name} is not in the cache; nothing was removed.")
        return
    emit(f"Removed the task {name}: {amount(removed.n_files, removed.n_bytes)}")
    log.info("%s", removed.again)


@app.command()
def show(
    name: NameOrSpec,
    spec: Annotated[bool, typer.Option("--spec", help="Print the spec as TOML, to start your own from it.")] = False,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Show the counts, the digest, the leakage and the distribution of the train rows of a task; or its spec.

    Examples:
      recbench task show ml-100k
      recbench task show ml-100k --spec > my-task.toml
    """
    from recbench.tasks.lookup import find_task, load_task
    from recbench.tasks.replicas import load_replicas, replica_names

    if spec:
        from recbench.tasks.portable_spec import spec_to_share

        entry = find_task(name)
        if entry.spec is None:
            task = load_task(name, progressbar=animated())
            emit(spec_to_share(task.spec.model_copy(update={"digest": task.digest})))
        else:
            emit(spec_to_share(entry.spec))
        return
    if plot is None and not as_json and replica_names(name):
        emit_replicas(load_replicas(name, progressbar=animated()))
        return
    task = load_task(name, progressbar=animated())
    emit_task(task, plot, as_json)


@app.command()
def build(
    name: NameOrSpec,
    ratings: Annotated[
        Path | None,
        typer.Option(help="Make a task NAME from this file of ratings: CSV or similar, Parquet, JSON lines, ..."),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Make a task NAME from this dataset, a name of 'recbench data list'.", autocompletion=dataset_name
        ),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|SPEC.toml",
            autocompletion=task_name,
            help="With --dataset or --ratings: the task or spec file whose filters, split and negatives to use. "
            "Default: one row of each user is held out (see --order), with 100 uniform negatives.",
        ),
    ] = None,
    user_column: UserColumn = None,
    item_column: ItemColumn = None,
    rating_column: RatingColumn = None,
    timestamp_column: TimestampColumn = None,
    timestamp_format: TimestampFormat = None,
    separator: Separator = None,
    form: FileForm = None,
    encoding: Encoding = "utf-8",
    member: Member = None,
    skip_bad_rows: SkipBadRows = False,
    order: OrderOption = None,
    too_few_negatives: TooFewNegatives = None,
    force: Replace = False,
) -> None:
    """Build a task and store it: from its spec, from a dataset, or from ratings of your own.

    Examples:
      recbench task build ml-100k
      recbench task build my-task.toml
      recbench task build ml-1m-loo --dataset ml-1m --like ml-100k-loo
      recbench task build my-shop --ratings orders.csv --user-column customer --item-column sku
    """
    from recbench.data.time_column import time_format
    from recbench.tasks.lookup import build_own_again, check_name, find_task, keep_as_own, load_task
    from recbench.tasks.make import make_task_of_dataset, make_task_of_file
    from recbench.tasks.replicas import load_replicas, replica_names
    from recbench.tasks.spec import FileData

    columns = (user_column, item_column, rating_column, timestamp_column, timestamp_format, separator, form, member)
    _check_source(ratings, dataset, like, any(option is not None for option in columns))
    if ratings is None and dataset is None:
        _check_no_rule(name, "--too-few-negatives", "negatives.too_few", too_few_negatives)
        _check_no_rule(name, "--order", "split.order", order)
    if dataset is not None:
        task = make_task_of_dataset(
            name, dataset, like, too_few_negatives, order, replace=force, progressbar=animated()
        )
        emit_summary(task)
        return
    if ratings is None:
        if replica_names(name):
            emit_replicas(load_replicas(name, rebuild=True, progressbar=animated()))
            return
        if find_task(name).spec is None:
            emit_summary(build_own_again(name, replace=force, progressbar=animated()))
        else:
            emit_summary(load_task(name, rebuild=True, progressbar=animated()))
        return
    check_name(name, replace=force)
    data = FileData(
        source="file",
        path=ratings.absolute(),
        user=user_column,
        item=item_column,
        rating=rating_column,
        timestamp=timestamp_column,
        timestamp_format=time_format(timestamp_format),
        separator=separator,
        form=form,
        encoding=encoding,
        member=member,
        skip_bad_rows=skip_bad_rows,
    )
    task = make_task_of_file(name, data, like, too_few_negatives, order)
    log.info("Stored as %s", keep_as_own(task, replace=force))
    emit_summary(task)


def _check_no_rule(name: str, option: str, field: str, value: str | None) -> None:
    """Checks that an option does not change a rule of a task that has a spec.

    Raises:
        RecbenchError: It does.
    """
    if value is not None:
        raise RecbenchError(
            f"{option} {value} sets a rule, but the rules of {name} are in its spec.",
            f'Set it there: {field} = "{value}". To start from: recbench task show {shell_word(name)} --spec',
        )


def _check_source(ratings: Path | None, dataset: str | None, like: str | None, has_columns: bool) -> None:
    """Checks that the options of ``build`` belong together.

    Raises:
        RecbenchError: One of them needs another, or excludes it.
    """
    if ratings is not None and dataset is not None:
        raise RecbenchError("A task has one source: --dataset or --ratings.", "Leave one of them out.")
    if ratings is None and has_columns:
        raise RecbenchError(
            "Options that describe a file, such as --user-column, need the file.", "Give the file: --ratings FILE."
        )
    if ratings is None and dataset is None and like is not None:
        raise RecbenchError(
            f"--like {like} gives the rules, but not the data.",
            "Give a dataset, --dataset NAME (see: recbench data list), or a file, --ratings FILE.",
        )


@app.command()
def verify(
    name: NameOrSpec,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Also build it again from its data and compare the digests.")
    ] = False,
) -> None:
    """Check every rule of a task: its digest, its split and its candidates.

    Example: recbench task verify ml-100k --rebuild
    """
    from recbench.tasks.build import build as build_task
    from recbench.tasks.lookup import load_task
    from recbench.tasks.verify import verify as verify_task

    task = load_task(name, progressbar=animated())
    verify_task(task)
    if rebuild and (again := build_task(task.spec).digest) != task.digest:
        raise RecbenchError(
            f"Task {task.name!r} has the digest {task.digest}, but built again it has {again}.",
            "Its data or the code that draws candidates have changed. To replace the stored task: recbench task build "
            f"{shell_word(name)} --force. Do not compare older records with new ones.",
        )
    emit(f"{task.name} is valid{', also when built again' if rebuild else ''}: {task.digest}")
