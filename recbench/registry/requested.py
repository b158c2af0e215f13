"""Models as a user requests them: names, classes, instances and configurations, before any of them is trained."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from recbench.errors import RecbenchError, unknown_name
from recbench.escaping.shell import shell_word
from recbench.records.schema import ParameterValue
from recbench.registry.class_references import class_reference, constructor_arguments
from recbench.registry.frameworks import check_frameworks
from recbench.registry.model_entries import parse_assignment, parse_entry
from recbench.registry.models import ModelReference, find_model
from recbench.registry.parameter_values import as_text, recordable

LONGEST_LABEL = 80


@dataclass(frozen=True, slots=True, init=False)
class Model:
    """A model with hyper-parameters and a label, for a run that is started from Python.

    >>> Model("bpr", factors=32, label="bpr-32").label
    'bpr-32'

    Attributes:
        model: A name of ``recbench list``, ``package.module:Class``, ``file.py:Class``, a class, or an untrained
            instance. An instance stands for its class and its constructor's arguments.
        parameters: Hyper-parameters; the others keep their defaults.
        label: The name of this configuration in tables; empty for the model's name.
    """

    model: Any
    parameters: Mapping[str, Any]
    label: str

    def __init__(self, model: Any, /, *, label: str = "", **parameters: Any) -> None:
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "parameters", MappingProxyType(parameters))
        object.__setattr__(self, "label", label)


@dataclass(frozen=True, slots=True)
class RequestedModel:
    """A model as it was requested.

    Attributes:
        reference: Which model.
        texts: The texts of the hyper-parameters that were given on the command line or in a file.
        variant: The hyper-parameters that differ where a run or a sweep has the model several times, such as
            ``factors=16``.
        values: The hyper-parameters that were given from Python; they take precedence over ``texts``.
        label: The user's label of this configuration; empty if it has none.
    """

    reference: ModelReference
    texts: dict[str, str] = field(default_factory=dict)
    variant: str = ""
    values: dict[str, ParameterValue] = field(default_factory=dict)
    label: str = ""

    @property
    def title(self) -> str:
        """Its name in a run; no two models of a run share it."""
        return " ".join(filter(None, (self.label or self.reference.name, self.variant)))

    @property
    def names(self) -> tuple[str, ...]:
        """What ``--param`` may call it: its label, or else the name or the target of the model."""
        if self.label:
            return (self.label,)
        return (self.reference.name, self.reference.command_name, self.reference.target)

    @property
    def given(self) -> dict[str, str]:
        """The texts of all hyper-parameters that were given, in whatever way."""
        return {**self.texts, **{name: as_text(value) for name, value in self.values.items()}}


def request_models(models: Iterable[Any], assignments: Iterable[str] = ()) -> list[RequestedModel]:
    """Finds the models, without importing those that are given by name.

    Args:
        models: Each a text of the form ``[LABEL=]MODEL[:NAME=VALUE]...``, a class, an untrained instance, or a
            ``Model``. What is given twice in the same way counts once.
        assignments: Texts of the form ``MODEL.NAME=VALUE``, where ``MODEL`` is a label, a name, or a class; it may be
            left out if there is one model.

    Returns:
        The models in their order; their titles differ.

    Raises:
        RecbenchError: There is no such model, a class is not a model or cannot be sent to another process, two models
            share a title, a hyper-parameter is given twice, or a package that a model needs is not installed.

    >>> [model.title for model in request_models(["bpr", "bpr:factors=128", "small=bpr:factors=8"])]
    ['bpr', 'bpr factors=128', 'small']
    """
    references: dict[type, ModelReference] = {}
    requested: list[RequestedModel] = []
    for model in models:
        request = _request(model, references)
        if request not in requested:
            requested.append(request)
    check_frameworks(request.reference for request in requested)
    return _with_variants(_with_assignments(requested, assignments))


def _request(model: Any, references: dict[type, ModelReference]) -> RequestedModel:
    """Returns one model; ``references`` remembers classes, so that each is pickled once."""
    values, label = {}, ""
    if isinstance(model, Model):
        values, label, model = dict(model.parameters), model.label, model.model
    texts: dict[str, str] = {}
    if isinstance(model, str):
        entry = parse_entry(model)
        reference, texts, label = find_model(entry.model), entry.texts, label or entry.label
    else:
        model_class = model if isinstance(model, type) else type(model)
        if model_class not in references:
            references[model_class] = class_reference(model_class)
        reference = references[model_class]
        if model_class is not model:
            values = {**constructor_arguments(model), **values}
    for name in values:
        if name in texts:
            raise _given_twice(reference, name)
    plain = {name: recordable(reference.name, name, value) for name, value in values.items()}
    return RequestedModel(reference, texts, values=plain, label=_checked(label))


def _checked(label: str) -> str:
    if (
        not isinstance(label, str)
        or label != label.strip()
        or not (label.isprintable() and len(label) <= LONGEST_LABEL)
    ):
        raise RecbenchError(
            f"{label!r} cannot be the label of a model.",
            f"Use up to {LONGEST_LABEL} printable characters, without spaces around them.",
        )
    return label


def _with_assignments(requested: Sequence[RequestedModel], assignments: Iterable[str]) -> list[RequestedModel]:
    """Gives each value to the model of that label, or else to all models of that name that have no label."""
    models = list(requested)
    labels = {model.label for model in models if model.label}
    for assignment in assignments:
        target, name, text = parse_assignment(assignment)
        if not target and len(models) != 1:
            raise RecbenchError(
                f"--param {assignment!r} names no model, and there are {len(models)} models.",
                f"For example: --param {models[0].title if models else 'bpr'}.{assignment}",
            )
        matching = [
            index
            for index, model in enumerate(models)
            if not target or (target in model.names and (target == model.label or target not in labels))
        ]
        if not matching:
            available = {*labels, *(model.reference.name for model in models if not model.label)}
            raise unknown_name("model in --param", target, available, "Only models named by --models take part.")
        for index in matching:
            model = models[index]
            if name in model.given:
                raise _given_twice(model.reference, name)
            models[index] = replace(model, texts={**model.texts, name: text})
    return models


def _given_twice(reference: ModelReference, name: str) -> RecbenchError:
    return RecbenchError(f"Model {reference.name!r} gets {name!r} twice.", "Give each value once.")


def _with_variants(requested: Sequence[RequestedModel]) -> list[RequestedModel]:
    """Distinguishes models of one name and without a label by the hyper-parameters that were given to them."""
    models = [replace(model, variant=_variant(model, requested)) for model in requested]
    counts = Counter(model.title for model in models)
    shared = sorted(title for title, count in counts.items() if count > 1)
    if shared:
        example = next(model for model in models if model.title == shared[0])
        raise RecbenchError(
            f"Two models share the name {', '.join(shared)}.",
            f"Give one of them a label: --models LABEL={shell_word(example.reference.command_name)}, "
            "or Model(..., label=...) in Python.",
        )
    return models


def _variant(model: RequestedModel, requested: Sequence[RequestedModel]) -> str:
    alike = [other.given for other in requested if other.reference == model.reference and not other.label]
    if model.label or len(alike) < 2:
        return ""
    return ",".join(
        f"{name}={text}" for name, text in model.given.items() if any(other.get(name) != text for other in alike)
    )
