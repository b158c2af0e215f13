"""Cut-offs of metrics: whole numbers from 1 up, and none beyond the list that it cuts."""

from collections.abc import Iterable

from recbench.errors import RecbenchError
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.tasks.task import Task


def check_cut_offs(ks: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the cut-offs.

    Raises:
        RecbenchError: There is none, or one is below 1.
    """
    if not ks or min(ks) < 1:
        raise RecbenchError("Cut-offs are whole numbers from 1 up.", "For example: --k 5,10,20")
    return ks


def check_lists(task: Task, ks: Iterable[int], measures: Iterable[Measure] | None, *, full: bool) -> None:
    """Checks that no cut-off is beyond the lists of a task.

    Args:
        task: The task.
        ks: Cut-offs of HR and NDCG among the candidates.
        measures: Other metrics, among the candidates or in the full ranking.
        full: Whether there is a full ranking.

    Raises:
        RecbenchError: A cut-off is beyond the candidates, or, for other metrics with a full ranking, the items.
    """
    most = task.summary()["n_negatives"] + 1
    if (largest := max(ks, default=0)) > most:
        raise RecbenchError(f"--k {largest} is more than the {most} candidates of a case.", "Use smaller cut-offs.")
    for measure in measures or ():
        all_items = full or measure.ranking is Ranking.FULL
        if measure.k is not None and measure.k > (task.n_items if all_items else most):
            raise RecbenchError(
                f"{measure.name}: the cut-off is more than the {task.n_items if all_items else most} "
                f"{'items of the catalogue' if all_items else 'candidates of a case'}.",
                "Use a smaller cut-off." if all_items else "Use a smaller cut-off, or rank all items too: --full",
            )
