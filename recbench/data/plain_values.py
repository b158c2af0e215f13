"""Values of Arrow as Python's, and as text; also dates that Python cannot hold."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def plain_value(value: "pa.Scalar") -> Any:
    """Returns a value of a column as Python's own; the number that Arrow stores, if it is a date after year 9999."""
    try:
        return value.as_py()
    # Which of them depends on the unit and on the platform.
    except (OverflowError, ValueError):
        return value.value


def plain_values(values: "pa.Array") -> list[Any]:
    """Returns all values of a column, see ``plain_value``."""
    try:
        plain: list[Any] = values.to_pylist()
    except (OverflowError, ValueError):
        return [plain_value(value) for value in values]
    return plain
