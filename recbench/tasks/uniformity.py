"""Whether the negatives of a task are uniform: known, declared, or decided by a test of the negatives themselves."""

import logging
from dataclasses import replace

import numpy as np

from recbench.tasks.draw_statistics import DrawStatistics, examine_draws
from recbench.tasks.exchange.forms import UniformNegatives
from recbench.tasks.spec import PublishedNegatives, Uniformity
from recbench.tasks.task import Task

log = logging.getLogger(__name__)

REJECTED = 0.001
"""Below this p, a distribution is rejected."""
PLAUSIBLE = 0.01
"""From this p on, a distribution is plausible. Between the two levels the test decides nothing."""
LEAST_NEGATIVES = 1_000
"""With fewer negatives, draws by a small power of popularity are often plausible as uniform draws too."""
COLUMNS = ("users", "items")


def uniformity_of(task: Task) -> Uniformity:
    """Returns what is known about the negatives of the test cases. Published negatives without an answer are tested."""
    negatives = task.spec.negatives
    if not isinstance(negatives, PublishedNegatives):
        uniform = UniformNegatives.YES if negatives.method == "uniform" else UniformNegatives.NO
        return Uniformity(uniform=uniform, source="drawn")
    return negatives.uniformity or judge(task)


def judge(task: Task, declared: UniformNegatives | None = None) -> Uniformity:
    """Tests the negatives of the test cases.

    Args:
        task: The task.
        declared: What the user says; it takes precedence, and the test is recorded beside it.
    """
    users, items = (np.concatenate([getattr(part, column) for part in (task, task.test)]) for column in COLUMNS)
    statistics = examine_draws(users, items, task.test, task.n_users, task.n_items)
    tested = _decision(statistics)
    return Uniformity(
        uniform=tested if declared is None else declared,
        source="tested" if declared is None else "declared",
        tested=tested,
        p_uniform=None if statistics is None else statistics.p_uniform,
        p_popularity=None if statistics is None else statistics.p_popularity,
    )


def _decision(statistics: DrawStatistics | None) -> UniformNegatives:
    """Decides by two tests.

    Uniform negatives are called uniform in 99 % of the cases and not uniform in 0.1 %, as the levels say. Negatives are
    only called uniform if there are enough of them to reject draws by popularity.
    """
    if statistics is None:
        return UniformNegatives.UNKNOWN
    if statistics.p_uniform < REJECTED:
        return UniformNegatives.NO
    clear = (
        statistics.p_uniform >= PLAUSIBLE
        and statistics.p_popularity < REJECTED
        and statistics.n_negatives >= LEAST_NEGATIVES
    )
    return UniformNegatives.YES if clear else UniformNegatives.UNKNOWN


def record_uniformity(task: Task) -> Task:
    """Returns the task with the answer in its spec, and warns if the negatives contradict what the user declared.

    Args:
        task: A task whose spec may hold what the user declared. An answer of an earlier test is not trusted.
    """
    negatives = task.spec.negatives
    if not isinstance(negatives, PublishedNegatives):
        return task
    given = negatives.uniformity
    declared = given.uniform if given is not None and given.source == "declared" else None
    uniformity = judge(task, declared)
    if (warning := contradiction(uniformity)) is not None:
        log.warning("%s: %s Import the files again without the declaration to let the test decide.", task.name, warning)
    spec = task.spec.model_copy(update={"negatives": negatives.model_copy(update={"uniformity": uniformity})})
    return replace(task, spec=spec)


def contradiction(uniformity: Uniformity) -> str | None:
    """Returns how the test contradicts what the user declared; None if it does not, or nothing was declared."""
    answers = (uniformity.uniform, uniformity.tested)
    if uniformity.source != "declared" or uniformity.p_uniform is None or UniformNegatives.UNKNOWN in answers:
        return None
    if answers[0] is answers[1]:
        return None
    p_value_text = p_text(uniformity.p_uniform)
    if answers[0] is UniformNegatives.YES:
        return f"The negatives are declared as uniform, but a chi-square test rejects uniform draws ({p_value_text})."
    return f"The negatives are declared as not uniform, but a chi-square test finds them uniform ({p_value_text})."


def uniformity_text(uniformity: Uniformity) -> str:
    """Returns the answer, how recbench knows it, and what the test says."""
    answer = "not known" if uniformity.uniform is UniformNegatives.UNKNOWN else uniformity.uniform.value
    if uniformity.source == "drawn":
        return f"{answer} (recbench has drawn them)"
    if uniformity.p_uniform is None or uniformity.p_popularity is None:
        test = "too few negatives for a chi-square test"
    else:
        p_values = f"uniform {p_text(uniformity.p_uniform)}, by popularity {p_text(uniformity.p_popularity)}"
        test = f"chi-square test: {p_values}"
    return f"{answer} ({'declared; ' if uniformity.source == 'declared' else ''}{test})"


def p_text(p: float) -> str:
    """Returns p as texts show it.

    >>> p_text(0.5662), p_text(0.00021), p_text(0.0)
    ('p = 0.566', 'p = 0.0002', 'p < 1e-15')
    """
    if p < 1e-15:
        return "p < 1e-15"
    return f"p = {p:.3f}" if p >= 0.001 else f"p = {p:.1g}"
