"""What a sampled metric says about the full ranking, in one line."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from recbench.evaluation.correction import even_chance_rank
from recbench.tasks.spec import Uniformity
from recbench.tasks.uniformity import contradiction


def caution(task: Mapping[str, Any], ks: Sequence[int], full_ks: Collection[int]) -> str:
    """Returns the line that stands under every sampled table.

    Args:
        task: ``Task.summary()``.
        ks: Cut-offs of the table; the line speaks of HR@10, or else of the first.
        full_ks: Those of the table's metrics of the full ranking.
    """
    k = 10 if 10 in ks else ks[0]
    n, m = round(task["mean_catalogue_size"]), task["n_negatives"]
    if n <= m + 1:
        return "The candidates of a case are all items that its user has not interacted with."
    if k > m:
        exact = "" if full_ks else " Use --full to rank all items."
        return f"HR@{k} among {m} negatives is 1 for every model.{exact}"
    exact = f"The exact value is full HR@{k}." if k in full_ks else "Use --full for the exact value."
    doubt = contradiction(Uniformity.model_validate(task["uniformity"]))
    return f"{_of_draws(task, k, n, m, exact)} {doubt or ''}".rstrip()


def _of_draws(task: Mapping[str, Any], k: int, n: int, m: int, exact: str) -> str:
    """Returns what the way in which negatives were drawn means for HR@k among m negatives and n items in all.

    Args:
        task: ``Task.summary()``.
        k: The cut-off.
        n: Items of the full ranking.
        m: Negatives.
        exact: Where the exact value is.
    """
    if task["uniform_negatives"] is None:
        return (
            f"It is not known whether the negatives were drawn uniformly: HR@{k} among them may not estimate the full "
            f"ranking of the {task['n_items']:,} items, and is not corrected. {exact} If you "
            "know the answer, declare it when you import the task: --uniform-negatives yes|no."
        )
    if not task["uniform_negatives"]:
        return (
            f"The negatives were not drawn uniformly: HR@{k} among them does not estimate the full ranking of the "
            f"{task['n_items']:,} items, and no correction exists. {exact}"
        )
    rank = even_chance_rank(k, n, m)
    return (
        f"HR@{k} among {m} negatives is a sampled metric, roughly comparable to HR@{rank:,} in the full ranking: of "
        f"the {task['n_items']:,} items, {n:,} are ranked in a case on average, those that its user has not interacted "
        f"with. {exact}"
    )
