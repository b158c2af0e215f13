"""What a sampled metric says about the full ranking, in one line."""

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
        return f"HR@{k} among {m} negatives is 1 for every model. Use --full to rank all items."
    if not task["uniform_negatives"]:
        return (
            f"The negatives were not drawn uniformly: HR@{k} among them does not estimate the full ranking of the "
            f"{task['n_items']:,} items, and no correction exists. Use --full for the exact value."
        )
    rank = even_chance_rank(k, n, m)
    return (
        f"HR@{k} among {m} negatives is a sampled metric, roughly comparable to HR@{rank:,} in the full ranking: of "
        f"the {task['n_items']:,} items, {n:,} are ranked in a case on average, those that its user has not interacted "
        "with. Use --full for the exact value."
    )
