"""The error for a model that cannot be imported: what the model's own code raised, and in which line."""

import traceback
from collections.abc import Sequence
from pathlib import Path

from recbench.errors import RecbenchError

INSTALLED = {"site-packages", "dist-packages"}


def import_failure(name: str, module: str, error: BaseException, folders: Sequence[Path]) -> RecbenchError:
    """Returns the error for a model whose module cannot be imported.

    Args:
        name: The model's name.
        module: The module or the file that was to be imported.
        error: What the import raised.
        folders: The folders of the user's code.
    """
    if isinstance(error, ModuleNotFoundError) and _is_part_of(error.name, module):
        return RecbenchError(
            f"Model {name!r} cannot be imported: there is no module {error.name!r}.",
            f"Check the spelling of {module}; it is looked for in the working folder and among installed packages.",
        )
    place = _place(error, folders)
    if isinstance(error, ModuleNotFoundError):
        hint = "Install that package. 'recbench doctor' shows which frameworks can be imported."
    else:
        hint = "The error comes from the model's own code."
    shown = f" ({place})" if place else ""
    return RecbenchError(f"Model {name!r} cannot be imported: {type(error).__name__}: {_text(error)}{shown}.", hint)


def _is_part_of(missing: str | None, module: str) -> bool:
    return missing is not None and f"{module}.".startswith(f"{missing}.")


def _text(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _place(error: BaseException, folders: Sequence[Path]) -> str:
    """Returns the file and line of the user's code that raised the error; of any code if none of the user's did."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename)}, line {error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and not Path(frame.filename).is_relative_to(Path(__file__).parent)
    ]
    own = [frame for frame in frames if _is_own(Path(frame.filename), folders)]
    if not (own or frames):
        return ""
    frame = (own or frames)[-1]
    return f"{_short(frame.filename)}, line {frame.lineno}"


def _is_own(file: Path, folders: Sequence[Path]) -> bool:
    return not INSTALLED & set(file.parts) and any(file.is_relative_to(folder) for folder in folders)


def _short(filename: str) -> str:
    """Returns the path from the working folder, where the file is below it."""
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename
