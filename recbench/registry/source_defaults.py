"""The defaults of models that records name, read from the source: nothing is imported, so no code of a record runs."""

import ast
from collections.abc import Iterable
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.records.schema import ParameterValue, class_identity
from recbench.registry.foreign_names import split_interpreter
from recbench.registry.models import ModelReference, Origin, describe, known_models
from recbench.registry.parameter_values import recordable


def source_defaults(references: Iterable[str]) -> dict[str, dict[str, ParameterValue]]:
    """Returns the defaults of each class by its ``class_identity``.

    A class whose source is not found has none, nor has a parameter whose default is an expression.

    Args:
        references: What records say of the classes, such as ``recbench_models.bpr:BPR`` or ``my_model.py:Net``.
    """
    known = {class_identity(model.recorded): model for model in known_models().values()}
    defaults = {}
    for reference in dict.fromkeys(references):
        split = split_interpreter(reference, ())
        bare = split[0] if split is not None else reference
        defaults[class_identity(reference)] = _defaults(known.get(class_identity(bare)) or _of_working_folder(bare))
    return defaults


def _of_working_folder(reference: str) -> ModelReference | None:
    """Returns the class of a file in the working folder; None if there is no such file."""
    module, colon, name = reference.rpartition(":")
    if not (colon and name.isidentifier()):
        return None
    stem = Path(*module.split("."))
    files = [Path(module)] if module.endswith(".py") else [stem.with_suffix(".py"), stem / "__init__.py"]
    file = next((path for path in files if path.is_file()), None)
    return None if file is None else ModelReference(name, f"{file}:{name}", Origin.FILE)


def _defaults(reference: ModelReference | None) -> dict[str, ParameterValue]:
    if reference is None:
        return {}
    try:
        texts = describe(reference).parameters
    except RecbenchError:
        return {}
    defaults = {}
    for name, text in texts.items():
        try:
            defaults[name] = recordable(reference.name, name, ast.literal_eval(text))
        except (ValueError, SyntaxError, RecbenchError):
            continue
    return defaults
