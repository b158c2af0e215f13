"""Pages that are made from records: written, or checked to be current."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.terminal import ExitCode, emit
from recbench.output_files import OutputFile
from recbench.path_checks import check_no_folder
from recbench.progress.console import write_message
from recbench.system_errors import cannot_read

Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if the page is not current.")]


def write_or_check(render: Callable[[], str], output: OutputFile, again: str, *, check: bool) -> None:
    """Writes a page, unless it is current or only to be checked, and says which.

    Args:
        render: Returns what the page should hold; it is called again once no acceptance can come between.
        output: The file.
        again: The command that writes it.
        check: Whether to write nothing.

    Raises:
        RecbenchError: It cannot be written, or a file that recbench did not write is there.
        typer.Exit: It is only to be checked, and is not current.
    """
    path = output.path
    check_no_folder(path)
    current = _text(path) == render()
    if check and not current:
        write_message(f"{path} is not up to date with its records. Run: {again}")
        raise typer.Exit(ExitCode.CHECK_FAILED)
    if not current:
        _write(render, output)
    emit(f"{path} {'is current' if current else 'written'}")


def _write(render: Callable[[], str], output: OutputFile) -> None:
    # Here, so that --help answers at once.
    from recbench.records.results_folder import results_folder
    from recbench.records.transactions import transaction

    results = results_folder()
    if not results.is_dir() and results not in output.path.parents:
        output.write(render().encode())
        return
    # The temporary file of a killed process then lies where git does not see it.
    with transaction(results) as files:
        output.check()
        files.write(output.path, render().encode())


def _text(path: Path) -> str | None:
    """Returns the text of a file; None if there is none.

    Raises:
        RecbenchError: The system does not let it be read.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise cannot_read(f"the page {path}", error) from error
