"""A cache of the tasks that passed all checks on this machine, by their digest.

The rules of a task are a function of what its digest covers, and the digest is computed over every byte each time that
a task is loaded. A file's name, size or time play no part.
"""

import logging
from pathlib import Path

from recbench.data.cache import home
from recbench.data.file_use import record_use
from recbench.tasks.task import Task
from recbench.tasks.verify import RULES, check_digest, verify

log = logging.getLogger(__name__)


def verify_and_cache(task: Task) -> None:
    """Checks every rule, and stores in the cache that the task passed.

    Raises:
        RecbenchError: A rule is broken.
    """
    verify(task)
    passed = _mark(task)
    try:
        passed.parent.mkdir(parents=True, exist_ok=True)
        passed.touch()
    except OSError as error:
        log.debug("The cache cannot store the result of the check of %s: %s", task.name, error)


def verify_once(task: Task) -> None:
    """Checks every rule, unless a task of this digest has passed the same checks before.

    Raises:
        RecbenchError: A rule is broken, or the digest is not the one that the spec pins.
    """
    mark = _mark(task)
    if mark.exists():
        check_digest(task)
        record_use(mark)
    else:
        verify_and_cache(task)


def _mark(task: Task) -> Path:
    return home() / "tasks" / "checked" / f"{task.digest.removeprefix('sha256:')}-{RULES}"
