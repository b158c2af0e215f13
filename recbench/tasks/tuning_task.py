"""The task that a tuning sees: validation cases instead of the test cases, which are not in it at all.

A process that has this task, as an object or as a file, cannot read a test case: neither its item nor its candidates
nor its time. One trace of them remains: a user's validation negatives contain no item of the user's test cases.
"""

import numpy as np

from recbench.errors import RecbenchError
from recbench.tasks.spec import NAME_LENGTH, PublishedNegatives
from recbench.tasks.task import Cases, Task
from recbench.tasks.uniformity import record_uniformity
from recbench.tasks.verification_cache import verify_once

SUFFIX = "-validation"


def tuning_task(task: Task) -> Task:
    """Returns a task whose train rows are those of ``task.train_set_for_validation()``, and its cases the validation's.

    It has no validation cases of its own, and other bytes than ``task``, so another digest. It is verified here,
    because every trial would fail with the same error.

    Raises:
        RecbenchError: ``task`` has no validation case, or no train row besides them; or the result breaks a rule.
    """
    rows = task.rows_without_validation()
    if not len(task.validation) or not len(rows):
        lacking = "row to train on besides its validation cases"
        lacking = lacking if len(task.validation) else "validation case to tune on"
        raise RecbenchError(
            f"Task {task.name!r} has no {lacking}: no user has enough train rows.",
            "Tune on another task, and use its settings: recbench run --settings FILE.",
        )
    none = Cases(*(np.empty(shape, dtype=np.int32) for shape in (0, 0, (0, task.validation.negatives.shape[1]))))
    name = f"{task.name[: NAME_LENGTH - len(SUFFIX)]}{SUFFIX}"
    description = f"Validation cases of {task.name}; its test cases are not in it"
    negatives = task.spec.negatives
    if isinstance(negatives, PublishedNegatives):
        # What is known about the negatives of the test cases says nothing about those of validation.
        negatives = negatives.model_copy(update={"uniformity": None})
    changes = {"name": name, "description": description, "digest": None, "negatives": negatives}
    tuned = Task(
        task.spec.model_copy(update=changes),
        task.user_ids,
        task.item_ids,
        rows,
        task.validation,
        np.empty(0, dtype=np.int64),
        none,
        task.n_duplicates,
    )
    verify_once(tuned)
    return record_uniformity(tuned)
