"""What the picture of quality against speed can show."""

from enum import StrEnum


class Cost(StrEnum):
    """What stands on the level axis."""

    THROUGHPUT = "throughput"
    FIT_SECONDS = "fit-seconds"
