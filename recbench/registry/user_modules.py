"""Modules of the user's own: where they are looked for, and how a model's file is imported.

The folders of the user come first on the Python path, as they would for a script of the user's.
"""

import ast
import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from recbench.errors import RecbenchError

FILE_MODULE = "recbench_model_file_"
"""The beginning of the module's name of a model's file that is imported on its own."""


def search_first(folders: Sequence[Path]) -> None:
    """Puts the folders at the beginning of the Python path, in this order."""
    first = list(dict.fromkeys(str(folder) for folder in folders))
    sys.path[:] = [*first, *(entry for entry in sys.path if entry not in first)]


def folders_of(file: Path) -> list[Path]:
    """Returns the folders in which the imports of a model's file are looked for, the nearest first.

    These are the folder of the file, the folder that holds its top package, the working folder, and the folders
    between the file and the working folder. One of the last, such as ``src``, may hold a top package that has no
    ``__init__.py``.

    Args:
        file: The file, resolved.
    """
    top = file.parent
    while (top / "__init__.py").is_file():
        top = top.parent
    here = Path.cwd()
    between = [folder for folder in file.parents if folder.is_relative_to(here)]
    return list(dict.fromkeys([file.parent, top, here, *between]))


_importing: list[str] = []


@contextlib.contextmanager
def importing(module: str) -> Iterator[None]:
    """Marks the time in which a model's module or file is imported.

    Raises:
        RecbenchError: Another one is being imported, and its code has led here.
    """
    check_not_importing()
    _importing.append(module)
    try:
        yield
    finally:
        _importing.pop()


def check_not_importing() -> None:
    """Checks that no model's module is being imported: a run that it starts would import it again, and so on.

    Raises:
        RecbenchError: One is being imported.
    """
    if _importing:
        raise RecbenchError(
            f"{_importing[-1]} starts a run when it is imported, and the run imports it to get the model.",
            'Put the call that starts the run into a function, or below the line: if __name__ == "__main__":',
        )


def import_file(path: str) -> ModuleType:
    """Imports a model's file.

    A file with relative imports is imported as a module of its package. The top package is the highest folder in an
    unbroken chain of folders with an ``__init__.py``; it is at least as high as the relative imports reach. Any other
    file is imported on its own, so that the ``__init__.py`` beside it does not run.

    Raises:
        RecbenchError: The package's name is that of another module that is already imported.
        Exception: Whatever the file raises; SyntaxError if it is not Python.
    """
    file = Path(path).resolve()
    inside = module_in_package(file)
    search_first(folders_of(file))
    if inside is None:
        return _import_alone(file)
    folder, name = inside
    _make_package(folder, file)
    return importlib.import_module(name)


def module_in_package(file: Path) -> tuple[Path, str] | None:
    """Returns the folder of the file's top package and the full name of its module; None without relative imports.

    Args:
        file: The file, resolved.

    Raises:
        SyntaxError: It is not Python.
    """
    levels = _relative_levels(ast.parse(file.read_bytes(), str(file)))
    if not levels:
        return None
    packages = [file.parent]
    while len(packages) < levels or (packages[0].parent / "__init__.py").is_file():
        packages.insert(0, packages[0].parent)
    return packages[0], ".".join([*(folder.name for folder in packages), file.stem])


def _relative_levels(tree: ast.Module) -> int:
    """Returns how many folders up the relative imports reach at most; 0 for a file without any."""
    return max((node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)), default=0)


def _make_package(folder: Path, file: Path) -> None:
    """Imports a top package from its folder: another one of that name may come earlier on the Python path."""
    loaded = sys.modules.get(folder.name)
    if loaded is not None:
        if str(folder) in [str(Path(entry).resolve()) for entry in getattr(loaded, "__path__", [])]:
            return
        where = getattr(loaded, "__file__", None) or "the standard library"
        raise RecbenchError(
            f"{file} uses relative imports, and its package {folder.name!r} has the name of a module that is already "
            f"imported from {where}.",
            f"Rename the folder {folder}.",
        )
    init = folder / "__init__.py"
    if not init.is_file():
        package = ModuleType(folder.name)
        package.__path__ = [str(folder)]
        sys.modules[folder.name] = package
        return
    _execute(folder.name, init, [str(folder)])


def _import_alone(file: Path) -> ModuleType:
    return _execute(f"{FILE_MODULE}{file.stem}", file, None)


def _execute(name: str, file: Path, search_locations: list[str] | None) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=search_locations)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    # Of any class, for it is raised again: a module that failed must not stay in the table.
    except BaseException:
        del sys.modules[name]
        raise
    return module
