"""The spec of a task in a form that another folder, or another machine, can build."""

from pathlib import Path

from recbench.escaping.shell import shell_word
from recbench.tasks.named_specs import builtin_specs, spec_text
from recbench.tasks.spec import FileData, FrameData, PublishedData, TaskSpec
from recbench.tasks.task import Task


def portable_spec(task: Task) -> str | None:
    """Returns the spec as TOML with the task's digest; None for a builtin task, whose name is enough."""
    builtin = builtin_specs().get(task.name)
    if builtin is not None and builtin.digest == task.digest:
        return None
    return spec_text(_portable(task.spec.model_copy(update={"digest": task.digest})), pinned=True)


def spec_to_share(spec: TaskSpec) -> str:
    """Returns a spec as TOML with its digest, if it has one; comments say what to change before another use.

    The spec of a builtin task is one to start from: it comes without digest, and with another rule it is another task.
    """
    if builtin_specs().get(spec.name) == spec:
        return spec_text(spec, pinned=False)
    comments = []
    if isinstance(spec.dataset, FrameData | PublishedData):
        comments += [
            "recbench cannot build this task from its spec. To share the task:",
            f"recbench task export {shell_word(spec.name)} -o FOLDER",
        ]
    if spec.digest is not None:
        comments.append("Remove the line that begins with digest before you change the data or the rules.")
    if isinstance(spec.dataset, FileData):
        comments.append("The path of the ratings file counts from the folder of this spec.")
    return "".join(f"# {line}\n" for line in comments) + spec_text(_portable(spec), pinned=True)


def _portable(spec: TaskSpec) -> TaskSpec:
    """Returns the spec with a path of its ratings file that is relative to the working folder.

    Of a file elsewhere only the name is kept, because a record must not say where its author keeps files.
    """
    if not isinstance(spec.dataset, FileData):
        return spec
    path = spec.dataset.path
    try:
        path = path.relative_to(Path.cwd())
    except ValueError:
        path = Path(path.name)
    return spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"path": path})})
