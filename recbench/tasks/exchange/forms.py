"""Closed vocabularies of the command line; imports nothing, so that ``--help`` answers at once."""

from enum import StrEnum


class ExportForm(StrEnum):
    """What the files of an export are made of."""

    CSV = "csv"
    PARQUET = "parquet"
    RECBOLE = "recbole"
    """Atomic files for RecBole's ``benchmark_filename: [train, valid, test]``; the rest beside them as CSV."""
    NCF = "ncf"
    """The files of the NCF paper: dense numbers, no validation."""


class NegativesMethod(StrEnum):
    """How negatives are drawn."""

    UNIFORM = "uniform"
    POPULARITY = "popularity"
