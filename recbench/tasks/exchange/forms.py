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


class Order(StrEnum):
    """What "last" means in a split."""

    FILE = "file"
    """The order of the lines."""
    TIMESTAMP = "timestamp"
    """The order in time. Rows with equal times: in datasets of the catalogue and synthetic ones, the order of the
    file; in files and DataFrames of the user's own, an order that does not depend on that of the lines."""
    RANDOM = "random"
    """Drawn with the split's seed; it does not depend on the order of the lines."""


class UniformNegatives(StrEnum):
    """Whether the negatives of the test cases were drawn uniformly from the items that the user did not interact with.

    Only then does a sampled metric estimate the full ranking.
    """

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
