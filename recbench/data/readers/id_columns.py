"""Columns of ids: what is an id, and what is not (a missing value, NaN, bytes that are no text)."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from recbench.data.exact_numbers import inexact_from

if TYPE_CHECKING:
    import pyarrow as pa


class NotAnIdError(ValueError):
    """A value is no id; the text says what it is."""


def id_text(value: object) -> str | None:
    """Returns the text of an id; None for a missing one.

    Args:
        value: A plain value, as JSON, a Python literal or a column of mixed types holds it.

    Raises:
        NotAnIdError: It is a list, an object, a truth value, a complex number, a float that is infinite or too large,
            or bytes that are no text.
    """
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise NotAnIdError("bytes that are not UTF-8 text") from None
    if not isinstance(value, str) and type(value) is not int and _is_missing(value):
        return None
    text = str(value)
    if HALF_A_PAIR.search(text):
        raise NotAnIdError(f"text with half a surrogate pair ({text[:SHOWN]!a})")
    return text


def _is_missing(value: Any) -> bool:
    """Whether a value that is no text stands for a missing one, as NaN, NaT and NA do.

    Raises:
        NotAnIdError: It is no id.
    """
    import pandas as pd

    if isinstance(value, Iterable):
        kind = "an object" if isinstance(value, Mapping) else "a list"
        raise NotAnIdError(f"{kind} ({str(value)[:SHOWN]})")
    if isinstance(value, bool | np.bool_ | complex | np.complexfloating):
        raise NotAnIdError(f"the value {value}")
    # Before any comparison: one with NA is neither true nor false.
    if pd.isna(value):
        return True
    if value in (float("inf"), float("-inf")):
        raise NotAnIdError(f"the value {value}")
    if is_inexact(value):
        raise NotAnIdError(f"{value}, a float so large that other ids may have become the same")
    return False


def is_inexact(value: object) -> bool:
    """Whether a value is a finite float that several whole numbers may have become."""
    if not isinstance(value, float | np.floating) or not math.isfinite(value):
        return False
    return abs(float(value)) >= inexact_from(np.asarray(value).dtype)


SHOWN: Final = 40
HALF_A_PAIR: Final = re.compile("[\ud800-\udfff]")
BoolArray = npt.NDArray[np.bool_]

MISSING = "is missing"
"""A reason why a value cannot be read; other reasons contain ``{value}``, which stands for it."""
INEXACT = "is {value}, a float so large that other ids may have become the same"


def plain_column(column: "pa.Array") -> "pa.Array":
    """Returns a column as one of the types that the readers know: no dictionary, view, extension or fixed width."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return plain_column(column.dictionary_decode())
    if isinstance(kind, pa.BaseExtensionType):
        # Such as a UUID, which is stored as 16 bytes.
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    # By name: an older pyarrow has no views.
    if str(kind) in ("string_view", "binary_view") or pa.types.is_fixed_size_binary(kind):
        return column.cast(pa.string() if str(kind) == "string_view" else pa.binary())
    return column


def encode_ids(column: "pa.Array") -> tuple["pa.DictionaryArray", dict[str, BoolArray]]:
    """Dictionary-encodes a column of ids, and finds the values that are no ids.

    Args:
        column: Text, bytes of UTF-8 text, or plain values.

    Returns:
        The encoded column, bytes as text; and bool[rows] for each reason why a value is no id.
    """
    import pyarrow as pa
    import pyarrow.compute

    encoded = column.dictionary_encode()
    values, wrong = encoded.dictionary, {}
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        texts = [_decoded(value) for value in values.to_pylist()]
        wrong["is {value}, not UTF-8 text"] = np.array([text is None for text in texts], dtype=np.bool_)
        values = pa.array(["?" if text is None else text for text in texts], pa.string())
        encoded = pa.DictionaryArray.from_arrays(encoded.indices, values)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        wrong[MISSING] = _mask(pa.compute.equal(values, ""))
        wrong["is {value}, which holds the character NUL"] = _mask(pa.compute.match_substring(values, "\0"))
    elif pa.types.is_floating(values.type):
        wrong[MISSING] = _mask(pa.compute.is_nan(values))
        wrong["is {value}, not an id"] = _mask(pa.compute.is_inf(values))
        numbers = values.to_numpy(zero_copy_only=False)
        wrong[INEXACT] = np.isfinite(numbers) & (np.abs(numbers) >= inexact_from(numbers.dtype))
    elif pa.types.is_boolean(values.type):
        wrong["is {value}, not an id"] = np.ones(len(values), dtype=np.bool_)
    rows = {reason: _rows(encoded, entries) for reason, entries in wrong.items() if entries.any()}
    if encoded.null_count:
        nulls = _mask(encoded.indices.is_null())
        rows[MISSING] = rows.get(MISSING, nulls) | nulls
    return encoded, rows


def rows_of_names(users: "pa.DictionaryArray", items: "pa.DictionaryArray", names: frozenset[str]) -> BoolArray | None:
    """Finds rows whose user and item are names of columns, as in a header among the rows.

    Args:
        users: The users of some rows, encoded.
        items: The items of these rows.
        names: Names of columns, in lower case.

    Returns:
        bool[rows]; None if there is no such row.
    """
    import pyarrow as pa
    import pyarrow.compute

    masks = []
    for column in (users, items):
        texts = pa.compute.utf8_lower(pa.compute.utf8_trim_whitespace(column.dictionary))
        entries = _mask(pa.compute.fill_null(pa.compute.is_in(texts, pa.array(sorted(names), texts.type)), False))
        if not entries.any():
            return None
        masks.append(_rows(column, entries))
    return masks[0] & masks[1]


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _mask(values: "pa.BooleanArray") -> BoolArray:
    mask: BoolArray = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)
    return mask


def _rows(encoded: "pa.DictionaryArray", entries: BoolArray) -> BoolArray:
    """Returns bool[rows], which rows have one of the marked entries of the dictionary."""
    codes = encoded.indices.fill_null(len(entries)).to_numpy(zero_copy_only=False)
    rows: BoolArray = np.append(entries, False)[codes]
    return rows
