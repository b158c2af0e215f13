"""The code of a model as far as it is known before training: its version, and the files that the version covers."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from recbench.records.sources import Sources, extended_version
from recbench.registry.class_version import class_code
from recbench.registry.code_version import model_code
from recbench.registry.file_hashes import file_hash
from recbench.registry.models import Origin
from recbench.registry.module_files import imported_by, module_files
from recbench.registry.named_sources import named_sources
from recbench.registry.observation import MISSING, Observation


@dataclass(frozen=True, slots=True)
class CodeOfModel:
    """The code of a model.

    Attributes:
        version: ``sha256:`` and a hash; None if the code cannot be determined.
        sources: The files that it covers.
        files: The same files, as absolute paths.
        search_path: The folders in which modules were looked for.
    """

    version: str | None = None
    sources: Sources = field(default_factory=Sources)
    files: frozenset[str] = frozenset()
    search_path: tuple[str, ...] = ()


def code_of(model_class: type, origin: Origin, observation: Observation | None) -> CodeOfModel:
    """Returns the code of a class that has just been imported.

    It consists of the class's module and what that imports of its own package or from beside it, of the modules from
    elsewhere that the import has loaded, and of the files that the class names in ``sources``. A builtin model consists
    of its own modules alone.

    Args:
        model_class: The class.
        origin: Where it comes from.
        observation: Knows the modules that the import has loaded; None to leave these out.

    Raises:
        RecbenchError: The class names a file in ``sources`` that does not exist.
    """
    own = class_code(model_class) if origin is Origin.VALUE else model_code(model_class)
    if origin is Origin.BUILTIN:
        return CodeOfModel(own.version, Sources(modules=hashes(own.files)))
    named = named_sources(model_class, by_value=origin is Origin.VALUE)
    known = set(own.files.values())
    every = {} if observation is None else module_files(observation.modules | _needed(model_class, origin))
    loaded = {path: file for path, file in every.items() if file not in known}
    sources = Sources(modules=hashes({**loaded, **own.files}), named=hashes(named))
    # An empty __init__.py does nothing, and changes no version.
    with_content = {path: file for path, file in loaded.items() if file.stat().st_size}
    version = extended_version(own.version, modules=hashes(with_content), named=sources.named)
    files = (*own.files.values(), *loaded.values(), *named.values())
    return CodeOfModel(version, sources, frozenset(map(str, files)), tuple(sys.path))


def _needed(model_class: type, origin: Origin) -> set[str]:
    """Returns the modules that the class's module imports: in a process with other models, one may be loaded before."""
    return set() if origin is Origin.VALUE else imported_by(model_class.__module__)


def hashes(files: dict[str, Path]) -> dict[str, str]:
    """Returns the hash of each file."""
    return {path: file_hash(str(file)) or MISSING for path, file in files.items()}
