"""The packages that a model needs, read from its source: nothing is imported, so a missing package does no harm."""

import ast
import importlib.util
import platform
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.registry.import_statements import imported_names
from recbench.registry.models import ModelReference, Origin, known_models
from recbench.requirements import INSTALLED_WITH, install_command, package_of, unmet_condition

NOT_FRAMEWORKS = {*sys.stdlib_module_names, "recbench"}


def needed_modules(reference: ModelReference) -> tuple[str, ...]:
    """Returns the top-level modules of other packages that the import of a model needs, sorted.

    Only imports that always run count: those at the top level of the model's module, of the modules of its own package
    that it imports, and of the packages around them.

    Args:
        reference: A builtin model or a model of a plugin; of other models nothing is known before they are imported.
    """
    if reference.origin not in (Origin.BUILTIN, Origin.PLUGIN):
        return ()
    return _needed_modules(reference.target.partition(":")[0])


def missing_modules(reference: ModelReference) -> list[str]:
    """Returns those of the needed modules that are not installed."""
    return [module for module in needed_modules(reference) if not is_installed(module)]


def is_installed(module: str) -> bool:
    """Whether a top-level module can be found. It is not imported, so the import can still fail."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def owners(modules: Iterable[str]) -> list[str]:
    """Returns the packages of modules, without repetition; the module's own name where the package is unknown."""
    return list(dict.fromkeys(INSTALLED_WITH.get(module, module) for module in modules))


def how_to_install(modules: Iterable[str]) -> str:
    """Returns the command that installs the packages of modules; words for modules that recbench does not know."""
    modules = list(dict.fromkeys(modules))
    required = list(dict.fromkeys(package for module in modules if (package := package_of(module))))
    unmet = {package: condition for package in required if (condition := unmet_condition(package))}
    known = [package for package in required if package not in unmet]
    unknown = [module for module in modules if package_of(module) is None]
    lines = []
    if known:
        lines.append(f"Install {'it' if len(known) == 1 else 'them'}: {install_command(known)}")
    lines += [
        f"{package} can be installed where {condition}; this is Python {platform.python_version()}."
        for package, condition in unmet.items()
    ]
    if unknown:
        lines.append(
            f"Correct the import of {', '.join(unknown)}, or install the package that provides it; "
            "the package can have another name than the module."
        )
    return "\n".join(lines)


def check_frameworks(references: Iterable[ModelReference]) -> None:
    """Checks, before any work, that the packages of all models are installed.

    Raises:
        RecbenchError: A package is missing; the message names it and the models that need it.
    """
    missing = {reference.name: absent for reference in references if (absent := missing_modules(reference))}
    if not missing:
        return
    models: dict[tuple[str, ...], list[str]] = {}
    for name, modules in missing.items():
        models.setdefault(tuple(owners(modules)), []).append(name)
    sentences = [
        f"{', '.join(names)} {'needs' if len(names) == 1 else 'need'} {', '.join(packages)}, "
        f"which {'is' if len(packages) == 1 else 'are'} not installed."
        for packages, names in models.items()
    ]
    raise RecbenchError(" ".join(sentences), how_to_install(module for absent in missing.values() for module in absent))


def models_that_need(package: str) -> list[str]:
    """Returns the names of the known models whose import needs a package, sorted.

    Args:
        package: The package; for a package that recbench does not know, its top-level module.
    """
    return sorted(name for name, reference in known_models().items() if package in owners(needed_modules(reference)))


@cache
def _needed_modules(module: str) -> tuple[str, ...]:
    own = module.partition(".")[0]
    waiting, seen, needed = [module], set[str](), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        top = name.partition(".")[0]
        if top != own:
            needed.add(top)
            continue
        # The package around a module is imported before it.
        waiting += [name.rpartition(".")[0]] if "." in name else []
        file = _file_of(name)
        if file is not None:
            waiting += _imports(file, name)
    return tuple(sorted(needed - NOT_FRAMEWORKS))


def _imports(file: Path, name: str) -> list[str]:
    """Returns what the top level of a file imports; an imported name may be a module too."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        # Only to say before the import which packages are missing. The import itself reports what is wrong.
        return []
    return list(imported_names(_always_run(body), name if file.name == "__init__.py" else name.rpartition(".")[0]))


def _always_run(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields statements, and those inside of ``with``, unless it is ``with suppress(...)``: what follows may fail."""
    for statement in body:
        if not isinstance(statement, ast.With):
            yield statement
        elif not any("suppress" in ast.unparse(item.context_expr) for item in statement.items):
            yield from _always_run(statement.body)


def _file_of(name: str) -> Path | None:
    """Finds a module's file without importing the packages around it."""
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        place = Path(folder, *rest)
        for candidate in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None
