"""The spec of a task in a form that another folder, or another machine, can build."""

from pathlib import Path

from recbench.tasks.named_specs import builtin_specs, spec_text
from recbench.tasks.spec import FileData
from recbench.tasks.task import Task


def portable_spec(task: Task) -> str | None:
    """Returns the spec as TOML with the task's digest; None for a builtin task, whose name is enough.

    The path of a ratings file is relative to the working folder. Of a file elsewhere only the name is kept, because a
    record must not say where its author keeps files.
    """
    builtin = builtin_specs().get(task.name)
    if builtin is not None and builtin.digest == task.digest:
        return None
    spec = task.spec.model_copy(update={"digest": task.digest})
    if isinstance(spec.dataset, FileData):
        path = _relative(spec.dataset.path)
        spec = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"path": path})})
    return spec_text(spec, pinned=True)


def _relative(path: Path) -> Path:
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return Path(path.name)
