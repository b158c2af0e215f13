"""Trains commits in work trees, and keeps the records of each commit in a folder of its own."""

import shutil
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from recbench.data.cache import atomic_path
from recbench.errors import RecbenchError
from recbench.experiments.execution import Execution
from recbench.experiments.own_environments import InstallationError, own_environment
from recbench.experiments.revision_runs import RevisionRequest, RevisionRun, run_revision, runs_own_recbench
from recbench.experiments.task_source import task_source
from recbench.experiments.tree_programs import RefusedError
from recbench.git_history import SHORT
from recbench.git_work_trees import WorkTreeError, work_tree
from recbench.path_checks import check_no_file_above
from recbench.progress.console import animated
from recbench.records.store import OTHER_FOLDER, RECORDS
from recbench.tasks.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitTrials:
    """How commits are trained.

    Attributes:
        task: The task: the same for all commits.
        request: What to train; ``seeds`` and ``models`` are given for each commit.
        output: Folder of the records.
        own_environments: Whether each commit is installed in an environment of its own.
        stop: Ends the trials when it is set.
    """

    task: Task
    request: RevisionRequest
    output: Path
    own_environments: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    def train(self, commit: str, models: Sequence[str], seeds: range, like: Sequence[str] = ()) -> RevisionRun:
        """Trains models with the code of a commit, as far as their records are not there.

        A trial of another commit counts if its model's code, hyper-parameters and task are the same, as in
        ``recbench run``.

        Args:
            commit: The commit.
            models: The models.
            seeds: The seeds.
            like: Commits whose records may be of the same code, the nearest first.

        Raises:
            StoppedError: The trials were stopped.
            GitError: Git cannot be run.
        """
        request = replace(self.request, models=models, seeds=seeds)
        folder = self.folder(commit)
        with ExitStack() as stack:
            try:
                tree = stack.enter_context(work_tree(commit))
                python = stack.enter_context(own_environment(tree)) if self.own_environments else sys.executable
                # The version of a model's code covers neither the harness of another commit nor its packages.
                if not self.own_environments and not runs_own_recbench(tree):
                    self._copy_records(like, folder)
            except (WorkTreeError, InstallationError) as error:
                return RevisionRun(problems=dict.fromkeys(models, error.message))
            except RefusedError as refused:
                return RevisionRun(problems=dict.fromkeys(models, refused.why))
            return run_revision(tree, request, folder, python, self.stop)

    def folder(self, commit: str) -> Path:
        """Returns the folder of a commit's records."""
        return self.output / commit[:SHORT]

    def _copy_records(self, like: Sequence[str], folder: Path) -> None:
        """Copies the records of the nearest commits, so that the run keeps those of the same code."""
        for source in map(self.folder, like):
            for record in source.glob(RECORDS):
                if not (folder / record.name).exists():
                    # The record last: a copy that is killed before it leaves no record without its ranks.
                    for file in sorted(source.glob(f"{record.stem}.*"), key=lambda file: file == record):
                        with atomic_path(folder / file.name) as temporary:
                            shutil.copyfile(file, temporary)


def commit_trials(
    task: str, execution: Execution, output: Path, *, own_environments: bool = False, full: bool = False
) -> CommitTrials:
    """Returns how commits are trained on a task.

    Args:
        task: The name of a task, or a spec file of the present work tree.
        execution: Where and within which limits; one trial at a time in each commit.
        output: Folder of the records.
        own_environments: Whether each commit is installed in an environment of its own.
        full: Whether to rank each case's item in the full ranking too.

    Raises:
        RecbenchError: There is no such task, or the options contradict each other.
    """
    execution.check()
    check_no_file_above(output, OTHER_FOLDER)
    loaded = task_source(task, progressbar=animated()).task
    # A work tree may have another version of the file.
    name = str(Path(task).absolute()) if Path(task).is_file() else task
    options = ["--threads", str(execution.threads), "--device", execution.device]
    for option, value in (
        ("--timeout", execution.timeout),
        ("--max-memory", execution.max_memory),
        ("--cluster", execution.cluster),
    ):
        options += [] if value is None else [option, str(value)]
    request = RevisionRequest(
        models=(), task=name, digest=loaded.digest, seeds=range(0), options=(*options, *(["--full"] if full else []))
    )
    return CommitTrials(task=loaded, request=request, output=output, own_environments=own_environments)


def check_models(models: Sequence[str]) -> None:
    """Checks that models are named, each once.

    Raises:
        RecbenchError: None is, or one is named twice.
    """
    twice = [model for model in models if models.count(model) > 1]
    if not models or twice:
        raise RecbenchError(
            f"The model {twice[0]!r} is given twice." if twice else "There is no model to train.",
            "For example: --models popularity,bpr",
        )
