"""The type of the JSON document of a run; the documentation has a JSON Schema of it."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from recbench.evaluation.ranking import Ranking
from recbench.records.schema import Count, ParameterValue, Status
from recbench.reports.document_types import Interval, SpreadDocument, TaskName


class TaskDocument(TaskName):
    """The task.

    Attributes:
        n_users: Number of users.
        n_items: Number of items.
        n_train: Number of train rows.
        n_cases: Number of test cases.
        n_negatives: Negatives of a case; the most, if cases differ.
        n_negatives_min: The fewest negatives of a case.
        negatives: How negatives were drawn.
        split: Method of the split.
        order: What "last" means in the split; null for a split without an order.
        uniform_negatives: Whether the negatives are uniform; null if unknown.
        uniformity: How recbench knows whether the negatives are uniform.
        mean_catalogue_size: Mean number of items that are ranked in a case of the full ranking.
        n_validation_cases: Number of validation cases.
        n_users_without_case: Users without a test case.
        n_duplicates: Rows that repeated a (user, item) pair.
        waivers: Rules that the published candidates may break.
    """

    n_users: int
    n_items: int
    n_train: int
    n_cases: int
    n_negatives: int
    n_negatives_min: int
    negatives: str
    split: str
    order: str | None
    uniform_negatives: bool | None
    uniformity: dict[str, Any]
    mean_catalogue_size: float
    n_validation_cases: int
    n_users_without_case: int
    n_duplicates: int
    waivers: list[str]


class MetricDocument(SpreadDocument):
    """A metric of a model.

    Attributes:
        interval: 95 % confidence interval over users, seeds averaged; null for one user. Only metrics of the table have
            this field and the next three.
        best: Whether the model is the best.
        level_with_best: Whether the model is not significantly different from the best.
        below_popularity: Whether the model is significantly below `popularity`.
    """

    interval: NotRequired[Interval | None]
    best: NotRequired[bool]
    level_with_best: NotRequired[bool]
    below_popularity: NotRequired[bool]


class CohortDocument(TypedDict):
    """A third of the cases.

    Attributes:
        lowest: Lowest value by which the cases are sorted.
        highest: Highest value.
        n_cases: Number of cases.
        hr: HR of these cases.
    """

    lowest: float
    highest: float
    n_cases: int
    hr: SpreadDocument


class CurvePointDocument(TypedDict):
    """A point of a learning curve.

    Attributes:
        epoch: Passes over the train rows.
        fit_seconds: Seconds in `fit` until then.
        metrics: Means over cases, by metric.
    """

    epoch: int
    fit_seconds: float
    metrics: dict[str, float]


class TimeToQualityDocument(TypedDict):
    """How long a model trained until it was good, by its learning curve.

    Attributes:
        metric: Metric of the curve.
        seconds_to_99_percent_of_final: Seconds to 99 % of the final value.
        target: The value of `--reach`; null without it.
        seconds_to_target: Seconds to the target, over the seeds that reached it.
        seeds_that_reached_target: Number of seeds that reached it.
    """

    metric: str
    seconds_to_99_percent_of_final: SpreadDocument | None
    target: float | None
    seconds_to_target: SpreadDocument | None
    seeds_that_reached_target: int


class ResultDocument(TypedDict):
    """A configuration of a model.

    Attributes:
        model: Name of the model.
        name: Name in tables; no two results have the same one, if anything differs.
        status: `done` if all seeds are done, else the first other status.
        seeds: Seeds of its trials.
        metrics: Metrics among the candidates, by name.
        full: Metrics in the full ranking, and `coverage`, `exposure_gini` and `popularity` of lists.
        corrected: Estimates of the full ranking from the sampled ranks.
        cohorts: HR of three thirds of the cases, by what sorts them.
        interactions_per_second: Train rows x epochs / fit seconds.
        shared_machine: Whether trials ran at the same time as others.
        throughput_doubts: Why the throughput is in doubt; empty if it is not.
        fit_seconds: Seconds in `fit`.
        fit_cpu_seconds: CPU seconds meanwhile.
        epochs: Passes over the train rows; null if seeds differ.
        threads: Threads of each trial.
        device: `auto`, `cpu` or `gpu`, as asked for.
        params: All hyper-parameters, defaults included.
        errors: Error messages of the trials that failed.
        curves: Learning curve of each seed; empty lists without `--curve`.
        records: Path of each record.
        known: Metrics without the cases of items or users that have no train rows, by metric.
        time_to_quality: Only with `--curve`.
        costs: Figures in use (`--serving`), energy and GPUs, by name: those that all seeds have. Only if there are any.
    """

    model: str
    name: str
    status: Status
    seeds: list[Count]
    metrics: dict[str, MetricDocument]
    full: dict[str, MetricDocument]
    corrected: dict[str, SpreadDocument | None]
    cohorts: dict[str, list[CohortDocument]]
    interactions_per_second: SpreadDocument | None
    shared_machine: bool
    throughput_doubts: list[str]
    fit_seconds: SpreadDocument | None
    fit_cpu_seconds: SpreadDocument | None
    epochs: int | None
    threads: int
    device: str
    params: dict[str, ParameterValue]
    errors: list[str]
    curves: list[list[CurvePointDocument]]
    records: list[str]
    known: dict[str, SpreadDocument | None]
    time_to_quality: NotRequired[TimeToQualityDocument]
    costs: NotRequired[dict[str, SpreadDocument]]


class PairDocument(TypedDict):
    """A pair of models by one metric. All differences are first minus second.

    Attributes:
        metric: The metric.
        ranking: `candidates` or `full`.
        first: Model of the first configuration.
        second: Model of the second configuration.
        first_name: Name of the first in tables.
        second_name: Name of the second in tables.
        first_result: Place of the first in `results`, from 0.
        second_result: Place of the second in `results`, from 0.
        difference: Mean difference on the same cases, seeds averaged.
        interval: 95 % confidence interval of the difference.
        p: Two-sided p-value of the randomisation test over users.
        p_holm: The same after Holm's correction over all pairs by this metric.
        p_mcnemar: p-value of McNemar's exact test on hits, for each seed; null where users have several cases.
        won: Share of cases in which the first is better.
        tied: Share of cases in which both are equal.
        lost: Share of cases in which the second is better.
        detectable_difference: Smallest true difference that the test finds with 80 % power.
    """

    metric: str
    ranking: Ranking
    first: str
    second: str
    first_name: str
    second_name: str
    first_result: int
    second_result: int
    difference: float
    interval: Interval | None
    p: float
    p_holm: float
    p_mcnemar: list[float] | None
    won: float
    tied: float
    lost: float
    detectable_difference: float


class ContradictionDocument(TypedDict):
    """A pair of models whose order among the candidates is opposite to that in the full ranking, both significantly.

    Attributes:
        metric: Metric among the candidates.
        full_metric: The same metric in the full ranking.
        better_among_candidates: Name of the model that is better among the candidates.
        better_in_full_ranking: Name of the model that is better in the full ranking.
        difference: Difference among the candidates, above 0.
        p_holm: Its p-value after Holm's correction.
        full_difference: Difference in the full ranking, below 0.
        full_p_holm: Its p-value after Holm's correction.
    """

    metric: str
    full_metric: str
    better_among_candidates: str
    better_in_full_ranking: str
    difference: float
    p_holm: float
    full_difference: float
    full_p_holm: float


class ComparedDocument(TypedDict):
    """What a document says about trials besides their task and results.

    Attributes:
        schema: Version of this schema.
        settings: Where the hyper-parameters come from; null without `--settings`.
        pairs: All pairs of models, by metric.
        contradictions: Pairs whose order differs between the candidates and the full ranking.
        caution: What a sampled metric says about the full ranking.
        new_cases: Cases of items or users without train rows; null in older records.
        correction: Bias of the corrected metrics.
        notes: The lines below the table.
        environment: What the trials ran on.
    """

    schema: Literal[1]
    settings: dict[str, Any] | None
    pairs: list[PairDocument]
    contradictions: list[ContradictionDocument]
    caution: str
    new_cases: dict[str, Any] | None
    correction: dict[str, Any]
    notes: list[str]
    environment: dict[str, Any]


class TrialsDocument(ComparedDocument):
    """What a document says about trials besides their results.

    Attributes:
        task: The task.
    """

    task: TaskDocument


class RecordedTaskDocument(TaskName):
    """The task of records, as far as they describe it.

    Attributes:
        n_users: Number of users with a test case.
        n_items: Number of items; null in older records.
        n_train: Number of train rows.
        n_cases: Number of test cases.
    """

    n_users: int
    n_items: int | None
    n_train: int
    n_cases: int


class ReportDocument(ComparedDocument):
    """The JSON file of a task in the page of `recbench report`. Keys may be added; none is renamed.

    Attributes:
        task: The task.
        results: One object for each configuration, the best first.
    """

    task: RecordedTaskDocument
    results: list[ResultDocument]


class RunDocument(TrialsDocument):
    """The document of `recbench run --json`. Keys may be added; none is renamed.

    Attributes:
        results: One object for each configuration, in the order of the command.
    """

    results: list[ResultDocument]
