"""``recbench data``: datasets."""

import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from recbench.cli.shared.cache_sizes import amount, megabytes
from recbench.cli.shared.completion import dataset_name
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
from recbench.cli.shared.tables import emit_facts, emit_prose, emit_table
from recbench.cli.shared.terminal import emit, emit_json
from recbench.cli.shared.verbs import Verbs
from recbench.errors import RecbenchError
from recbench.progress.console import animated

if TYPE_CHECKING:
    from recbench.cli.shared.content_document_types import DatasetFactsDocument, DatasetInfoDocument
    from recbench.cli.shared.document_types import DatasetDocument, DatasetsDocument
    from recbench.data.interactions import Interactions

log = logging.getLogger(__name__)

app = Verbs(help="List, fetch, inspect and remove datasets.")
Name = Annotated[
    str, typer.Argument(help="A name of 'recbench data list'.", show_default=False, autocompletion=dataset_name)
]

SYNTHETIC = "synthetic"
SYNTHETIC_TITLE = "Generated from a seed; nothing to fetch. Its shape is set in a task's spec"


@app.command("list")
def list_data(as_json: AsJson = False) -> None:
    """List the datasets that recbench knows by name."""
    from recbench.data.cache import home
    from recbench.data.catalogue import catalogue
    from recbench.data.fetch import is_cached
    from recbench.tasks.cache_contents import dataset_files, total_bytes

    rows: list[DatasetDocument] = [
        {
            "name": name,
            "title": dataset.title,
            "rows": dataset.rows,
            "users": dataset.users,
            "items": dataset.items,
            "fetched": is_cached(name),
            "bytes": total_bytes(dataset_files(name)),
        }
        for name, dataset in catalogue().items()
    ]
    if as_json:
        document: DatasetsDocument = {"schema": 1, "cache": str(home()), "datasets": rows}
        emit_json(document)
        return
    table: list[list[Any]] = [
        [
            row["name"],
            f"{row['rows']:,}" if row["rows"] is not None else "?",
            "yes" if row["fetched"] else "no",
            megabytes(row["bytes"]) if row["bytes"] else "",
            row["title"],
        ]
        for row in rows
    ]
    emit_table([*table, [SYNTHETIC, "any", "-", "", SYNTHETIC_TITLE]], ["dataset", "rows", "fetched", "MB", "title"])
    emit_prose(f"\nCache: {home()}")


@app.command()
def fetch(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Fetch again, even if the cache has the files.")] = False,
) -> None:
    """Fetch a dataset into the cache, and print the paths of its files.

    Example: recbench data fetch ml-100k
    """
    from recbench.data.fetch import fetch as fetch_rows

    if name == SYNTHETIC:
        emit(SYNTHETIC_TITLE)
        return
    for path in fetch_rows(name, force=force, progressbar=animated()).values():
        emit(str(path))


@app.command()
def add(
    name: Name,
    files: Annotated[list[Path], typer.Argument(help="The published archive, or the files inside of it.")],
) -> None:
    """Add files that you downloaded yourself, after checking that they are the published files.

    If nobody published a checksum, recbench checks the numbers of rows, users and items, and stores the checksum of
    the files.

    Examples:
      recbench data add ml-100k ~/Downloads/ml-100k.zip
      recbench data add gowalla train.txt test.txt
    """
    from recbench.data.fetch import add as add_rows

    for path in add_rows(name, files).values():
        emit(str(path))


@app.command()
def remove(name: Name) -> None:
    """Remove a dataset from the cache. Tasks that were built from it stay.

    Example: recbench data remove ml-100k
    """
    from recbench.tasks.removal import remove_dataset

    if name == SYNTHETIC:
        emit(SYNTHETIC_TITLE)
        return
    removed = remove_dataset(name)
    if not removed.n_files:
        emit(f"The dataset {name} is not in the cache; nothing was removed.")
        return
    emit(f"Removed the dataset {name}: {amount(removed.n_files, removed.n_bytes)}")
    log.info("%s", removed.again)


@app.command()
def info(
    name: Annotated[
        str, typer.Argument(help="A name of 'recbench data list', or a ratings file.", autocompletion=dataset_name)
    ],
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
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Describe a dataset, its licence and how to cite it, or what is in a ratings file.

    Examples:
      recbench data info ml-100k
      recbench data info ratings.csv --user-column customer
    """
    from recbench.data.catalogue import catalogue, citations, find_dataset
    from recbench.data.fetch import cached_files, fetch, is_cached

    facts: dict[str, Any]
    interactions: Interactions | None = None
    citation = ""
    if name == SYNTHETIC:
        from recbench.data.synthetic import SyntheticParameters

        facts = {"title": SYNTHETIC_TITLE, "defaults": SyntheticParameters().model_dump()}
    elif name in catalogue() or not os.path.exists(name):  # noqa: PTH110 - answers for any text
        dataset = find_dataset(name)
        facts = {
            **dataset.model_dump(include={"title", "homepage", "licence", "rows", "users", "items"}),
            "files": [str(path) for path in cached_files(name).values()],
            "fetched": is_cached(name),
            "terms": dataset.terms.strip(),
        }
        citation = citations()[dataset.citation]
        if is_cached(name):
            from recbench.data.published_files import read_rows

            interactions = read_rows(dataset, fetch(name))
    else:
        from recbench.data.readers.layout import Layout
        from recbench.data.readers.ratings_files import read_interactions
        from recbench.data.time_column import time_format

        layout = Layout(
            user_column,
            item_column,
            rating_column,
            timestamp_column,
            separator,
            form,
            encoding,
            member,
            skip_bad_rows,
            timestamp_format=time_format(timestamp_format),
        )
        interactions = read_interactions(Path(name), layout)
        facts = {}
    _emit_info(name, facts, citation, interactions, plot, as_json)


def _emit_info(
    name: str,
    facts: dict[str, Any],
    citation: str,
    interactions: "Interactions | None",
    plot: Path | None,
    as_json: bool,
) -> None:
    counted = None
    if interactions is not None:
        from recbench.data.statistics import statistics
        from recbench.output_files import BY_NAME_ONLY, OutputFile
        from recbench.reports.plots.histograms import plot_histograms, text_histograms

        counted = statistics(interactions.users, interactions.items)
        times = interactions.timestamps
        facts |= {
            "duplicates": interactions.n_duplicates,
            "ratings": interactions.ratings is not None,
            "timestamps": None if times is None else [int(times.min()), int(times.max())],
        }
    if plot is not None:
        if counted is None:
            raise RecbenchError(
                f"The dataset {name!r} is not in the cache, so there are no rows to draw.",
                f"Fetch it: recbench data fetch {name}",
            )
        plot_histograms(name, counted, OutputFile(plot, advice=BY_NAME_ONLY))
    if as_json:
        figures = {"statistics": asdict(counted)} if counted else {}
        described = {"name": name, **facts, "citation": citation or None, **figures}
        document: DatasetInfoDocument = {"schema": 1, "dataset": cast("DatasetFactsDocument", described)}
        emit_json(document)
        return
    figures = {key: value for key, value in asdict(counted).items() if key not in HISTOGRAMS} if counted else {}
    emit_facts([[key.replace("_", " "), _shown(value)] for key, value in {**facts, **figures}.items()], [name, ""])
    if counted:
        emit("\n" + text_histograms(counted))
    if citation:
        emit("\n" + citation)


HISTOGRAMS = ("histories", "popularities")


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else value
