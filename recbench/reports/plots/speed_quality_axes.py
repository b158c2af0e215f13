"""What the picture of quality against speed can show."""

from enum import StrEnum


class Quality(StrEnum):
    """What stands on the upright axis."""

    HR = "hr@10"
    NDCG = "ndcg@10"


class Cost(StrEnum):
    """What stands on the level axis."""

    THROUGHPUT = "throughput"
    FIT_SECONDS = "fit-seconds"
