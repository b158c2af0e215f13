"""``recbench clean``: frees the space of what was not used for some time."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from recbench.cli.shared.cache_sizes import amount, megabytes
from recbench.cli.shared.durations import parse_duration
from recbench.cli.shared.output_options import AsJson
from recbench.cli.shared.tables import emit_prose, emit_table
from recbench.cli.shared.terminal import emit, emit_json

if TYPE_CHECKING:
    from recbench.cli.shared.document_types import CachedFileDocument, CleaningDocument
    from recbench.tasks.cache_contents import CachedFile
    from recbench.tasks.removal import Cleaning


def clean(
    older_than: Annotated[
        str, typer.Option(metavar="TIME", help="Time since the last use: hours, days or weeks, such as 12h, 30d or 4w.")
    ],
    own: Annotated[
        bool,
        typer.Option(
            "--own", help="Also remove your own tasks and added datasets, which recbench cannot make or fetch again."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed; remove nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove tasks and datasets from the cache that were not used for some time.

    recbench builds or fetches them again when they are used. Files that a running process uses, the specs of your own
    tasks, and files that recbench did not write are kept.

    Examples:
      recbench clean --older-than 30d --dry-run
      recbench clean --older-than 4w
    """
    from recbench.data.cache import home
    from recbench.tasks import removal
    from recbench.tasks.cache_contents import total_bytes

    cleaning = removal.clean(parse_duration("--older-than", older_than), own=own, dry_run=dry_run)
    n_bytes = total_bytes(cleaning.removed)
    if as_json:
        document: CleaningDocument = {
            "schema": 1,
            "cache": str(home()),
            "dry_run": dry_run,
            "bytes": n_bytes,
            "removed": [_document(file) for file in cleaning.removed],
            "kept": [{**_document(file), "reason": reason} for file, reason in cleaning.kept],
        }
        emit_json(document)
        return
    if rows := _rows(cleaning, "to be removed" if dry_run else "removed"):
        emit_table(rows, ["kind", "name", "files", "MB", "result"])
        emit("")
    verb = "Would remove" if dry_run else "Removed"
    emit_prose(f"{verb} {amount(len(cleaning.removed), n_bytes)}, from the cache {home()}")


def _document(file: "CachedFile") -> "CachedFileDocument":
    return {
        "kind": file.kind.value,
        "name": file.name,
        "path": str(file.path),
        "bytes": file.n_bytes,
        "last_used": file.last_used,
    }


def _rows(cleaning: "Cleaning", removed: str) -> list[list[Any]]:
    """Returns a row for each task and dataset, and one for each kind of other files."""
    from recbench.tasks.cache_contents import Kind, total_bytes

    groups: dict[tuple[str, str, str], list[CachedFile]] = {}
    results = [
        *((file, removed) for file in cleaning.removed),
        *((file, f"kept: {why}") for file, why in cleaning.kept),
    ]
    for file, result in results:
        name = file.name if file.kind in (Kind.TASK, Kind.DATASET) else ""
        groups.setdefault((file.kind.value, name, result), []).append(file)
    return [
        [kind, name, len(files), megabytes(total_bytes(files)), result]
        for (kind, name, result), files in groups.items()
    ]
