"""A configuration: a model with its hyper-parameters, checked against the model's constructor."""

import copy
import inspect
import time
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from recbench.errors import RecbenchError, unknown_name
from recbench.protocol import Recommender
from recbench.records.schema import ParameterValue
from recbench.registry.class_version import class_version
from recbench.registry.code_version import code_version
from recbench.registry.models import ModelReference, Origin
from recbench.registry.parameter_values import check_type, read_text, recordable
from recbench.registry.requested import RequestedModel


@dataclass(frozen=True, slots=True)
class Configuration:
    """A model and its hyper-parameters.

    Attributes:
        reference: Which model.
        model_class: Its class.
        parameters: All hyper-parameters, defaults included, as records hold them.
        arguments: The same as the constructor takes them.
        code_version: Hash of the model's source; see ``recbench.registry.code_version``.
        import_seconds: How long its module took to import.
        label: The user's label of it; empty if it has none.
    """

    reference: ModelReference
    model_class: type
    parameters: dict[str, ParameterValue]
    arguments: dict[str, Any]
    code_version: str | None = None
    import_seconds: float = 0.0
    label: str = ""

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
            # A copy: a model may change a list.
            model: Recommender = self.model_class(**copy.deepcopy(self.arguments))
        except Exception as error:
            raise RecbenchError(
                f"Model {self.name!r} refuses its parameters: {error}.",
                f"Its parameters and their defaults: recbench list {self.name}",
            ) from error
        return model


def import_and_configure(requested: RequestedModel) -> Configuration:
    """Imports a model, reads its hyper-parameters, and lets its constructor check them.

    Raises:
        RecbenchError: It cannot be imported, or refuses its hyper-parameters.
    """
    began = time.perf_counter()
    model_class = requested.reference.load()
    seconds = time.perf_counter() - began
    found = configure(requested.reference, model_class, requested.texts, requested.values)
    configuration = replace(found, import_seconds=seconds, label=requested.label)
    configuration.create()
    return configuration


def configure(
    reference: ModelReference,
    model_class: type,
    texts: Mapping[str, str],
    values: Mapping[str, ParameterValue] = MappingProxyType({}),
) -> Configuration:
    """Reads hyper-parameters by the types of the constructor, and takes its defaults for the others.

    Args:
        reference: Which model.
        model_class: Its class.
        texts: Texts of hyper-parameters.
        values: Values of hyper-parameters; they take precedence over ``texts``.

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
    for name in (*texts, *values):
        if name not in accepted:
            raise unknown_name(f"parameter of {reference.name!r}", name, accepted)
    arguments: dict[str, Any] = {}
    for name, parameter in accepted.items():
        hint = hints.get(name, Any)
        if name in values:
            arguments[name] = check_type(reference.name, name, values[name], hint)
        elif name in texts:
            arguments[name] = read_text(reference.name, name, texts[name], hint)
        elif parameter.default is parameter.empty:
            raise RecbenchError(
                f"Model {reference.name!r} needs a value for {name!r}, which has no default.",
                f"Give one: --param {reference.name}.{name}=VALUE",
            )
        else:
            arguments[name] = parameter.default
        if isinstance(parameter.default, tuple) and isinstance(arguments[name], list):
            arguments[name] = tuple(arguments[name])
    parameters = {name: recordable(reference.name, name, value) for name, value in arguments.items()}
    version = class_version(model_class) if reference.origin is Origin.VALUE else code_version(model_class)
    return Configuration(reference, model_class, parameters, arguments, version)
