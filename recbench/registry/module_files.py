"""The files of modules that are not installed packages: which are loaded, and which an import would load now."""

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from recbench.registry.import_statements import at_import, imported_names
from recbench.registry.installed import is_installed
from recbench.registry.user_modules import FILE_MODULE

PACKAGE_FILE = "__init__"


def module_files(names: Iterable[str]) -> dict[str, Path]:
    """Returns the files of loaded modules by their path, which is made of the module's name.

    Modules of the standard library, of installed packages and of recbench are left out.

    Args:
        names: The names of the modules.
    """
    return {_path(name, file): file for name in names if (file := _file(name)) is not None}


def imported_by(name: str) -> set[str]:
    """Returns the names of loaded modules that the import of a loaded module needs, directly or through others.

    The import statements of the sources tell. Installed packages, which import no module of the user's, are left out.

    Args:
        name: The full name of the module, which is among them.
    """
    waiting, seen = [name], set[str]()
    while waiting:
        module = waiting.pop()
        if module in seen or module not in sys.modules or (file := _file(module)) is None:
            continue
        seen.add(module)
        # The package around a module is imported before it.
        waiting += [module.rpartition(".")[0]]
        try:
            nodes = at_import(ast.parse(file.read_bytes()))
        except (OSError, SyntaxError, ValueError):
            continue
        waiting += imported_names(nodes, module if file.stem == PACKAGE_FILE else module.rpartition(".")[0])
    return seen


def locate(path: str, search_path: Sequence[str]) -> str | None:
    """Returns the file that an import would load now for the module of a path; None if it would find none.

    Nothing is imported.

    Args:
        path: As ``module_files`` returns it.
        search_path: The folders in which modules are looked for.
    """
    *packages, last = path.split("/")
    stem = last.partition(".")[0]
    names = packages if stem == PACKAGE_FILE else [*packages, stem]
    where: Sequence[str] | None = None
    spec = None
    for index in range(len(names)):
        name = ".".join(names[: index + 1])
        spec = _top_spec(name, search_path) if where is None else PathFinder.find_spec(name, where)
        if spec is None:
            return None
        where = list(spec.submodule_search_locations or ())
    return spec.origin if spec is not None and spec.has_location else None


def _top_spec(name: str, search_path: Sequence[str]) -> ModuleSpec | None:
    for spec in _specs(name, search_path):
        if spec is not None:
            return spec
    return None


def _specs(name: str, search_path: Sequence[str]) -> Iterator[ModuleSpec | None]:
    for finder in sys.meta_path:
        if finder is PathFinder:
            yield PathFinder.find_spec(name, list(search_path))
        # The finder of an editable install.
        elif (find := getattr(finder, "find_spec", None)) is not None:
            yield find(name, None)


def _file(name: str) -> Path | None:
    """Returns the file of a loaded module; None if it does not count."""
    if name.partition(".")[0] == "recbench":
        return None
    # Not by getattr, which lets a module that is loaded lazily load.
    try:
        location = vars(sys.modules[name]).get("__file__")
    except (KeyError, TypeError):
        return None
    if not isinstance(location, str) or is_installed(location):
        return None
    file = Path(os.path.abspath(location))  # noqa: PTH100 - links are not resolved
    if is_installed(str(file)):
        return None
    # Of a module in an archive, the archive counts.
    return next((path for path in (file, *file.parents) if path.is_file()), None)


def _path(name: str, file: Path) -> str:
    name = name.removeprefix(FILE_MODULE)
    stem, _, ending = file.name.partition(".")
    components = [*name.split("."), PACKAGE_FILE] if stem == PACKAGE_FILE else name.split(".")
    return f"{'/'.join(components)}.{ending}"
