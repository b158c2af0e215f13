"""The configurations that are tried of each model: its defaults, and seeded draws from its search space.

Half of the draws are uniform over the space. The other half are near the defaults, because in a space of nine
parameters few uniform draws are good in all of them.
"""

import ast
import math
import random
from collections.abc import Mapping

from recbench.records.schema import ParameterValue
from recbench.registry.models import describe, find_model
from recbench.tuning.spaces import Choices, Parameter, Range, Space

STEP = 0.15
"""Standard deviation of a draw near the default, as a share of the range's width."""
MOVED = 0.5
"""Probability with which a draw near the defaults changes a parameter."""

Parameters = dict[str, ParameterValue]


def defaults(model: str) -> Parameters:
    """Returns a model's defaults as its source has them; the model's framework is not imported."""
    return {name: ast.literal_eval(text) for name, text in describe(find_model(model)).parameters.items()}


def configurations(model: str, space: Space, default: Mapping[str, ParameterValue], count: int) -> list[Parameters]:
    """Returns at most ``count`` distinct configurations, the defaults first.

    Every second draw is near the defaults. A value depends only on the model, the parameter, the number of the draw
    and, near the defaults, the default: another parameter in the space, or another ``count``, changes no other value.

    Args:
        model: The model's name, which is the seed.
        space: The model's search space.
        default: The model's defaults.
        count: Number of configurations.
    """
    if not space:
        return [dict(default)]
    drawn = [dict(default)]
    # Configurations repeat where a space has few values.
    for number in range(1, 2 * count):
        draw = {**default, **_draw(model, number, space, default)}
        if draw not in drawn:
            drawn.append(draw)
    return drawn[:count]


def _draw(model: str, number: int, space: Space, default: Mapping[str, ParameterValue]) -> Parameters:
    drawn: Parameters = {}
    for name, parameter in space.items():
        # random.Random, because its stream is the same in every version of Python.
        stream = random.Random(f"{model} {name} {number}")
        if number % 2:
            drawn[name] = _at(parameter, stream.random())
        elif stream.random() < MOVED:
            drawn[name] = _near(parameter, default[name], stream)
    return drawn


def _near(parameter: Parameter, default: ParameterValue, stream: random.Random) -> ParameterValue:
    if isinstance(parameter, Choices) or not isinstance(default, int | float):
        return _at(parameter, stream.random())
    share = _place(parameter, float(default)) + stream.gauss(0, STEP)
    # Mirrored at the ends, so that no draw piles up there.
    share = abs(share)
    return _at(parameter, min(max(2 - share if share > 1 else share, 0.0), 1.0))


def _at(parameter: Parameter, share: float) -> ParameterValue:
    """Returns the value at a share (0 to 1) of the parameter's range."""
    if isinstance(parameter, Choices):
        return parameter.choices[min(int(share * len(parameter.choices)), len(parameter.choices) - 1)]
    low, high = _scaled(parameter, parameter.low), _scaled(parameter, parameter.high)
    value = low + share * (high - low)
    value = math.exp(value) if parameter.log else value
    # Three digits: a default should be readable.
    value = min(max(float(f"{value:.3g}"), parameter.low), parameter.high)
    return round(value) if parameter.integer else value


def _place(parameter: Range, value: float) -> float:
    """Returns the share of the range at which the value is; below 0 or above 1 outside of the range."""
    low, high = _scaled(parameter, parameter.low), _scaled(parameter, parameter.high)
    return (_scaled(parameter, value) - low) / (high - low) if high > low else 0.0


def _scaled(parameter: Range, value: float) -> float:
    return math.log(value) if parameter.log else value
