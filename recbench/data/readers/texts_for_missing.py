"""Texts in a column of ids that programs write for a missing value, a list or an object."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from recbench.data.readers.id_columns import BoolArray
from recbench.data.readers.literals import NotALiteralError, parse_json, parse_python

if TYPE_CHECKING:
    import pyarrow as pa

MISSING_TEXTS: Final = frozenset(
    ["nan", "NaN", "NAN", "-nan", "inf", "-inf", "Infinity", "-Infinity", "NaT", "None", "null", "NULL", "<NA>", r"\N"]
)
"""Of Python, pandas, JSON, JavaScript and databases."""
NUMBER: Final = r"^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$"
BRACKETS: Final = re.compile(r"\s*[\[{(].*[\]})]\s*", re.DOTALL)
NO_ID: Final = "is {value}, which is not an id"
AMONG_NUMBERS: Final = "which stands for a missing value; the other ids are numbers"


@dataclass(frozen=True, slots=True)
class IdTexts:
    """What the texts of a column of ids look like.

    Attributes:
        no_ids: bool[rows], blank ones, lists and objects.
        missing: bool[rows], texts of ``MISSING_TEXTS``. Somebody may be called None, but not among numbers.
        n_numbers: Distinct texts that are numbers.
        n_names: Distinct texts that are none of these.
    """

    no_ids: BoolArray
    missing: BoolArray
    n_numbers: int
    n_names: int


def look_at_texts(ids: "pa.DictionaryArray") -> IdTexts | None:
    """Returns what the texts of a column look like; None if its values are no texts."""
    import pyarrow as pa
    import pyarrow.compute

    values = ids.dictionary
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    n_numbers = pa.compute.sum(pa.compute.match_substring_regex(values, NUMBER)).as_py() or 0
    if n_numbers == len(values):
        # The usual case; no text needs to be looked at in Python.
        return IdTexts(np.zeros(len(ids), np.bool_), np.zeros(len(ids), np.bool_), n_numbers, 0)
    texts = values.fill_null("?").to_pylist()
    codes = ids.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    no_ids, missing = (
        np.array([*map(of_kind, texts), False], dtype=np.bool_) for of_kind in (is_no_id, MISSING_TEXTS.__contains__)
    )
    n_names = len(texts) - n_numbers - int(no_ids.sum()) - int(missing.sum())
    return IdTexts(no_ids[codes], missing[codes], n_numbers, n_names)


def stands_for_no_id(text: str) -> bool:
    """Whether the text of an id is blank, or what programs write for a missing value, a list or an object."""
    return text in MISSING_TEXTS or is_no_id(text)


def is_no_id(text: str) -> bool:
    """Whether a text is blank, a list or an object."""
    return not text.strip() or _is_container(text)


def _is_container(text: str) -> bool:
    """Whether the text is a list, a tuple, a set or an object, of JSON or Python; ``[deleted]`` is none."""
    if not BRACKETS.fullmatch(text):
        return False
    for parse in (parse_json, parse_python):
        try:
            return isinstance(parse(text.strip()), list | dict | tuple | set)
        except NotALiteralError:
            continue
    return False
