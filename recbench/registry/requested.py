"""Models as a user requests them: names, classes, instances and configurations, before any of them is trained."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from recbench.errors import RecbenchError, unknown_name
from recbench.records.schema import ParameterValue
from recbench.registry.class_references import class_reference, constructor_arguments
from recbench.registry.model_entries import ModelEntry, parse_assignment, parse_entry
from recbench.registry.models import ModelReference, find_model
from recbench.registry.parameter_values import as_text, recordable


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
        variant: The hyper-parameters that differ where a run has the model several times, such as ``factors=16``.
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
        return self.label or " ".join(filter(None, (self.reference.name, self.variant)))

    @property
    def given(self) -> dict[str, str]:
        """The texts of all hyper-parameters that were given, in whatever way."""
        return {**self.texts, **{name: as_text(value) for name, value in self.values.items()}}


def request_models(models: Iterable[Any], assignments: Iterable[str] = ()) -> list[RequestedModel]:
    """Finds the models, without importing those that are given by name.

    Args:
        models: Each a text of the form ``[LABEL=]MODEL[:NAME=VALUE]...``, a class, an untrained instance, or a
            ``Model``. What is given twice in the same way counts once.
        assignments: Texts of the form ``MODEL.NAME=VALUE``, where ``MODEL`` is a label, a name, or a class.

    Returns:
        The models in their order; their titles differ.

    Raises:
        RecbenchError: There is no such model, a class is not a model or cannot be sent to another process, two models
            share a title, or a hyper-parameter is given twice.

    >>> [one.title for one in request_models(["bpr", "bpr:factors=128", "small=bpr:factors=8"])]
    ['bpr', 'bpr factors=128', 'small']
    """
    requested: list[RequestedModel] = []
    called: list[str] = []
    for model in models:
        one, name = _requested(model)
        if one not in requested:
            requested.append(one)
            called.append(name)
    return _with_variants(_assigned(requested, called, assignments))


def _requested(model: Any) -> tuple[RequestedModel, str]:
    """Returns the model, and its name as the user gave it."""
    if isinstance(model, Model):
        values, label = dict(model.parameters), model.label
        model = model.model
    else:
        values, label = {}, ""
    texts: dict[str, str] = {}
    if isinstance(model, str):
        entry: ModelEntry = parse_entry(model)
        reference, texts, name = find_model(entry.model), entry.texts, entry.model
        label = label or entry.label
    elif isinstance(model, type):
        reference = class_reference(model)
        name = reference.name
    else:
        reference = class_reference(type(model))
        values = {**constructor_arguments(model), **values}
        name = reference.name
    for parameter in values:
        if parameter in texts:
            raise RecbenchError(f"Model {name!r} gets {parameter!r} twice.", "Give each value once.")
    plain = {parameter: recordable(name, parameter, value) for parameter, value in values.items()}
    return RequestedModel(reference, texts, values=plain, label=_checked(label)), name


def _checked(label: str) -> str:
    if not isinstance(label, str) or label != label.strip() or not (label.isprintable() and len(label) <= 80):
        raise RecbenchError(
            f"{label!r} cannot be the label of a model.",
            "Use up to 80 printable characters, without spaces around them.",
        )
    return label


def _assigned(
    requested: Sequence[RequestedModel], called: Sequence[str], assignments: Iterable[str]
) -> list[RequestedModel]:
    """Gives each assignment to the model of that label, or else to all models of that name without a label."""
    given: list[dict[str, str]] = [{} for _ in requested]
    labels = [one.label for one in requested if one.label]
    for assignment in assignments:
        target, name, value = parse_assignment(assignment)
        places = [
            place
            for place, one in enumerate(requested)
            if (
                one.label == target
                if target in labels
                else not one.label and target in (one.reference.name, called[place])
            )
        ]
        if not places:
            available = {*labels, *(one.reference.name for one in requested if not one.label)}
            raise unknown_name("model in --param", target, available, "Only models named by --models take part.")
        for place in places:
            if name in given[place] or name in requested[place].given:
                raise RecbenchError(
                    f"{requested[place].reference.name!r} gets {name!r} twice.", "Give each value once."
                )
            given[place][name] = value
    return [replace(one, texts={**one.texts, **given[place]}) for place, one in enumerate(requested)]


def _with_variants(requested: Sequence[RequestedModel]) -> list[RequestedModel]:
    """Tells models of one name apart by the hyper-parameters that were given to them, where they have no label."""
    found = [replace(one, variant=_variant(one, requested)) for one in requested]
    titles = Counter(one.title for one in found)
    doubles = sorted(title for title, count in titles.items() if count > 1)
    if doubles:
        example = next(one for one in found if one.title == doubles[0]).reference.target
        raise RecbenchError(
            f"Two models share the name {', '.join(doubles)}.",
            f"Give one of them a label: --models other={example}; from Python: Model(..., label='other').",
        )
    return found


def _variant(one: RequestedModel, requested: Sequence[RequestedModel]) -> str:
    alike = [other.given for other in requested if other.reference == one.reference and not other.label]
    if one.label or len(alike) < 2:
        return ""
    return ",".join(
        f"{name}={text}" for name, text in one.given.items() if any(other.get(name) != text for other in alike)
    )
