"""The error for a model that cannot be imported: what its code or its framework raised, and in which line."""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from recbench.builtin_models import builtin_folder
from recbench.errors import RecbenchError, error_text, shortened
from recbench.registry.shared_names import shared_name, short_path

INSTALLED = {"site-packages", "dist-packages"}


def import_failure(
    name: str, module: str, class_name: str, error: BaseException, folders: Sequence[Path]
) -> RecbenchError:
    """Returns the error for a model whose module cannot be imported.

    Args:
        name: The model's name.
        module: The module or the file that was to be imported.
        class_name: The class that the module should have.
        error: What the import raised.
        folders: The folders of the user's code.
    """
    if isinstance(error, ModuleNotFoundError) and _is_part_of(error.name, module):
        reason = f"there is no module {error.name!r}"
        return not_in_module(name, module, class_name, reason, folders) or RecbenchError(
            f"Model {name!r} cannot be imported: {reason}.",
            f"Check the spelling of {module}; recbench searches the working folder and the installed packages.",
        )
    # Here, for it reads the references of all models.
    from recbench.registry.frameworks import how_to_install, is_installed, models_that_need, owners

    shared = shared_name(_module_of(error), folders)
    package = None if shared else _broken_package(error, module, folders)
    if package is not None:
        (owner,) = owners([package])
        models = sorted({name, *models_that_need(owner)})
        return RecbenchError(
            f"Model {name!r} cannot be imported: the package {package} is installed, but its import fails: "
            f"{type(error).__name__}: {_text(error)}.",
            f"Models that cannot run because of it: {', '.join(models)}.\n"
            "Repair the package. 'recbench doctor' shows which packages can be imported.",
        )
    place = _place(error, folders)
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if shared:
        hint = f"{shared} Rename your file."
    elif missing and not is_installed(missing):
        hint = how_to_install([missing])
    else:
        hint = "The error is in the code of the model."
    shown = f" ({place})" if place else ""
    return RecbenchError(f"Model {name!r} cannot be imported: {type(error).__name__}: {_text(error)}{shown}.", hint)


def not_in_module(
    name: str, module: str, class_name: str, reason: str, folders: Sequence[Path]
) -> RecbenchError | None:
    """Returns the error for a model that is in a file, and not in the module of that name; None without such a file.

    Args:
        name: The model's name.
        module: The module that was given.
        class_name: The class that the module should have.
        reason: Why the model cannot be imported.
        folders: The folders of the user's code.
    """
    components = module.split(".")
    for folder in (inner for outer in folders for inner in (outer, outer / "src")):
        file = folder.joinpath(*components[:-1], f"{components[-1]}.py")
        if file.is_file():
            return RecbenchError(
                " ".join(filter(None, (f"Model {name!r} cannot be imported: {reason}.", shared_name(module, folders)))),
                f"Give the file instead of the module: {short_path(file)}:{class_name}",
            )
    return None


def _module_of(error: BaseException) -> str:
    """Returns the module that failed to import or that lacks an attribute; empty for any other error."""
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        return error.obj.__name__
    return (error.name or "") if isinstance(error, ImportError) else ""


def _is_part_of(missing: str | None, module: str) -> bool:
    return missing is not None and f"{module}.".startswith(f"{missing}.")


def _broken_package(error: BaseException, module: str, folders: Sequence[Path]) -> str | None:
    """Returns the package of somebody else that the model imports and whose own import raised the error."""
    own = module.partition(".")[0]
    package = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        top = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        file = Path(frame.f_code.co_filename)
        if top == own or _is_own(file, [*folders, builtin_folder()]):
            package = None
        elif package is None and frame.f_code.co_name == "<module>" and top not in sys.stdlib_module_names:
            package = top
    return package


def _text(error: BaseException) -> str:
    return shortened(str(error.msg)) if isinstance(error, SyntaxError) else error_text(error)


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
