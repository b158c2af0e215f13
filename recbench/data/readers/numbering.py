"""Ids of several parts of a table, in one numbering."""

from typing import TYPE_CHECKING

import numpy as np

from recbench.data.ids import IdTable
from recbench.data.plain_values import plain_values
from recbench.protocol import Int32Array

if TYPE_CHECKING:
    import pyarrow as pa


def encoded(chunks: list["pa.DictionaryArray"]) -> tuple[Int32Array, IdTable]:
    """Returns codes and ids of parts that have a dictionary each, in one numbering; empties the list."""
    import pyarrow as pa

    if len({part.type for part in chunks}) > 1:
        # The type of the ids may change: between the parts of a table, or where a text follows whole numbers in JSON.
        chunks[:] = [_with_texts(part) for part in chunks]
    whole = pa.chunked_array(chunks).unify_dictionaries()
    chunks.clear()
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in whole.chunks])
    ids = plain_values(whole.chunk(0).dictionary)
    texts = [value if isinstance(value, str) else str(value) for value in ids]
    if len(set(texts)) == len(texts):
        return codes, IdTable.from_strings(texts)
    # Values that differ and read the same, such as the bytes and the text of an id.
    index = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return np.array([index[text] for text in texts], dtype=np.int32)[codes], IdTable.from_strings(index)


def _with_texts(part: "pa.DictionaryArray") -> "pa.DictionaryArray":
    """Returns a part whose dictionary holds the texts of its values, each once."""
    import pyarrow as pa

    texts = pa.array([str(value) for value in plain_values(part.dictionary)], pa.string())
    return pa.DictionaryArray.from_arrays(part.indices, texts).dictionary_decode().dictionary_encode()
