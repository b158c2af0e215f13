"""Trials with the code of another commit: ``recbench run`` in the work tree of that commit, in a process of its own.

If the repository is recbench's own, the recbench of that commit runs; otherwise the recbench of this process, with the
modules of the commit. The records are read by this process.
"""

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.experiments.tree_programs import RefusedError, document_from_tree, own_recbench, protocol_version
from recbench.git_commands import git_output
from recbench.git_history import SHORT
from recbench.git_work_trees import WorkTree
from recbench.protocol import PROTOCOL_VERSION
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Status
from recbench.records.store import finished_trial, load
from recbench.registry.file_hashes import file_hash


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
            trials = _run(tree, request, model, output.absolute(), python, stop)
        except RefusedError as refused:
            problems[model] = refused.why
            continue
        unusable = [why for trial in trials if (why := _unusable(trial, request, tree)) is not None]
        if unusable:
            problems[model] = unusable[0]
        by_model[model] = [trial for trial in trials if _unusable(trial, request, tree) is None]
    return RevisionRun(by_model, problems, time.monotonic() - began)


def _run(
    tree: WorkTree, request: RevisionRequest, model: str, output: Path, python: str, stop: threading.Event | None
) -> list[FinishedTrial]:
    """Runs one model: a commit may lack it, and the others are run all the same."""
    seeds = request.seeds
    # Before any training, and because a record of another version may not be readable.
    version = protocol_version(tree)
    if version not in (None, PROTOCOL_VERSION):
        raise RefusedError(
            f"the commit uses protocol version {version}, and this recbench compares version {PROTOCOL_VERSION}"
        )
    arguments = [
        *("run", "--models", model, "--task", request.task, "--seeds", str(len(seeds)), "--seed", str(seeds.start)),
        *("--output", str(output), "--quiet", "--json", *request.options),
    ]

    def check_stop() -> None:
        if stop is not None and stop.is_set():
            raise StoppedError

    document = document_from_tree(tree, arguments, python, check_stop)
    try:
        paths = [Path(path) for result in document["results"] for path in result["records"]]
        return [finished_trial(load(path), path) for path in paths]
    except (KeyError, TypeError):
        raise RefusedError("its recbench prints a document in an unknown format") from None
    except RecbenchError as error:
        raise RefusedError(f"its record cannot be read: {error.message}") from None


def _unusable(trial: FinishedTrial, request: RevisionRequest, tree: WorkTree) -> str | None:
    """Returns why a trial cannot stand for a commit; None if it can."""
    record = trial.record
    if record.status is not Status.DONE:
        return f"seed {record.seed} {record.status}: {record.error or 'no reason is known'}"
    if record.task.digest != request.digest:
        return f"the commit makes another task of the name {record.task.name}: {record.task.digest[:19]}"
    if record.revision is not None and record.revision.dirty:
        reasons = "; ".join(record.revision.reasons or ("files were changed while it ran",))
        return f"its code is not that of {tree.commit[:SHORT]}: {reasons}"
    if (name := _installed_copy(trial, tree)) is not None:
        return (
            f"its code is not that of {tree.commit[:SHORT]}: an installed copy of {name} was imported; use "
            "--own-environments"
        )
    return None


def _installed_copy(trial: FinishedTrial, tree: WorkTree) -> str | None:
    """Returns a module that the commit has, and that the trial imported from elsewhere; None if there is none.

    A package of the project may also be installed. Its record names no file that is outside of the repository, for
    installed packages count as known by their version.
    """
    sources = trial.record.sources
    for name, content in {**sources.modules, **sources.late_modules}.items():
        own = [path for path in _files(tree) if path == name or path.endswith(f"/{name}")]
        if own and all(file_hash(str(tree.root / path)) != content for path in own):
            return name
    return None


@lru_cache(maxsize=8)
def _files(tree: WorkTree) -> tuple[str, ...]:
    """Returns the tracked files of a work tree, from its root."""
    listing = git_output("ls-tree", "-r", "-z", "--name-only", "--full-tree", tree.commit)
    return tuple(os.fsdecode(name) for name in listing.split(b"\0") if name)


def runs_own_recbench(tree: WorkTree) -> bool:
    """Whether the recbench of the commit runs, because the repository is recbench's own.

    Raises:
        RefusedError: The commit has none.
    """
    return own_recbench(tree).is_relative_to(tree.root)
