"""The files that a class names in ``sources``: they belong to its code."""

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from recbench.errors import RecbenchError

ATTRIBUTE = "sources"


def named_sources(model_class: type, *, by_value: bool) -> dict[str, Path]:
    """Returns the files that a class names, by the name that it gives them.

    Args:
        model_class: The class. Its attribute ``sources``, which may be inherited, is a list of paths. They are relative
            to the folder of the file that defines the attribute.
        by_value: Whether the class was sent by value. No file holds it, so that paths are relative to the working
            folder.

    Raises:
        RecbenchError: The attribute is no list of paths, or a file does not exist.
    """
    owner = next((base for base in model_class.__mro__ if ATTRIBUTE in vars(base)), None)
    if owner is None:
        return {}
    names: Any = vars(owner)[ATTRIBUTE]
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name for name in names):
        raise RecbenchError(
            f"{ATTRIBUTE!r} of {model_class.__name__} is {_shown(names)}, but must be a list of file names.",
            f'For example: {ATTRIBUTE} = ["weights.json"]',
        )
    folder = Path.cwd() if by_value else _folder(owner)
    return files_named(model_class.__name__, names, folder)


def files_named(model: str, names: Iterable[str], folder: Path) -> dict[str, Path]:
    """Returns the files by their names.

    Args:
        model: The name of the class, for errors.
        names: Their names.
        folder: The folder in which paths start.

    Raises:
        RecbenchError: A file does not exist.
    """
    return {name: _checked(model, name, folder) for name in names}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def _folder(owner: type) -> Path:
    try:
        return Path(inspect.getfile(owner)).absolute().parent
    except (TypeError, OSError):
        # The class is in no file, such as one of a notebook: its paths start at the working folder.
        return Path.cwd()


def _checked(model: str, name: str, folder: Path) -> Path:
    file = folder / name
    hint = f"Paths in {ATTRIBUTE!r} are relative to {folder}."
    try:
        if file.is_dir():
            raise RecbenchError(
                f"{model} names {name!r} in {ATTRIBUTE!r}, which is a folder: {file}.",
                f"Name the files in it. {hint}",
            )
        if not file.is_file():
            raise RecbenchError(f"{model} names {name!r} in {ATTRIBUTE!r}, but there is no file {file}.", hint)
        with file.open("rb"):
            return file
    except (OSError, ValueError) as error:
        raise RecbenchError(f"{model} names {name!r} in {ATTRIBUTE!r}, which cannot be read: {error}.", hint) from error
