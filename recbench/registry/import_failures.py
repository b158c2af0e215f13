"""The error for a model that cannot be imported: what the model's own code raised, and in which line."""

import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from recbench.errors import RecbenchError
from recbench.registry.shared_names import shared_name, short_path

INSTALLED = {"site-packages", "dist-packages"}


def import_failure(
    name: str, module: str, class_name: str, error: BaseException, folders: Sequence[Path]
) -> RecbenchError:
    """Returns the error for a model whose module cannot be imported.

    Args:
        name: The model's name.
        module: The module or the file that was to be imported.
        class_name: The class that was looked for in it.
        error: What the import raised.
        folders: The folders of the user's code.
    """
    if isinstance(error, ModuleNotFoundError) and _is_part_of(error.name, module):
        reason = f"there is no module {error.name!r}"
        return not_in_module(name, module, class_name, reason, folders) or RecbenchError(
            f"Model {name!r} cannot be imported: {reason}.",
            f"Check the spelling of {module}; it is looked for in the working folder and among installed packages.",
        )
    place = _place(error, folders)
    if shared := shared_name(_module_of(error), folders):
        hint = f"{shared} Rename your file."
    elif isinstance(error, ModuleNotFoundError):
        hint = "Install that package. 'recbench doctor' shows which frameworks can be imported."
    else:
        hint = "The error comes from the model's own code."
    shown = f" ({place})" if place else ""
    return RecbenchError(f"Model {name!r} cannot be imported: {type(error).__name__}: {_text(error)}{shown}.", hint)


def not_in_module(
    name: str, module: str, class_name: str, reason: str, folders: Sequence[Path]
) -> RecbenchError | None:
    """Returns the error for a model that is in a file, and not in the module of that name; None without such a file.

    Args:
        name: The model's name.
        module: The module that was given.
        class_name: The class that was looked for in it.
        reason: Why the model cannot be imported.
        folders: The folders of the user's code.
    """
    parts = module.split(".")
    for folder in (inner for outer in folders for inner in (outer, outer / "src")):
        file = folder.joinpath(*parts[:-1], f"{parts[-1]}.py")
        if file.is_file():
            return RecbenchError(
                " ".join(filter(None, (f"Model {name!r} cannot be imported: {reason}.", shared_name(module, folders)))),
                f"Give the file instead of the module: {short_path(file)}:{class_name}",
            )
    return None


def _module_of(error: BaseException) -> str:
    """Returns the module that an import or an attribute was looked for in; empty for any other error."""
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        return error.obj.__name__
    return (error.name or "") if isinstance(error, ImportError) else ""


def _is_part_of(missing: str | None, module: str) -> bool:
    return missing is not None and f"{module}.".startswith(f"{missing}.")


def _text(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _place(error: BaseException, folders: Sequence[Path]) -> str:
    """Returns the file and line of the user's code that raised the error; of any code if none of the user's did."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{short_path(Path(error.filename))}, line {error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and not Path(frame.filename).is_relative_to(Path(__file__).parent)
    ]
    own = [frame for frame in frames if _is_own(Path(frame.filename), folders)]
    if not (own or frames):
        return ""
    frame = (own or frames)[-1]
    return f"{short_path(Path(frame.filename))}, line {frame.lineno}"


def _is_own(file: Path, folders: Sequence[Path]) -> bool:
    return not INSTALLED & set(file.parts) and any(file.is_relative_to(folder) for folder in folders)
