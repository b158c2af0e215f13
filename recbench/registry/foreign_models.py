"""Models that run in another interpreter: how their class is imported there, and what their code consists of."""

import inspect
from pathlib import Path
from typing import Any

from recbench.builtin_models import BRIDGES_PACKAGE, BUILTIN_PACKAGE, GENERIC_BRIDGE, builtin_folder
from recbench.foreign.interpreter import find_interpreter
from recbench.foreign.proxy import ForeignModel, import_foreign
from recbench.records.sources import extended_version
from recbench.registry.code_of_model import CodeOfModel, hashes
from recbench.registry.code_version import source_code
from recbench.registry.foreign_names import split_interpreter
from recbench.registry.models import REQUIRED, ModelReference, Origin, find_model
from recbench.registry.named_sources import files_named
from recbench.registry.observation import Observation
from recbench.registry.user_modules import FILE_MODULE, folders_of, module_in_package


def parts_of(reference: ModelReference) -> tuple[ModelReference, str]:
    """Returns the model, and its interpreter as the user gave it."""
    split = split_interpreter(reference.target, ())
    assert split is not None
    return find_model(split[0]), split[1]


def load_foreign(reference: ModelReference) -> type[ForeignModel]:
    """Starts the model's interpreter and imports the class there.

    Raises:
        RecbenchError: There is no such interpreter, it cannot be used, or the class cannot be imported.
    """
    inner, interpreter = parts_of(reference)
    return import_foreign(reference.name, find_interpreter(interpreter), _what(inner))


def describe_foreign(reference: ModelReference) -> tuple[str, dict[str, str]]:
    """Returns what the other interpreter says of a class: a line, and its parameters with their defaults.

    Raises:
        RecbenchError: As for ``load_foreign``.
    """
    model_class = load_foreign(reference)
    model_class.connection.close()
    parameters = inspect.signature(model_class).parameters.values()
    required = inspect.Parameter.empty
    return model_class.imported.summary, {
        parameter.name: REQUIRED if parameter.default is required else repr(parameter.default)
        for parameter in parameters
    }


def foreign_code(reference: ModelReference, model_class: type, observation: Observation | None) -> CodeOfModel:
    """Returns the code of a foreign class, as far as it is known before training.

    Raises:
        RecbenchError: The class names a file in ``sources`` that does not exist.
    """
    assert issubclass(model_class, ForeignModel)
    if observation is not None:
        model_class.connection.opened = observation.note
    imported = model_class.imported
    if imported.file is None or not Path(imported.file).is_file():
        return CodeOfModel()
    file = Path(imported.file)
    own = source_code(imported.module.removeprefix(FILE_MODULE), file)
    named = files_named(reference.name, imported.sources, file.parent)
    sources_named = hashes(named)
    version = extended_version(own.version, named=sources_named)
    known = CodeOfModel(version).sources.model_copy(update={"modules": hashes(own.files), "named": sources_named})
    files = frozenset(map(str, (*own.files.values(), *named.values())))
    return CodeOfModel(version, known, files, tuple(_what(parts_of(reference)[0])["folders"]))


def _what(inner: ModelReference) -> dict[str, Any]:
    """Returns what the other interpreter is to import; see ``recbench.foreign.host``."""
    module, _, class_name = inner.target.rpartition(":")
    if module.partition(".")[0] == BUILTIN_PACKAGE:
        package = {"name": BUILTIN_PACKAGE, "folder": str(builtin_folder())}
        is_generic = module == f"{BRIDGES_PACKAGE}.{GENERIC_BRIDGE}"
        folders = [str(Path.cwd())] if is_generic else []
        return {"class": class_name, "module": module, "package": package, "folders": folders}
    if inner.origin is not Origin.FILE:
        return {"class": class_name, "module": module, "folders": [str(Path.cwd())]}
    file = Path(module).resolve()
    what: dict[str, Any] = {"class": class_name, "folders": [str(folder) for folder in folders_of(file)]}
    if (inside := module_in_package(file)) is not None:
        folder, name = inside
        return {**what, "module": name, "package": {"name": folder.name, "folder": str(folder)}}
    return {**what, "module": f"{FILE_MODULE}{file.stem}", "file": str(file)}
