"""The JSON document of ``recbench suite report``."""

from typing import Literal

from typing_extensions import TypedDict


class SuiteTaskDocument(TypedDict):
    """A task that all figures are over.

    Attributes:
        name: Its name.
        digest: Its digest.
    """

    name: str
    digest: str


class SuiteModelDocument(TypedDict):
    """A model over all tasks.

    Attributes:
        name: What tables call it: with its source, if there are several.
        model: Its name within its source.
        source: Whose records they are: the name of the folder.
        machines: The processors that its trials ran on.
        mean_rank: Mean over tasks of its rank; 1 is the best, and tied models share the mean of their ranks.
        mean_rank_interval: 95 % confidence interval over tasks and users.
        relative_score: Mean over tasks of its score divided by the best score of the task.
        relative_score_interval: 95 % confidence interval over tasks and users.
        scores: Its score on each task, by the name of the task.
        ranks: Its rank on each task, by the name of the task.
        fit_seconds: Geometric mean over tasks of its training time; null if a task has no timing.
        on_pareto_front: Whether no other model has both a higher relative score and a shorter training time.
        best: Whether no mean rank is lower.
        level_with_best: Whether it is another than the best and not significantly different from it.
    """

    name: str
    model: str
    source: str
    machines: list[str]
    mean_rank: float
    mean_rank_interval: tuple[float, float]
    relative_score: float
    relative_score_interval: tuple[float, float]
    scores: dict[str, float]
    ranks: dict[str, float]
    fit_seconds: float | None
    on_pareto_front: bool
    best: bool
    level_with_best: bool


class SuitePairDocument(TypedDict):
    """Two models.

    Attributes:
        first: The name of the one with the better mean rank.
        second: The name of the other.
        won: Tasks on which the first has the higher score.
        lost: Tasks on which the second has the higher score.
        tied: Tasks on which both have the same score.
        p_nemenyi: p of Nemenyi's test, over all pairs.
    """

    first: str
    second: str
    won: int
    lost: int
    tied: int
    p_nemenyi: float


class MissingDocument(TypedDict):
    """A task that a model lacks; no figure is over this task.

    Attributes:
        task: The task.
        model: The model.
        reason: Why it has no figure.
    """

    task: str
    model: str
    reason: str


class SuiteDocument(TypedDict):
    """What ``suite report --json`` and ``suite run --json`` print.

    Attributes:
        schema: Version of the document.
        suite: The name of the suite.
        metric: The metric that ranks the models.
        verdict: The result in words.
        tasks: The tasks that every model has.
        models: The models, the best mean rank first.
        pairs: All pairs of models.
        critical_difference: Nemenyi's, of mean ranks, at 5 %.
        neighbours_decided: How many models have a significantly better mean rank than the next one.
        missing: What is missing on the tasks that are not used.
        settings_notes: Where the hyper-parameters come from; empty if no source was chosen, and for ``suite report``.
    """

    schema: Literal[1]
    suite: str
    metric: str
    verdict: str
    tasks: list[SuiteTaskDocument]
    models: list[SuiteModelDocument]
    pairs: list[SuitePairDocument]
    critical_difference: float
    neighbours_decided: int
    missing: list[MissingDocument]
    settings_notes: list[str]
