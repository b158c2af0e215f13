"""Standard output is for data; everything for people to read on the way goes to standard error."""

import errno
import io
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.escaping.terminal import terminal_text
from recbench.progress.console import messages
from recbench.progress.tolerant_stream import TolerantStream
from recbench.reports.screen import BOLD, PLAIN
from recbench.text_encoding import READABLE
from recbench.unexpected_errors import EXIT_CODE

if TYPE_CHECKING:
    from recbench.records.finished_trial import FinishedTrial


class ExitCode(IntEnum):
    """What the process says when it ends."""

    OK = 0
    CHECK_FAILED = 1
    BAD_INPUT = 2
    MODEL_FAILED = 3
    NOT_COMPARABLE = 4
    UNEXPECTED = EXIT_CODE
    INTERRUPTED = 130
    TERMINATED = 143


NOBODY_READS: Final = (errno.EPIPE, errno.EIO, errno.ENXIO)
"""What the system says when the reader of a pipe has ended, or a terminal is gone."""


_STYLES: Final = re.compile(f"({re.escape(BOLD)}|{re.escape(PLAIN)})")


class _Output:
    """What has become of standard output; it is the process's, and so is this.

    Attributes:
        was_closed: Whether it was closed when the program started.
        ended: Whether nothing can be written any more.
        failure: Why not, if somebody would have read it.
    """

    was_closed = False
    ended = False
    failure: str | None = None


def open_standard_streams() -> None:
    """Puts something in the place of standard streams that are closed: another file would get their numbers."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # It is closed: fstat knows no other error.
            os.open(os.devnull, os.O_RDWR)
            _Output.was_closed = _Output.was_closed or descriptor == 1
    if sys.stdout is None:
        sys.stdout = TolerantStream(1, READABLE)
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = TolerantStream(2, READABLE)


def emit(text: str, *, styled: bool = False) -> None:
    """Writes data to standard output; a terminal shows its characters and executes none.

    A failure does not end the verb; see ``report_output``.

    Args:
        text: The data.
        styled: Whether the codes of ``recbench.reports.screen`` for bold text are kept.
    """
    if _Output.ended:
        return
    if _Output.was_closed:
        _Output.ended, _Output.failure = True, "it is closed"
        return
    text = _styled(text) if styled else terminal_text(text)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=_encoding(sys.stdout), errors=READABLE)
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except OSError as error:
        _Output.ended = True
        _Output.failure = None if error.errno in NOBODY_READS else error.strerror
        discard_output()


def _styled(text: str) -> str:
    """Returns text that a terminal shows, with the codes for bold text and no other code."""
    return "".join(part if _STYLES.fullmatch(part) else terminal_text(part) for part in _STYLES.split(text))


def discard_output() -> None:
    """Lets what is still in the buffer of standard output go nowhere, so that the program's end does not fail."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)


@contextmanager
def report_output(only_prints: bool) -> Iterator[None]:
    """Says at the end of a verb if its standard output could not be written.

    It does not matter if nobody reads it any more, such as below ``| head``. A verb that does more than to print keeps
    its exit code.

    Args:
        only_prints: Whether the verb has no other result than what it prints.

    Raises:
        RecbenchError: It only prints, and could not.
    """
    _Output.ended, _Output.failure = False, None
    try:
        yield
    finally:
        message = f"Cannot write to standard output: {_Output.failure}."
        if _Output.failure is not None and not only_prints:
            messages().print(f"Warning: {message}", style="yellow", markup=False)
    if _Output.failure is not None and only_prints:
        raise RecbenchError(message, "Redirect it to a file, for example: > output.txt")


def _encoding(stream: io.TextIOWrapper) -> str:
    """Returns UTF-8 for a file or pipe, unless the user chose another; the default of Windows lacks characters."""
    return stream.encoding if stream.isatty() or "PYTHONIOENCODING" in os.environ else "utf-8"


def emit_json(document: Any) -> None:
    """Writes one JSON document to standard output, numbers in full precision."""
    # Here, so that --help is fast.
    from recbench.escaping.data_files import json_text

    text = json_text(document)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json_text(document, ascii_only=True)
    emit(text)


def fail(error: RecbenchError) -> NoReturn:
    """Prints the error and what to do about it, and ends the process."""
    console = messages()
    console.print_labelled("Error:", error.message, "bold red")
    if error.hint:
        console.print(error.hint)
    nothing = isinstance(error, NothingToCompareError)
    sys.exit(ExitCode.NOT_COMPARABLE if nothing else ExitCode.BAD_INPUT)


class _ConsoleHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        style = "yellow" if record.levelno >= logging.WARNING else "dim"
        messages().print(self.format(record), style=style)


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

    for trial in failed:
        messages().print(
            f"Log of {trial.record.label or trial.record.model}, seed {trial.record.seed}: "
            f"{log_path(Path(trial.place))}",
        )
    if failed:
        raise typer.Exit(ExitCode.MODEL_FAILED)
