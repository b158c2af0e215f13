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


class TooFew(StrEnum):
    """What to do with users who have fewer items without an interaction than a case needs negatives."""

    LEAVE_OUT = "leave-out"
    """Leave out such users with all their rows."""
    FEWER = "fewer"
    """Take all items that the user has not interacted with; leave out users who have none."""
