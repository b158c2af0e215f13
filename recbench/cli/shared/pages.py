"""Pages that are made from records: written, or checked to be current."""

from pathlib import Path

import typer

from recbench.cli.shared.terminal import ExitCode, emit
from recbench.output_files import OutputFile
from recbench.path_checks import check_no_folder
from recbench.progress.console import messages


def write_or_check(page: str, output: OutputFile, again: str, *, check: bool) -> None:
    """Writes a page, unless it is current or only to be checked, and says which.

    Args:
        page: What it should hold.
        output: The file.
        again: The command that writes it.
        check: Whether to write nothing.

    Raises:
        RecbenchError: It cannot be written, or a file that recbench did not write is there.
        typer.Exit: It is only to be checked, and is not current.
    """
    path = output.path
    check_no_folder(path)
    current = _text(path) == page
    if check and not current:
        messages().print(f"{path} is not what the records say. Run: {again}", markup=False)
        raise typer.Exit(ExitCode.CHECK_FAILED)
    if not current:
        with output.writing() as temporary:
            temporary.write_text(page, encoding="utf-8", newline="\n")
    emit(f"{path} {'is current' if current else 'written'}")


def _text(path: Path) -> str | None:
    """Returns the text of a file; None if there is none, or it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
