"""A trial without training: what another program scored, ranked and recorded like any model."""

import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import recbench
from recbench.data.published_files import checksum
from recbench.evaluation.ranking import rank_cases
from recbench.protocol import PROTOCOL_VERSION
from recbench.records.finished_trial import TrialRanks
from recbench.records.schema import Record, Status, TaskIdentity
from recbench.tasks.task import Task
from recbench.trials import figures, machine
from recbench.trials.file_scores import FileScores


def score_trial(
    task: Task, scores: FileScores, path: Path, name: str, seed: int, ks: tuple[int, ...]
) -> tuple[Record, TrialRanks]:
    """Ranks a task's test cases by the scores of a file.

    Args:
        task: The task.
        scores: What ``path`` holds.
        path: The file; its name and checksum stand in the record.
        name: What to call the model.
        seed: The seed that it was trained with, where several of its runs are to be compared.
        ks: Cut-offs of the metrics.
    """
    began, started_at = time.perf_counter(), datetime.now(UTC)
    ranks = rank_cases(scores, task.test)
    seconds = time.perf_counter() - began
    record = Record(
        task=TaskIdentity(name=task.name, digest=task.digest),
        protocol_version=PROTOCOL_VERSION,
        model=name,
        reference="scores of a file",
        parameters={},
        seed=seed,
        threads=1,
        device="cpu",
        status=Status.DONE,
        n_cases=len(task.test),
        n_users=len(np.unique(task.test.users)),
        n_train=task.n_train,
        score_seconds=seconds,
        repeatable=True,
        facts={"file": path.name, "file_sha256": checksum(path, "sha256")},
        environment=machine.environment(),
        revision=machine.revision(),
        recbench_version=recbench.__version__,
        started_at=started_at,
        **figures.of_candidates(task, task.train_set(), ranks, ks),
    )
    return record, TrialRanks(ranks)
