"""What a sampled metric says about the whole catalogue, in one line."""

from collections.abc import Mapping, Sequence
from typing import Any

from recbench.evaluation.correction import even_chance_rank


def caution(task: Mapping[str, Any], ks: Sequence[int]) -> str:
    """Returns the line that stands under every sampled table.

    Args:
        task: ``Task.summary()``.
        ks: Cut-offs of the table; the line speaks of HR@10, or else of the first.
    """
    k = 10 if 10 in ks else ks[0]
    n, m = round(task["mean_catalogue_size"]), task["n_negatives"]
    if n <= m + 1:
        return "The candidates of a case are all items that its user has not interacted with."
    if k > m:
        return f"HR@{k} among {m} negatives is 1 for any model, and tells nothing. --full ranks all items."
    if not task["uniform_negatives"]:
        return (
            f"The negatives were not drawn uniformly: HR@{k} among them cannot be converted to the catalogue of {n:,} "
            "items, and no correction exists. --full ranks all of it."
        )
    return (
        f"HR@{k} among {m} negatives is a sampled metric: a case is as likely a hit as not at rank "
        f"{even_chance_rank(k, n, m):,} of {n:,} in the whole catalogue, so read it as about HR@"
        f"{even_chance_rank(k, n, m)} there. --full ranks all of it."
    )
