"""The types of numbers in records, with their ranges."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

_SMALLEST_RATE: Final = 1e-12


def _not_tiny(rate: float) -> float:
    if 0 < rate < _SMALLEST_RATE:
        raise ValueError(f"should be 0 or at least {_SMALLEST_RATE:g}")
    return rate


# The ranges hold whatever can be measured, and sums and ratios within them stay finite.
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
CutOff = Annotated[int, Field(ge=1, le=2**31 - 1)]
Figure = Annotated[float, Field(ge=-1e18, le=1e18)]
Seconds = Annotated[float, Field(ge=0, le=1e12)]
Milliseconds = Annotated[float, Field(ge=0, le=1e15)]
Joules = Annotated[float, Field(ge=0, le=1e18)]
Rate = Annotated[float, Field(ge=0, le=1e18), AfterValidator(_not_tiny)]
