"""Checks of a search space against its model, before any trial."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from recbench.records.schema import ParameterValue
from recbench.records.tuned_settings import SettingValue
from recbench.tuning.spaces import Choices, Parameter, Space

PART = 0.382
"""Where in a range to take a value that is not whole: near neither end, and at no simple fraction."""


def settings_to_check(space: Space, defaults: Mapping[str, ParameterValue]) -> list[dict[str, SettingValue]]:
    """Returns settings that show whether the model takes values of the space whose type differs from the default's.

    An example is a range without ``integer = true`` for a whole number. Each setting has one value of each such
    parameter, so there are as many as the longest list of choices has.

    Args:
        space: Where to look for each parameter.
        defaults: The model's parameters without any setting.
    """
    doubtful = {name: list(_of_other_type(parameter, defaults.get(name))) for name, parameter in space.items()}
    return [
        {name: value for name, value in zip(doubtful, values, strict=True) if value is not None}
        for values in zip_longest(*doubtful.values())
    ]


def outside(space: Space, defaults: Mapping[str, ParameterValue]) -> dict[str, ParameterValue]:
    """Returns the defaults that the space does not hold."""
    return {name: defaults.get(name) for name, parameter in space.items() if not parameter.holds(defaults.get(name))}


def first_setting(space: Space, defaults: Mapping[str, ParameterValue]) -> dict[str, SettingValue]:
    """Returns the defaults that can be tried first, so that what is found is not worse than they are.

    These are the defaults that the space holds, and numbers outside of its ranges; other defaults cannot be tried.
    """
    return {name: value for name, parameter in space.items() if _can_be_tried(parameter, value := defaults.get(name))}  # type: ignore[misc]


def _can_be_tried(parameter: Parameter, value: ParameterValue) -> bool:
    if value is None or isinstance(value, list):
        return False
    if parameter.holds(value):
        return True
    if isinstance(parameter, Choices) or isinstance(value, bool | str):
        return False
    return (not parameter.integer or float(value).is_integer()) and (not parameter.log or value > 0)


def _of_other_type(parameter: Parameter, default: ParameterValue) -> Iterator[SettingValue]:
    if isinstance(parameter, Choices):
        values: tuple[SettingValue, ...] = parameter.choices
    elif parameter.integer:
        values = (int(parameter.low),)
    else:
        values = (parameter.low + PART * (parameter.high - parameter.low),)
    for value in values:
        same = type(value) is type(default) or (type(value) is int and type(default) is float)
        if not same and not (isinstance(value, float) and value.is_integer() and type(default) is int):
            yield value
