"""The options that say where a verb writes and how it prints.

``-o`` takes a folder in every verb. A verb that writes one file takes the path of that file too.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from recbench.errors import RecbenchError
from recbench.path_checks import check_no_file_above
from recbench.reports.formats import Format
from recbench.system_errors import advice_to_write, reason

FILE_ENDINGS = (".csv", ".html", ".json", ".md", ".parquet", ".pdf", ".png", ".svg", ".tex", ".toml", ".txt")
OUTPUT = ("-o", "--output")
FOLDER, FOLDER_OR_FILE = "FOLDER", "FOLDER|FILE"
PANEL = "Output"


def _check_name(path: Path) -> None:
    """Checks that a path is not the usual sign for standard output.

    Raises:
        RecbenchError: It is.
    """
    if path == Path("-"):
        raise RecbenchError(
            "-o - is not a file: this command does not write to standard output.", "Name a file or a folder."
        )


def check_folder(path: Path | None) -> Path | None:
    """Checks that a path can be the folder of a verb's output.

    Raises:
        RecbenchError: It is a file, is named like one, or is ``-``.
    """
    if path is None:
        return None
    _check_name(path)
    if path.is_dir():
        return path
    if path.exists():
        raise RecbenchError(f"-o {path} is a file; this command writes a folder.", "Name a folder: -o results/runs")
    if path.suffix.lower() in FILE_ENDINGS:
        raise RecbenchError(
            f"-o {path} is named like a file; this command writes a folder.",
            f"Name a folder: -o {path.with_suffix('')}. To write what is printed into a file: > {path.name}",
        )
    return path


def output_file(path: Path | None, default: Path) -> Path:
    """Returns the file that a verb writes.

    Args:
        path: What ``-o`` was given; None if nothing was. A folder, or a path without an ending, is the folder of the
            file, and is made if it does not exist.
        default: The file that is written without ``-o``.

    Raises:
        RecbenchError: The folder cannot be made, or the path is ``-``.
    """
    if path is None:
        return default
    _check_name(path)
    if path.suffix and not path.is_dir():
        return path
    check_no_file_above(path, "Choose another folder or file with -o.")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecbenchError(
            f"Cannot make the folder {path}: {reason(error)}.",
            advice_to_write(error, "Choose another folder or file with -o."),
        ) from error
    return path / default.name


RecordsFolder = Annotated[
    Path,
    typer.Option(*OUTPUT, metavar=FOLDER, help="Folder of the records.", callback=check_folder, rich_help_panel=PANEL),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Also draw a picture: .png, .svg or .pdf. It needs the extra plot.",
        rich_help_panel=PANEL,
    ),
]
Form = Annotated[Format, typer.Option("--format", help="Format of the table.", rich_help_panel=PANEL)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.", rich_help_panel=PANEL)]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", help="Show no progress and no notes; only errors and the result.", rich_help_panel=PANEL),
]


def output_option(what: str, **settings: Any) -> Any:
    """Returns the option ``-o`` of a verb that writes one file.

    Args:
        what: The file, such as ``Page``.
        settings: What ``typer.Option`` takes.
    """
    return typer.Option(
        *OUTPUT, metavar=FOLDER_OR_FILE, help=f"{what}, or its folder.", rich_help_panel=PANEL, **settings
    )


def replace_option(what: str, *, made: str = "write it") -> Any:
    """Returns the option ``--force`` of a verb that writes files.

    Args:
        what: The file, such as ``the page``.
        made: What recbench does to make it.
    """
    plural = what == "files"
    edited = "they were" if plural else "it was"
    return typer.Option("--force", help=f"Replace {what} even if recbench did not {made} or {edited} edited.")


ReplacePage = Annotated[bool, replace_option("the page")]
