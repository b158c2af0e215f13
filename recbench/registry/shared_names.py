"""Files and packages of the user's that have the name of another module, such as ``recbench.py`` or ``scipy.py``."""

import sys
from collections.abc import Sequence
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType


def shared_name(module: str, folders: Sequence[Path]) -> str:
    """Returns a sentence on which of two modules of one name hides the other; empty if only one has that name.

    Args:
        module: The module that was imported, or was to be imported.
        folders: The folders of the user's code.
    """
    name = module.partition(".")[0]
    loaded = sys.modules.get(name)
    own = next((path for folder in folders if (path := _module_in(folder, name)) is not None), None)
    if loaded is None or own is None:
        return ""
    place = _place(loaded)
    if place is None or not place.is_relative_to(own):
        return f"{short_path(own)} is not imported: {name!r} is already the name of {_described(name, place)}."
    if name in sys.stdlib_module_names or name in packages_distributions():
        return f"{short_path(own)} takes the place of the installed module {name!r}."
    return ""


def short_path(path: Path) -> str:
    """Returns the path from the working folder, where it is below that folder."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _module_in(folder: Path, name: str) -> Path | None:
    file = folder / f"{name}.py"
    if file.is_file():
        return file
    package = folder / name
    return package if any(package.glob("*.py")) else None


def _place(module: ModuleType) -> Path | None:
    """Returns the file of a module, or the folder of a package without a file; None for a module without either."""
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), None)
    return None if file is None else Path(file).resolve()


def _described(name: str, place: Path | None) -> str:
    if name in sys.stdlib_module_names or place is None:
        return "a module of the standard library"
    return f"the module {place}"
