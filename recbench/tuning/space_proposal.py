"""Search spaces to start from, for models without one: from the defaults of their constructors."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Final

from recbench.errors import RecbenchError
from recbench.records.schema import ParameterValue
from recbench.tuning.spaces import Choices, Parameter, Range, Space

INTEGER_FACTOR: Final = 4
NUMBER_FACTOR: Final = 10
"""How far a proposed range goes from the default. What the parameter of a user's model means is not known."""
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


class NoSpaceError(RecbenchError):
    """No model of a tuning has a search space; the hint proposes some as TOML.

    Args:
        message: What is wrong.
        spaces: What to propose, by model.
    """

    def __init__(self, message: str, spaces: Mapping[str, Space]) -> None:
        self.spaces = {model: space for model, space in spaces.items() if space}
        hint = (
            "Write their search spaces into a file, with your own limits and choices, and add --spaces FILE:\n\n"
            f"{toml_form(self.spaces)}"
            if self.spaces
            else "Leave them out: a model without hyper-parameters needs no tuning."
        )
        super().__init__(message, hint)


def proposed_space(defaults: Mapping[str, ParameterValue], integers: Collection[str]) -> Space:
    """Returns a search space around the defaults of a model. A list or None is left out: no range follows from it.

    Args:
        defaults: All hyper-parameters with their defaults.
        integers: Those that take integers and no other numbers.
    """
    proposed = {name: _proposed(value, is_integer=name in integers) for name, value in defaults.items()}
    return {name: parameter for name, parameter in proposed.items() if parameter is not None}


def _proposed(default: ParameterValue, *, is_integer: bool) -> Parameter | None:
    if isinstance(default, bool):
        return Choices(choices=(True, False))
    if isinstance(default, str):
        return Choices(choices=(default,))
    if not isinstance(default, int | float):
        return Range(low=1, high=NUMBER_FACTOR, integer=True) if default is None and is_integer else None
    if default <= 0:
        return Range(low=min(NUMBER_FACTOR * default, 0), high=0 if default else 1, integer=is_integer)
    if is_integer:
        low, high = max(default // INTEGER_FACTOR, 1), default * INTEGER_FACTOR
        return Range(low=low, high=high, log=True, integer=True)
    # Ten times 0.1 without the digits of binary fractions.
    low, high = (float(f"{bound:.12g}") for bound in (default / NUMBER_FACTOR, default * NUMBER_FACTOR))
    return Range(low=low, high=high, log=True)


def toml_form(spaces: Mapping[str, Space]) -> str:
    """Returns search spaces as a file holds them."""
    tables = [
        "\n".join([f"[{_key(model)}]", *(f"{_key(name)} = {parameter.text()}" for name, parameter in space.items())])
        for model, space in spaces.items()
    ]
    return "\n\n".join(tables)


def python_form(spaces: Mapping[str, Space]) -> str:
    """Returns search spaces as the argument of a call."""
    lines = ["spaces={"]
    for model, space in spaces.items():
        lines.append(f"    {json.dumps(model)}: {{")
        lines += [f"        {json.dumps(name)}: {_literal(parameter)}," for name, parameter in space.items()]
        lines.append("    },")
    return "\n".join([*lines, "}"])


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name)


def _literal(parameter: Parameter) -> str:
    if isinstance(parameter, Choices):
        choices = [json.dumps(value) if isinstance(value, str) else repr(value) for value in parameter.choices]
        return f'{{"choices": [{", ".join(choices)}]}}'
    low, high = (int(bound) if parameter.integer else bound for bound in (parameter.low, parameter.high))
    flags = "".join(f', "{name}": True' for name in ("log", "integer") if getattr(parameter, name))
    return f'{{"low": {low!r}, "high": {high!r}{flags}}}'
