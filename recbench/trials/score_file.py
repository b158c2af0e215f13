"""A trial without training: what another program scored, ranked and recorded like any model."""

import time
from datetime import UTC, datetime

import recbench
from recbench.evaluation.new_cases import NewCases
from recbench.evaluation.ranking import rank_cases
from recbench.protocol import PROTOCOL_VERSION, Recommender
from recbench.records.finished_trial import TrialRanks
from recbench.records.schema import ParameterValue, Record, Status
from recbench.tasks.task import Task
from recbench.trials import figures, machine
from recbench.trials.identity import TaskFacts
from recbench.trials.revision import revision_fields


def score_trial(
    task: Task,
    scores: Recommender,
    source: str,
    facts: dict[str, ParameterValue],
    name: str,
    seed: int,
    ks: tuple[int, ...],
) -> tuple[Record, TrialRanks]:
    """Ranks a task's test cases by scores that were computed elsewhere.

    Args:
        task: The task.
        scores: Answers with the scores.
        source: Where the scores come from, in words; stands in the record in place of a class.
        facts: What else the record keeps about the source, such as the checksum of a file.
        name: What to call the model.
        seed: The seed that it was trained with, where several of its runs are to be compared.
        ks: Cut-offs of the metrics.
    """
    began, started_at = time.perf_counter(), datetime.now(UTC)
    ranks = rank_cases(scores, task.test)
    seconds = time.perf_counter() - began
    record = Record(
        **TaskFacts.of(task).fields,
        protocol_version=PROTOCOL_VERSION,
        model=name,
        reference=source,
        parameters={},
        seed=seed,
        threads=1,
        device="cpu",
        status=Status.DONE,
        score_seconds=seconds,
        repeatable=True,
        facts=facts,
        environment=machine.environment(),
        **revision_fields(),
        recbench_version=recbench.__version__,
        started_at=started_at,
        **figures.of_candidates(task, task.train_set(), ranks, ks),
    )
    return record, TrialRanks(ranks, new=NewCases.of(task))
