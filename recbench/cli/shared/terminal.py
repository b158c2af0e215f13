"""Standard output is for data; everything for people to read on the way goes to standard error."""

import io
import json
import logging
import os
import sys
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.markup import escape

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.progress.console import bounded, messages
from recbench.text_encoding import READABLE

if TYPE_CHECKING:
    from recbench.records.finished_trial import FinishedTrial


class ExitCode(IntEnum):
    """What the process says when it ends."""

    OK = 0
    CHECK_FAILED = 1
    BAD_INPUT = 2
    MODEL_FAILED = 3
    NOT_COMPARABLE = 4
    INTERRUPTED = 130
    TERMINATED = 143


def emit(text: str) -> None:
    """Writes data to standard output."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=_encoding(sys.stdout), errors=READABLE)
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RecbenchError(f"Cannot write to standard output: {error.strerror}.", "Send it elsewhere.") from error


def _encoding(stream: io.TextIOWrapper) -> str:
    """Returns UTF-8 for a file or pipe, unless the user chose another; the default of Windows lacks characters."""
    return stream.encoding if stream.isatty() or "PYTHONIOENCODING" in os.environ else "utf-8"


def emit_json(document: Any) -> None:
    """Writes one JSON document to standard output, numbers in full precision."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(document, indent=2, allow_nan=False)
    emit(text)


def emit_table(rows: list[list[Any]], headers: list[str]) -> None:
    """Writes a plain table to standard output."""
    from tabulate import tabulate

    emit(tabulate(rows, headers, tablefmt="simple", disable_numparse=True))


def fail(error: RecbenchError) -> NoReturn:
    """Prints the error and what to do about it, and ends the process."""
    console = messages()
    console.print(f"[bold red]Error:[/] {escape(bounded(error.message))}")
    if error.hint:
        console.print(escape(bounded(error.hint)))
    nothing = isinstance(error, NothingToCompareError)
    sys.exit(ExitCode.NOT_COMPARABLE if nothing else ExitCode.BAD_INPUT)


class _ConsoleHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        style = "yellow" if record.levelno >= logging.WARNING else "dim"
        messages().print(escape(bounded(self.format(record))), style=style)


def show_log() -> None:
    """Lets the harness's own log appear among the messages."""
    log = logging.getLogger("recbench")
    log.setLevel(logging.INFO)
    log.addHandler(_ConsoleHandler())
    log.propagate = False


def set_quiet(quiet: bool) -> None:
    """Hides the notes of the harness's own log; warnings stay."""
    logging.getLogger("recbench").setLevel(logging.WARNING if quiet else logging.INFO)


def exit_if_failed(failed: "Sequence[FinishedTrial]") -> None:
    """Names the logs of trials that did not give all that was asked for.

    Args:
        failed: These trials.

    Raises:
        typer.Exit: There is one.
    """
    from recbench.trials.logs import log_path

    for one in failed:
        messages().print(
            f"Log of {one.record.label or one.record.model}, seed {one.record.seed}: {log_path(Path(one.place))}",
            markup=False,
        )
    if failed:
        raise typer.Exit(ExitCode.MODEL_FAILED)
