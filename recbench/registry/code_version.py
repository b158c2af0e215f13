"""The version of a model's code: a hash of its source, so that results of other code are never reused.

The hash covers the module of the model's class, and the modules of its own package, or beside its file, that it imports
directly or through others. The imports are read from the source; nothing is imported. A package's ``__init__.py``
counts only if a name is imported from it: ``models/__init__.py`` lists all models, and a new line there changes none of
them. Modules outside of the package and the folder are noticed when they are loaded; see
``recbench.registry.observation``. Versions of installed packages are in the record's environment.

The builtin models are hashed in a normal form, so that a version does not depend on the name of their package.
"""

import ast
import hashlib
import inspect
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from recbench.builtin_models import BUILTIN_PACKAGE, EARLIER_PACKAGE
from recbench.registry.distributions import distribution_of
from recbench.registry.import_statements import imported_names
from recbench.registry.installed import is_installed

SIBLING_IMPORT = re.compile(rb"(?m)^from \.(?=\w)")
TYPE_IGNORE = re.compile(rb"(?m)  # type: ignore\[[^]\n]*\]$")


@dataclass(frozen=True, slots=True)
class ModelCode:
    """The code of a model.

    Attributes:
        version: ``sha256:`` and a hash; None if the code cannot be determined.
        files: The files that the hash covers, by the path that a record lists.
    """

    version: str | None
    files: dict[str, Path]


def model_code(model_class: type) -> ModelCode:
    """Returns the code of the class's module; its version is None if there is no source.

    Args:
        model_class: The class, whose module has been imported.
    """
    module = sys.modules.get(model_class.__module__)
    try:
        file = Path(inspect.getfile(model_class))
    except (TypeError, OSError):
        # The class is in no file: its records are never kept, which is what None means.
        return ModelCode(None, {})
    if module is None:
        return ModelCode(None, {})
    # A model file is loaded by its path: what it imports stands beside it.
    in_package = "." in module.__name__ or hasattr(module, "__path__")
    return source_code(module.__name__ if in_package else file.stem, file)


def source_code(name: str, file: Path) -> ModelCode:
    """Returns the code of a module and of what it imports; the hash covers the names and the bytes of the files.

    Args:
        name: The module's full name.
        file: Its file.
    """
    file = Path(os.path.abspath(file))  # noqa: PTH100 - links are not resolved
    levels = name.count(".") + (1 if file.name == "__init__.py" else 0)
    # A module that stands alone may import whatever stands beside it.
    own = "" if name == file.stem else name.partition(".")[0]
    # The folder of a package may have another name than the package.
    root = file.parents[levels - 1] if own else file.parents[levels]
    digest = hashlib.sha256()
    files = {}
    try:
        for path, module_file in _files(name, file, root, own).items():
            content = _source(module_file)
            files[path] = module_file
            if own == BUILTIN_PACKAGE:
                path, content = _normal_form(path, content)
            digest.update(f"{path} {len(content)}\n".encode())
            digest.update(content)
    except (OSError, SyntaxError, ValueError):
        # Unknown code: its records are never kept, which is what None means.
        return ModelCode(None, {})
    if not own and is_installed(str(file)) and (distribution := distribution_of(file)) is not None:
        digest.update(f"{distribution.name} {distribution.version}\n".encode())
    return ModelCode(f"sha256:{digest.hexdigest()}", files)


def _files(name: str, file: Path, root: Path, own: str) -> dict[str, Path]:
    """Returns the files by their paths, in the order of the paths."""
    # Beside a module that was installed alone stand all other packages; the version of its distribution counts instead.
    alone = not own and is_installed(str(file))
    files = {file} if alone else _closure(name, file, root, own)
    # By their parts: paths of Windows are sorted without regard to upper case.
    ordered = sorted(files, key=lambda path: path.parts)
    return {f"{own}/" * bool(own) + path.relative_to(root).as_posix(): path for path in ordered}


def _source(file: Path) -> bytes:
    # git on Windows checks text out with other line ends, and it is still the same code.
    return file.read_bytes().replace(b"\r\n", b"\n")


def _normal_form(path: str, content: bytes) -> tuple[str, bytes]:
    """Writes a file of a builtin model as it was when the package had its earlier name.

    Imports of neighbours are absolute, and comments for the type checker are left out. This keeps the versions in
    older records and settings valid.
    """
    content = SIBLING_IMPORT.sub(f"from {EARLIER_PACKAGE}.".encode(), content)
    return path.replace(BUILTIN_PACKAGE, EARLIER_PACKAGE, 1), TYPE_IGNORE.sub(b"", content)


def _closure(name: str, file: Path, root: Path, own: str) -> set[Path]:
    """Returns the file and the files below ``root`` that it imports; only those of package ``own`` if it has one."""
    seen = {file}
    waiting = [(name, file)]
    while waiting:
        importing, path = waiting.pop()
        package = importing if path.name == "__init__.py" else importing.rpartition(".")[0]
        for imported in imported_names(ast.walk(ast.parse(path.read_bytes())), package):
            if own and imported.partition(".")[0] != own:
                continue
            imported_file = _file_of(imported.removeprefix(own).removeprefix("."), root)
            if imported_file is not None and imported_file not in seen:
                seen.add(imported_file)
                waiting.append((imported, imported_file))
    return seen


def _file_of(name: str, root: Path) -> Path | None:
    place = root.joinpath(*name.split(".")) if name else root
    for candidate in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
