"""Pages that are made from records: written, or checked to be current."""

from pathlib import Path

import typer

from recbench.cli.shared.terminal import ExitCode, emit
from recbench.progress.console import messages


def write_or_check(page: str, path: Path, again: str, *, check: bool) -> None:
    """Writes a page, unless it is current or only to be checked, and says which.

    Args:
        page: What it should hold.
        path: Where it is.
        again: The command that writes it.
        check: Whether to write nothing.

    Raises:
        RecbenchError: It cannot be written.
        typer.Exit: It is only to be checked, and is not current.
    """
    # Here, so that --help answers at once.
    from recbench.data.cache import atomic_path

    current = path.exists() and path.read_text(encoding="utf-8") == page
    if check and not current:
        messages().print(f"{path} is not what the records say. Run: {again}", markup=False)
        raise typer.Exit(ExitCode.CHECK_FAILED)
    if not current:
        with atomic_path(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
    emit(f"{path} {'is current' if current else 'written'}")
