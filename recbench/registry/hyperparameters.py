"""A configuration: a model with its hyper-parameters, checked against the model's constructor."""

import copy
import inspect
import time
import typing
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from recbench.errors import RecbenchError, describe_error, error_text, unknown_name
from recbench.protocol import Recommender
from recbench.records.schema import ParameterValue
from recbench.records.sources import Sources
from recbench.registry.code_of_model import CodeOfModel, code_of
from recbench.registry.models import ModelReference, Origin
from recbench.registry.observation import Observation
from recbench.registry.parameter_values import check_type, read_text, recordable, takes_integers
from recbench.registry.requested import RequestedModel


@dataclass(frozen=True, slots=True)
class Configuration:
    """A model and its hyper-parameters.

    Attributes:
        reference: Which model.
        model_class: Its class.
        parameters: All hyper-parameters, defaults included, as records hold them.
        arguments: The same as the constructor takes them.
        code: The files that its code consists of, and their hash.
        import_seconds: How long its module took to import.
        label: The user's label of it; empty if it has none.
        observation: What the process has loaded and opened since before the import; None if nobody observes it.
        integers: Names of the parameters that take integers and no other numbers.
    """

    reference: ModelReference
    model_class: type
    parameters: dict[str, ParameterValue]
    arguments: dict[str, Any]
    code: CodeOfModel = field(default_factory=CodeOfModel)
    import_seconds: float = 0.0
    label: str = ""
    observation: Observation | None = field(default=None, compare=False, repr=False)
    integers: tuple[str, ...] = ()

    @property
    def code_version(self) -> str | None:
        """Hash of the model's code, as far as it is known before training."""
        return self.code.version

    @property
    def sources(self) -> Sources:
        """The files that the hash covers."""
        return self.code.sources

    @property
    def name(self) -> str:
        """The model's name."""
        return self.reference.name

    def watched(self) -> AbstractContextManager[None]:
        """Returns a block in which the observation, if there is one, notices what is loaded and opened."""
        return _watched(self.reference, self.observation)

    def create(self) -> Recommender:
        """Makes a fresh, untrained model.

        Raises:
            RecbenchError: The constructor refuses a value.
        """
        try:
            # A copy: a model may change a list.
            model: Recommender = self.model_class(**copy.deepcopy(self.arguments))
        except KeyboardInterrupt:
            raise
        # Of any class: it runs a user's code. Errors of other classes than these are not about the parameters' values.
        except BaseException as error:
            refuses = isinstance(error, ValueError | TypeError)
            raise RecbenchError(
                f"Model {self.name!r} refuses its parameters: {error_text(error)}."
                if refuses
                else f"Model {self.name!r} cannot be created: {describe_error(error)}.",
                self.reference.parameters_hint,
            ) from error
        return model


def import_and_configure(requested: RequestedModel, observation: Observation | None = None) -> Configuration:
    """Imports a model, reads its hyper-parameters, and lets its constructor check them.

    Args:
        requested: The model.
        observation: Notices what the model loads and opens.

    Raises:
        RecbenchError: It cannot be imported, or refuses its hyper-parameters.
    """
    with _watched(requested.reference, observation):
        began = time.perf_counter()
        model_class = requested.reference.load()
        seconds = time.perf_counter() - began
        configured = configure(requested.reference, model_class, requested.texts, requested.values, observation)
        configuration = replace(configured, import_seconds=seconds, label=requested.label, observation=observation)
        configuration.create()
    return configuration


def _watched(reference: ModelReference, observation: Observation | None) -> AbstractContextManager[None]:
    # The process of a foreign model tells the observation what it opens.
    if observation is None or reference.origin is Origin.FOREIGN:
        return nullcontext()
    # The builtin models read no files, and are timed without the hook, as they were before there was one.
    return observation.watch(files=reference.origin is not Origin.BUILTIN)


def configure(
    reference: ModelReference,
    model_class: type,
    texts: Mapping[str, str],
    values: Mapping[str, ParameterValue] = MappingProxyType({}),
    observation: Observation | None = None,
) -> Configuration:
    """Reads hyper-parameters by the types of the constructor, and takes its defaults for the others.

    Args:
        reference: Which model.
        model_class: Its class.
        texts: Texts of hyper-parameters.
        values: Values of hyper-parameters; they take precedence over ``texts``.
        observation: Knows the modules that the import has loaded.

    Raises:
        RecbenchError: The constructor has no such parameter, a value does not fit its type, or a parameter without
            a default is not given.
    """
    try:
        signature = inspect.signature(model_class)
    except (ValueError, TypeError) as error:
        raise RecbenchError(
            f"The parameters of model {reference.name!r} cannot be read: {error_text(error)}.",
            "Write the constructor in Python: def __init__(self, factors=64).",
        ) from error
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
        if name in values or name in texts:
            try:
                arguments[name] = (
                    check_type(reference.name, name, values[name], hint)
                    if name in values
                    # The text "none" of such a default is no None.
                    else parameter.default
                    if isinstance(parameter.default, str) and texts[name] == parameter.default
                    else read_text(reference.name, name, texts[name], hint)
                )
            except RecbenchError as error:
                raise RecbenchError(error.message, reference.parameters_hint) from error
        elif parameter.default is parameter.empty:
            raise RecbenchError(
                f"Model {reference.name!r} needs a value for {name!r}, which has no default.",
                f"Give it a default, or a value: --param {reference.name}.{name}=VALUE, in Python "
                f"Model(..., {name}=VALUE). A tuning needs the default.",
            )
        else:
            arguments[name] = parameter.default
        if isinstance(parameter.default, tuple) and isinstance(arguments[name], list):
            arguments[name] = tuple(arguments[name])
    parameters = {name: recordable(reference.name, name, value) for name, value in arguments.items()}
    if reference.origin is Origin.FOREIGN:
        from recbench.registry.foreign_models import foreign_code

        code = foreign_code(reference, model_class, observation)
    else:
        code = code_of(model_class, reference.origin, observation)
    integers = tuple(name for name, value in parameters.items() if takes_integers(hints.get(name, Any), value))
    return Configuration(reference, model_class, parameters, arguments, code, integers=integers)
