"""What the picture of quality against speed can show."""

from recbench.named_choice import NamedChoice


class Cost(NamedChoice):
    """What stands on the level axis."""

    THROUGHPUT = "throughput"
    FIT_SECONDS = "fit-seconds"
