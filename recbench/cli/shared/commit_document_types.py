"""The types of the JSON documents of ``backfill`` and ``bisect``; the documentation has a JSON Schema of each."""

from typing_extensions import TypedDict

from recbench.cli.shared.document_types import Schema
from recbench.reports.document_types import Interval
from recbench.reports.run.document_types import TaskDocument


class FilledCommitDocument(TypedDict):
    """A commit that `backfill` added to the history.

    Attributes:
        commit: Its SHA.
        date: When it was committed, in ISO 8601.
        subject: First line of its message.
        state: `added`, `in the history` or `failed`.
        new_lines: Lines that the history gained.
        trained: Trials that ran; the others were kept from an earlier call.
        problems: What went wrong, by model.
        seconds: Wall time.
    """

    commit: str
    date: str
    subject: str
    state: str
    new_lines: int
    trained: int
    problems: dict[str, str]
    seconds: float


class BackfillDocument(TypedDict):
    """What `backfill --json` prints.

    Attributes:
        schema: Version of the document.
        task: The task.
        commits: The commits.
    """

    schema: Schema
    task: TaskDocument
    commits: list[FilledCommitDocument]


class PlannedCommitDocument(TypedDict):
    """A commit that `backfill` would train.

    Attributes:
        commit: Its SHA.
        date: When it was committed, in ISO 8601.
        models: Models that the history lacks at this commit.
    """

    commit: str
    date: str
    models: list[str]


class BackfillPlanDocument(TypedDict):
    """What `backfill --dry-run --json` prints.

    Attributes:
        schema: Version of the document.
        task: The task.
        plan: The commits, in their order.
    """

    schema: Schema
    task: TaskDocument
    plan: list[PlannedCommitDocument]


class DifferenceDocument(TypedDict):
    """A paired difference.

    Attributes:
        difference: Mean difference on the same cases, seeds averaged.
        interval: Its 95 % confidence interval.
        p: Two-sided p-value of the randomisation test over users.
    """

    difference: float
    interval: Interval
    p: float


class BisectStepDocument(TypedDict):
    """A commit that was trained.

    Attributes:
        commit: Its SHA.
        date: When it was committed, in ISO 8601.
        subject: First line of its message.
        decision: `good`, `bad`, `undecided` or `cannot be trained`.
        seeds: Seeds that it was trained with.
        mean: Its metric; null if it cannot be trained.
        from_good: Its metric minus that of the good revision.
        from_bad: Its metric minus that of the bad revision.
        problem: Why it cannot be trained; empty if it can.
    """

    commit: str
    date: str
    subject: str
    decision: str
    seeds: int
    mean: float | None
    from_good: DifferenceDocument | None
    from_bad: DifferenceDocument | None
    problem: str


class BisectDocument(TypedDict):
    """What `bisect --json` prints.

    Attributes:
        schema: Version of the document.
        task: The task.
        model: The model.
        metric: The metric, such as `hr@10`.
        good: SHA of the last good commit.
        bad: SHA of the first bad commit.
        between: Commits between the two that are undecided or cannot be trained; empty if the drop is at `bad`.
        means: The metric at the good and at the bad revision of the command.
        drop: The difference of these two, bad minus good.
        steps: The trained commits, in their order.
        commits: Number of commits between the revisions of the command.
        trained: Trials that ran.
        kept: Trials of an earlier call that were used again.
    """

    schema: Schema
    task: TaskDocument
    model: str
    metric: str
    good: str
    bad: str
    between: list[str]
    means: list[float]
    drop: DifferenceDocument | None
    steps: list[BisectStepDocument]
    commits: int
    trained: int
    kept: int
