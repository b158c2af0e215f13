"""Trials with the code of another commit: ``recbench run`` in the work tree of that commit, in a process of its own.

If the repository is recbench's own, the recbench of that commit runs; otherwise the recbench of this process, with the
modules of the commit. The records are read by this process.
"""

import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import recbench
from recbench.errors import RecbenchError
from recbench.git_commands import OF_WORK_TREE
from recbench.git_history import SHORT
from recbench.git_work_trees import WorkTree
from recbench.operating_system import ProcessTree
from recbench.protocol import PROTOCOL_VERSION
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Status
from recbench.records.store import finished_trial, load

# The process runs the recbench of the given file, whatever else on the module search path has that name.
_START: Final = """
import importlib.util, runpy, sys
own = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location("recbench", own)
sys.modules["recbench"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["recbench"])
runpy.run_module("recbench", run_name="__main__", alter_sys=True)
"""

SECONDS_BETWEEN_LOOKS: Final = 0.05
BAD_INPUT: Final = 2
_ERROR: Final = re.compile(r"^Error: ", re.MULTILINE)
MOST_LINES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRequest:
    """What to train with the code of a commit.

    Attributes:
        models: The models as a command line names them.
        task: A name of a task, or the absolute path of a spec file: all commits are trained on the same task.
        digest: The digest of this task.
        seeds: The seeds.
        options: Further options of ``recbench run``, such as ``("--threads", "2")``.
    """

    models: Sequence[str]
    task: str
    digest: str
    seeds: range
    options: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RevisionRun:
    """What the code of a commit gave.

    Attributes:
        trials: The trials that are done.
        problems: Why others are not, by model.
        seconds: How long it took.
    """

    trials: tuple[FinishedTrial, ...]
    problems: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class StoppedError(Exception):
    """The run was stopped from outside."""


def run_revision(
    tree: WorkTree,
    request: RevisionRequest,
    output: Path,
    python: str = sys.executable,
    stop: threading.Event | None = None,
) -> RevisionRun:
    """Runs trials with the code in a work tree. Trials whose records are in the output folder are not run again.

    A commit may lack one of the models: the others are run all the same.

    Args:
        tree: The work tree.
        request: What to run.
        output: Folder of the records.
        python: The Python of the environment in which they run.
        stop: Ends the run when it is set.

    Raises:
        StoppedError: ``stop`` was set.
    """
    began = time.monotonic()
    output = output.absolute()
    try:
        trials, problems = _run(tree, request, request.models, output, python, stop)
    except _RefusedError as refused:
        if len(request.models) == 1:
            trials, problems = [], {request.models[0]: refused.why}
        else:
            trials, problems = [], {}
            for model in request.models:
                try:
                    more, failed = _run(tree, request, [model], output, python, stop)
                except _RefusedError as alone:
                    more, failed = [], {model: alone.why}
                trials += more
                problems |= failed
    return RevisionRun(tuple(trials), problems, time.monotonic() - began)


class _RefusedError(Exception):
    """recbench has refused the request.

    Args:
        why: Its error.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _run(
    tree: WorkTree,
    request: RevisionRequest,
    models: Sequence[str],
    output: Path,
    python: str,
    stop: threading.Event | None,
) -> tuple[list[FinishedTrial], dict[str, str]]:
    seeds = request.seeds
    arguments = [
        *("run", "--task", request.task, "--seeds", str(len(seeds)), "--seed", str(seeds.start)),
        *(word for model in models for word in ("--models", model)),
        *("--output", str(output), "--quiet", "--json", *request.options),
    ]
    code, out, err = _call([python, "-u", "-P", "-c", _START, str(_own_recbench(tree)), *arguments], tree, stop)
    try:
        results = json.loads(out)["results"]
        named = [(result["model"], place) for result in results for place in result["records"]]
    except (ValueError, KeyError, TypeError):
        raise _RefusedError(_reason(err, code)) from None
    trials, problems = [], {}
    for model, place in named:
        try:
            trial = finished_trial(load(Path(place)), Path(place))
        except RecbenchError as error:
            problems[model] = f"its record cannot be read: {error.message}"
            continue
        why = _unusable(trial, request, tree)
        if why is None:
            trials.append(trial)
        else:
            problems[model] = why
    return trials, problems


def _own_recbench(tree: WorkTree) -> Path:
    """Returns the file of the recbench that runs in a work tree.

    Raises:
        _RefusedError: The repository is recbench's own, and the commit has none.
    """
    own = Path(recbench.__file__).resolve()
    in_tree = tree.in_tree(own)
    if in_tree is None:
        return own
    if not in_tree.is_file():
        raise _RefusedError(f"the commit has no {in_tree.relative_to(tree.root)}")
    return in_tree


def _call(command: Sequence[str], tree: WorkTree, stop: threading.Event | None) -> tuple[int, str, str]:
    """Runs a command in a work tree; returns its exit code and what it printed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = ProcessTree(command, _environment(tree), cwd=tree.working_folder, stdout=out, stderr=err)
        try:
            while not process.has_ended():
                if stop is not None and stop.is_set():
                    raise StoppedError
                time.sleep(SECONDS_BETWEEN_LOOKS)
        finally:
            code = process.kill()
        return code, _text(out), _text(err)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _environment(tree: WorkTree) -> dict[str, str]:
    """Returns the environment of a process that looks for modules in the work tree first.

    What this process finds in the user's work tree, such as a folder ``src`` of an editable install, is looked for in
    the work tree of the commit.
    """
    kept = {name: value for name, value in os.environ.items() if name not in OF_WORK_TREE}
    here = [Path(entry or ".") for entry in sys.path]
    folders = [tree.working_folder, tree.root, tree.root / "src"]
    folders += [place for entry in here if (place := tree.in_tree(entry)) is not None]
    before = [one for one in kept.get("PYTHONPATH", "").split(os.pathsep) if one and tree.in_tree(Path(one)) is None]
    present = dict.fromkeys(str(folder) for folder in folders if folder.is_dir())
    return {**kept, "PYTHONPATH": os.pathsep.join([*present, *before])}


def _reason(err: str, code: int) -> str:
    """Returns the error that recbench has printed, in one line; or else the last lines."""
    parts = _ERROR.split(err)
    if len(parts) > 1:
        return " ".join(parts[-1].split())
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    return " / ".join(lines[-MOST_LINES:]) or f"recbench ended with exit code {code}"


def _unusable(trial: FinishedTrial, request: RevisionRequest, tree: WorkTree) -> str | None:
    """Returns why a trial cannot stand for a commit; None if it can."""
    record = trial.record
    if record.status is not Status.DONE:
        return f"seed {record.seed} {record.status}: {record.error or 'no reason is known'}"
    if record.protocol_version != PROTOCOL_VERSION:
        return (
            f"the commit uses protocol version {record.protocol_version}, and this recbench compares version "
            f"{PROTOCOL_VERSION}"
        )
    if record.task.digest != request.digest:
        return f"the commit makes another task of the name {record.task.name}: {record.task.digest[:19]}"
    if record.revision is not None and record.revision.dirty:
        reasons = "; ".join(record.revision.reasons or ("files were changed while it ran",))
        return f"its code is not that of {tree.commit[:SHORT]}: {reasons}"
    return None
