"""Parquet files to batches of columns."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recbench.data.readers.id_columns import plain_column
from recbench.data.readers.layout import Layout, choose_columns
from recbench.data.readers.open_tables import Batch
from recbench.errors import RecbenchError

ROWS_AT_ONCE = 2**20


def parquet_columns(path: Path, layout: Layout) -> dict[str, str]:
    """Returns the column of each role.

    Raises:
        RecbenchError: It is not Parquet, has no user or item, or a column does not hold plain values.
    """
    import pyarrow as pa

    with _readable(path):
        schema = pa.parquet.read_schema(path)
    chosen = choose_columns(path, schema.names, layout)
    for role, name in chosen.items():
        if pa.types.is_nested(schema.field(name).type):
            raise RecbenchError(
                f"{path}: the {role} column {name!r} holds {schema.field(name).type}.",
                "Give a column of plain values.",
            )
    return chosen


def read_parquet(path: Path, chosen: dict[str, str]) -> Iterator[Batch]:
    """Yields the columns as they are typed.

    Raises:
        RecbenchError: It is not Parquet.
    """
    import pyarrow.parquet

    with _readable(path), pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=list(dict.fromkeys(chosen.values()))):
            yield {role: plain_column(batch.column(name)) for role, name in chosen.items()}


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        yield
    except pa.ArrowException as error:
        raise RecbenchError(
            f"{path} is not a Parquet file that can be read: {str(error).rstrip('.')}.",
            "It may be truncated: copy or download it again.",
        ) from error
