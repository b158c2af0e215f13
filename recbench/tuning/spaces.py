"""Search spaces: where to look for a model's hyper-parameters, as ``models/search_spaces.toml`` has them."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError, model_validator

from recbench.builtin_models import builtin_folder
from recbench.errors import RecbenchError, problem_text, unknown_name
from recbench.records.schema import ParameterScalar
from recbench.records.tuned_settings import SettingValue
from recbench.toml_file import TomlKind

PLACE = "models/search_spaces.toml"
"""The spaces that come with the models, from the checkout's folder; as reports name them."""


Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Words = Annotated[str, Field(pattern=r"\S")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Range(_Frozen):
    """Numbers from ``low`` to ``high``, both included.

    Attributes:
        low: The lowest.
        high: The highest.
        log: Whether to spread tries evenly over orders of magnitude.
        integer: Whether they are whole.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError("log = true needs a low above 0")
        if self.integer and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError("integer = true needs whole numbers for low and high")
        return self

    def holds(self, value: object) -> bool:
        """Whether the value is one of these."""
        number = isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high
        return number and (not self.integer or float(value).is_integer())  # type: ignore[arg-type]

    @property
    def is_fraction(self) -> bool:
        """Whether these are all numbers from 0 to 1, such as those of a share or an exponent."""
        return (self.low, self.high) == (0, 1) and not self.integer

    @property
    def begins_naturally(self) -> bool:
        """Whether no model takes lower values: 0 of a fraction, 1 of a whole number."""
        return self.is_fraction or (self.integer and self.low == 1)

    def share(self, value: float) -> float:
        """Returns where a value lies between ``low``, 0, and ``high``, 1; by orders of magnitude if ``log``."""
        scale = math.log if self.log else float
        low, high = scale(self.low), scale(self.high)
        return (scale(value) - low) / (high - low)

    def text(self) -> str:
        """Returns it as it stands in the file."""
        shown = [int(bound) if self.integer else bound for bound in (self.low, self.high)]
        flags = "".join(f", {name} = true" for name in ("log", "integer") if getattr(self, name))
        return f"{{ low = {shown[0]}, high = {shown[1]}{flags} }}"


class Choices(_Frozen):
    """One of several values.

    Attributes:
        choices: All of them.
    """

    choices: tuple[ParameterScalar, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({repr(choice) for choice in self.choices}) < len(self.choices):
            raise ValueError("choices has the same value twice")
        return self

    def holds(self, value: object) -> bool:
        """Whether the value is one of these."""
        return any(type(choice) is type(value) and choice == value for choice in self.choices)

    def text(self) -> str:
        """Returns it as it stands in the file."""
        return f"{{ choices = [{', '.join(map(_toml, self.choices))}] }}"


class Known(_Frozen):
    """A configuration that did well on other data.

    Attributes:
        source: Who found it, and on what, in words.
        dataset: The name of the data that it was found on, such as ``ml-1m``; or several names.
        found_on: The digests of all tasks that are known to be cut from this data; empty if there is none.
        setting: Values of some or all of the space's parameters.
    """

    source: Words
    dataset: Words | Annotated[tuple[Words, ...], Field(min_length=1)]
    found_on: tuple[Digest, ...]
    setting: Annotated[dict[str, SettingValue], Field(min_length=1)]

    @property
    def datasets(self) -> tuple[str, ...]:
        """The names of the data that it was found on."""
        return (self.dataset,) if isinstance(self.dataset, str) else self.dataset

    def text(self) -> str:
        """Returns it as it stands in the file, without where it was found."""
        return f"{{ {', '.join(f'{name} = {_toml(value)}' for name, value in self.setting.items())} }}"


def _kind(content: object) -> str:
    return "choices" if isinstance(content, dict) and "choices" in content else "range"


Parameter = Range | Choices
Space = dict[str, Parameter]
_Read = Annotated[Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")], Discriminator(_kind)]
_SPACES: TypeAdapter[dict[str, Space]] = TypeAdapter(dict[str, dict[str, _Read]])
_KNOWN: TypeAdapter[tuple[Known, ...]] = TypeAdapter(tuple[Known, ...])
KNOWN = "known"
"""The key of a model's known configurations, beside its parameters."""
KNOWN_FORM = (
    'Each [[MODEL.known]] needs: source = "who found it, and how"; dataset = "ml-1m", the name of the data that it was '
    'found on; found_on = ["sha256:..."], the digests of all tasks cut from this data (recbench task show TASK prints '
    "them; [] if there is none); setting = { factors = 64 }. recbench skips a known configuration on the data that it "
    "was found on."
)
PARAMETER_FORM = (
    "A parameter is { low = 8, high = 128 }, with log = true and integer = true if you like, "
    'or { choices = ["cosine", "bm25"] }.'
)
ARGUMENT_FORM = (
    'For example: spaces={"MyModel": {"factors": {"low": 8, "high": 128, "log": True}, '
    '"loss": {"choices": ["bpr", "softmax"]}}}'
)


@dataclass(frozen=True, slots=True)
class ModelSpace:
    """Where to look for one model's hyper-parameters.

    Attributes:
        parameters: Where to look for each.
        known: Configurations that did well on other data, which are tried right after the defaults.
        undecided: Ranges whose limits are integers and which do not say whether they hold other numbers.
    """

    parameters: Space
    known: tuple[Known, ...] = ()
    undecided: frozenset[str] = frozenset()

    def text(self) -> str:
        """Returns all of it, in words."""
        ranges = [f"{name} = {text}" for name, text in texts(self.parameters).items()]
        return ", ".join([*ranges, *(measure.text() for measure in self.known)])

    def decided(self, integers: Collection[str]) -> "ModelSpace":
        """Returns the same with ranges of integers for those undecided ranges whose parameters take integers only.

        Otherwise ``epochs = { low = 1, high = 10 }`` would try 4.438, and each such trial would fail.

        Args:
            integers: The parameters of the model that take integers only.
        """
        ranges = {name: self.parameters[name] for name in self.undecided & frozenset(integers)}
        whole = {name: values.model_copy(update={"integer": True}) for name, values in ranges.items()}
        return replace(self, parameters={**self.parameters, **whole}, undecided=frozenset())


def texts(space: Space) -> dict[str, str]:
    """Returns where to look for each parameter, as it stands in the file."""
    return {name: parameter.text() for name, parameter in space.items()}


def own_spaces_path() -> Path:
    """Returns the file of the spaces that come with the models."""
    return builtin_folder() / "search_spaces.toml"


def own_spaces() -> dict[str, ModelSpace]:
    """Returns the spaces that come with the builtin models and with the bridges to other frameworks, by model."""
    return {**read_spaces(own_spaces_path()), **read_spaces(builtin_folder() / "bridges" / "search_spaces.toml")}


def read_spaces(path: Path) -> dict[str, ModelSpace]:
    """Reads the search spaces of all models, by name.

    Raises:
        RecbenchError: The file cannot be read, or is not one; the message names the model and the parameter.
    """
    return spaces_of(TomlKind("file of search spaces").read(path), str(path))


def spaces_of(content: Mapping[str, Any], where: str, form: str = PARAMETER_FORM) -> dict[str, ModelSpace]:
    """Checks the search spaces of all models, by name.

    Args:
        content: What a file of search spaces holds: the tables of the models.
        where: The file, or the argument, as errors name it.
        form: How a parameter is written there.

    Raises:
        RecbenchError: It is not that; the message names the model and the parameter.
    """
    tables = {
        model: {name: value for name, value in table.items() if name != KNOWN} if isinstance(table, Mapping) else table
        for model, table in content.items()
    }
    try:
        spaces = _SPACES.validate_python(tables)
    except ValidationError as error:
        raise _broken(where, error, (), form) from error
    return {
        model: ModelSpace(
            space,
            _known(where, model, space, content[model].get(KNOWN, ())),
            frozenset(name for name in space if _is_undecided(content[model][name])),
        )
        for model, space in spaces.items()
    }


def _is_undecided(parameter: Mapping[str, Any]) -> bool:
    """Whether both limits are written as integers, and nothing says whether other numbers lie between them."""
    limits = (parameter.get("low"), parameter.get("high"))
    return "integer" not in parameter and all(isinstance(limit, Integral) for limit in limits)


def _known(where: str, model: str, space: Space, content: object) -> tuple[Known, ...]:
    try:
        configurations = _KNOWN.validate_python(content)
    except ValidationError as error:
        raise _broken(where, error, (model, KNOWN), KNOWN_FORM) from error
    for configuration in configurations:
        for name, value in configuration.setting.items():
            if name not in space:
                raise unknown_name(f"parameter in {where}, [[{model}.{KNOWN}]]", name, space)
            if not space[name].holds(value):
                raise RecbenchError(
                    f"{where}, [[{model}.{KNOWN}]]: {name} = {_toml(value)} is not in {space[name].text()}.",
                    "Correct the setting, or widen the space.",
                )
    return configurations


def _broken(where: str, error: ValidationError, before: tuple[str, ...], form: str) -> RecbenchError:
    problem = error.errors()[0]
    model, name, *_ = [*before, *map(str, problem["loc"]), "", ""]
    if before:
        field = next((part for part in problem["loc"] if isinstance(part, str)), "")
        return RecbenchError(f"{where}, [[{model}.{name}]] {field}: {problem_text(problem)}.", form)
    return RecbenchError(f"{where}, [{model}] {name}: {problem_text(problem)}.", form)


def check_names(space: Space, model: str, parameters: Collection[str], where: str) -> None:
    """Checks that a model has the parameters of its space.

    Raises:
        RecbenchError: It has not; the message names the nearest.
    """
    for name in space:
        if name not in parameters:
            raise unknown_name(f"parameter of {model!r} in {where}", name, parameters)


def _toml(value: SettingValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
