"""A configuration: a model with its hyper-parameters, checked against the model's constructor."""

import inspect
import json
import math
import time
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from recbench.errors import RecbenchError, unknown_name
from recbench.protocol import Recommender
from recbench.records.schema import ParameterValue
from recbench.registry.code_version import code_version
from recbench.registry.models import ModelReference


@dataclass(frozen=True, slots=True)
class Configuration:
    """A model and its hyper-parameters.

    Attributes:
        reference: Which model.
        model_class: Its class.
        parameters: All hyper-parameters, defaults included.
        import_seconds: How long its module took to import.
        code_version: Hash of the model's source; see ``recbench.registry.code_version``.
    """

    reference: ModelReference
    model_class: type
    parameters: dict[str, ParameterValue]
    import_seconds: float = 0.0
    code_version: str | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self.reference.name

    def create(self) -> Recommender:
        """Makes a fresh, untrained model.

        Raises:
            RecbenchError: The constructor refuses a value.
        """
        try:
            model: Recommender = self.model_class(**self.parameters)
        except Exception as error:
            raise RecbenchError(
                f"Model {self.name!r} refuses its parameters: {error}.",
                f"Its parameters and their defaults: recbench list {self.name}",
            ) from error
        return model


def parse_assignments(assignments: Iterable[str], models: Iterable[str]) -> dict[str, dict[str, str]]:
    """Splits ``MODEL.NAME=VALUE`` texts by model.

    Args:
        assignments: The texts.
        models: The models that take part, as they were asked for. ``path/to/file.py:Class`` and
            ``package.module:Class`` may be called ``Class``.

    Raises:
        RecbenchError: A text is not of that form, or names a model that takes no part.
    """
    values: dict[str, dict[str, str]] = {model: {} for model in models}
    called = {model.rpartition(":")[2]: model for model in values} | {model: model for model in values}
    for assignment in assignments:
        target, equals, value = assignment.partition("=")
        model, dot, name = target.rpartition(".")
        if not (equals and dot and model and name):
            raise RecbenchError(
                f"--param {assignment!r} is not of the form MODEL.NAME=VALUE.",
                "For example: --param bpr.factors=64",
            )
        if model not in called:
            raise unknown_name("model in --param", model, called, "Only models named by --models take part.")
        values[called[model]][name] = value
    return values


def import_and_configure(reference: ModelReference, texts: Mapping[str, str]) -> Configuration:
    """Imports a model, reads its parameters, and lets its constructor check them.

    Raises:
        RecbenchError: It cannot be imported, or refuses its parameters.
    """
    began = time.perf_counter()
    model_class = reference.load()
    configuration = configure(reference, model_class, texts, time.perf_counter() - began)
    configuration.create()
    return configuration


def configure(
    reference: ModelReference, model_class: type, texts: Mapping[str, str], import_seconds: float = 0.0
) -> Configuration:
    """Reads the texts of parameters by the types of the constructor and fills up with its defaults.

    Raises:
        RecbenchError: The constructor has no such parameter, a value does not fit its type, or a parameter without
            a default is not given.
    """
    signature = inspect.signature(model_class)
    accepted = {
        name: parameter
        for name, parameter in signature.parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    try:
        hints = typing.get_type_hints(model_class.__init__)  # type: ignore[misc]
    except (NameError, TypeError):
        hints = {}
    parameters: dict[str, ParameterValue] = {}
    for name in texts:
        if name not in accepted:
            raise unknown_name(f"parameter of {reference.name!r}", name, accepted)
    for name, parameter in accepted.items():
        if name in texts:
            value = _read_value(reference.name, name, texts[name], hints.get(name, Any))
            parameters[name] = _recordable(reference.name, name, value)
        elif parameter.default is parameter.empty:
            raise RecbenchError(
                f"Model {reference.name!r} needs a value for {name!r}, which has no default.",
                f"Give one: --param {reference.name}.{name}=VALUE",
            )
        else:
            parameters[name] = _recordable(reference.name, name, parameter.default)
    return Configuration(reference, model_class, parameters, import_seconds, code_version(model_class))


def _recordable(model: str, name: str, value: Any) -> ParameterValue:
    plain = value is None or isinstance(value, bool | int | float | str)
    if not plain or (isinstance(value, float) and not math.isfinite(value)):
        raise RecbenchError(
            f"Model {model!r} would have the value {value!r} for {name!r}, which a record cannot hold.",
            "Use a finite number, a text, a truth value or None; a list can be written as text, such as '64,32'.",
        )
    checked: ParameterValue = value
    return checked


def _read_value(model: str, name: str, text: str, hint: Any) -> Any:
    """Reads a value: ``none`` where the type allows it, else by the type, else as JSON, else as text."""
    allows_none = hint is Any or type(None) in typing.get_args(hint)
    if allows_none and text.lower() in ("none", "null"):
        return None
    if hint is Any:
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            return text
        return value if isinstance(value, bool | int | float | str) else text
    try:
        return TypeAdapter(hint).validate_strings(text)
    except (ValidationError, PydanticSchemaGenerationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise RecbenchError(
            f"--param {model}.{name}={text}: {reason}.",
            f"Its parameters and their defaults: recbench list {model}",
        ) from error
