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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
        by_model: The trials that are done, by model.
        problems: Why others are not, by model.
        seconds: How long it took.
    """

    by_model: Mapping[str, Sequence[FinishedTrial]] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def trials(self) -> tuple[FinishedTrial, ...]:
        """The trials of all models."""
        return tuple(trial for trials in self.by_model.values() for trial in trials)

    def n_trained(self, commit: str, since: datetime | None = None) -> int:
        """Returns how many trials ran with the files of a commit; the records of others are of the same code.

        Args:
            commit: The commit.
            since: Count only what was started at this time or later.
        """
        return sum(
            trial.record.revision is not None
            and trial.record.revision.sha == commit
            and (since is None or trial.record.started_at >= since)
            for trial in self.trials
        )


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
    by_model: dict[str, Sequence[FinishedTrial]] = {}
    problems: dict[str, str] = {}
    for model in request.models:
        try:
            found = _run(tree, request, model, output.absolute(), python, stop)
        except _RefusedError as refused:
            problems[model] = refused.why
            continue
        unusable = [why for one in found if (why := _unusable(one, request, tree)) is not None]
        if unusable:
            problems[model] = unusable[0]
        by_model[model] = [one for one in found if _unusable(one, request, tree) is None]
    return RevisionRun(by_model, problems, time.monotonic() - began)


class _RefusedError(Exception):
    """recbench has refused the request, or its records cannot be read.

    Args:
        why: The error.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _run(
    tree: WorkTree, request: RevisionRequest, model: str, output: Path, python: str, stop: threading.Event | None
) -> list[FinishedTrial]:
    """Runs one model: a commit may lack it, and the others are run all the same."""
    seeds = request.seeds
    arguments = [
        *("run", "--models", model, "--task", request.task, "--seeds", str(len(seeds)), "--seed", str(seeds.start)),
        *("--output", str(output), "--quiet", "--json", *request.options),
    ]
    code, out, err = _call([python, "-u", "-P", "-c", _START, str(_own_recbench(tree)), *arguments], tree, stop)
    try:
        places = [Path(place) for result in json.loads(out)["results"] for place in result["records"]]
    except (ValueError, KeyError, TypeError):
        raise _RefusedError(_reason(err, code)) from None
    try:
        return [finished_trial(load(place), place) for place in places]
    except RecbenchError as error:
        raise _RefusedError(f"its record cannot be read: {error.message}") from None


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


def runs_own_recbench(tree: WorkTree) -> bool:
    """Whether the repository is recbench's own, so that the recbench of the commit runs."""
    return tree.in_tree(Path(recbench.__file__)) is not None
