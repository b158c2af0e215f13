"""The names of tasks. Loads no numeric library, so that the completion of a shell answers at once."""

import os
import re
from importlib import resources

from recbench.data.cache import home

SUFFIX, OLD_SUFFIX, SPEC_SUFFIX = ".task", ".npz", ".toml"
REPLICA = re.compile(r"(?P<base>.+)@(?P<number>[0-9]{1,9})")
"""The name of a replica."""


def is_spec_file(name: str) -> bool:
    """Whether ``--task`` takes this for the path of a spec file, not for a name."""
    return name.endswith(SPEC_SUFFIX) or any(mark in name for mark in ("/", os.sep))


def builtin_task_names() -> list[str]:
    """Returns the names of the builtin tasks."""
    files = resources.files("recbench.tasks").joinpath("builtin").iterdir()
    return sorted(file.name.removesuffix(SPEC_SUFFIX) for file in files if file.name.endswith(SPEC_SUFFIX))


def own_task_names() -> list[str]:
    """Returns the names of the user's own tasks."""
    files = [path for path in (home() / "tasks" / "own").glob("*") if not path.name.startswith(".")]
    suffixes = (SUFFIX, OLD_SUFFIX, SPEC_SUFFIX)
    return sorted({path.name.removesuffix(path.suffix) for path in files if path.suffix in suffixes})


def task_names() -> list[str]:
    """Returns every name that ``--task`` takes."""
    return [*builtin_task_names(), *own_task_names()]
