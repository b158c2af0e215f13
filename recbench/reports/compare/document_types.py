"""The types of the JSON documents of a comparison and of a gate; the documentation has JSON Schemas of them."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from recbench.git_history import Relation
from recbench.records.schema import ParameterValue
from recbench.reports.compare.gate import GateOutcome
from recbench.reports.compare.sanity_checks import CheckName
from recbench.reports.compare.verdict import Verdict
from recbench.reports.document_types import Interval, SpreadDocument, TaskName


class LevelDocument(SpreadDocument):
    """A metric of one side.

    Attributes:
        interval: 95 % confidence interval over users; null for one user.
    """

    interval: Interval | None


class EvidenceDocument(TypedDict):
    """The two sides of a comparison and their difference, current minus baseline.

    Attributes:
        baseline: The baseline.
        current: The current records.
        difference: Mean difference on the same cases, seeds averaged.
        interval: Its 95 % confidence interval.
        p: Two-sided p-value of the randomisation test over users.
        won: Share of cases in which the current records are better.
        lost: Share of cases in which the baseline is better.
    """

    baseline: LevelDocument | None
    current: LevelDocument | None
    difference: float | None
    interval: Interval | None
    p: float | None
    won: float | None
    lost: float | None


class DecisionDocument(EvidenceDocument):
    """The verdict on one model by one metric.

    Attributes:
        verdict: The verdict.
        reasons: Why, in words.
        p_holm: The p-value after Holm's correction.
        seed_limit: The largest change that seeds explain.
        smallest_drop: The smallest true drop that the gate calls a regression with 80 % power.
    """

    verdict: Verdict
    reasons: list[str]
    p_holm: float | None
    seed_limit: float | None
    smallest_drop: float | None


class ComparedSeeds(TypedDict):
    """The seeds that are compared.

    Attributes:
        base: Seeds of the baseline.
        current: Seeds of the current records.
    """

    base: list[int]
    current: list[int]


class AncestryDocument(TypedDict):
    """Whether the baseline belongs to the git history of the current records.

    Attributes:
        relation: Whether the commit of the baseline is an ancestor.
        base: Commit of the baseline, shortened; empty if unknown.
        current: Commit of the current records, shortened; empty if unknown.
        merge_base: The merge base, if the baseline is not an ancestor; null if there is none, or unknown.
        reason: Why the relation is unknown; empty if it is known.
    """

    relation: Relation
    base: str
    current: str
    merge_base: str | None
    reason: str


class ThroughputDocument(TypedDict):
    """The verdict on the throughput or the latency of a model.

    Attributes:
        gated: Whether it could be compared.
        verdict: The verdict; null if it could not.
        reason: Why, in words.
    """

    gated: bool
    verdict: Verdict | None
    reason: str


class ComparedCostDocument(TypedDict):
    """A figure of `run --serving`.

    Attributes:
        baseline: Its value for each seed of the baseline.
        current: Its value for each current seed.
        ratio: Median of the current seeds / that of the baseline; null if that is 0.
    """

    baseline: list[float]
    current: list[float]
    ratio: float | None


class ComparedModel(TypedDict):
    """One model of a comparison.

    Attributes:
        model: Its name.
        task: Its task.
        base_digest: Digest of the task of the baseline; null without a baseline.
        base_seeds: Seeds of the baseline.
        seeds: Seeds of the current records.
        compared_seeds: Seeds that are compared; null if the two sides cannot be compared.
        base_params: Hyper-parameters of the baseline.
        params: Hyper-parameters of the current records.
        metrics: Verdicts by metric.
        known: The figures without the cases of items or users that have no train rows, by metric.
        ancestry: Whether the baseline belongs to the git history of the current records; null if it was not compared.
        throughput_ratio: Throughput of the current records / that of the baseline; null if unknown.
        notes: Lines about this model.
        throughput: Verdict on its throughput; only in the document of a gate.
        latency: Verdict on its latency; only in the document of a gate, and only with figures of `run --serving`.
        costs: Figures of `run --serving` that both sides have, by name; only if there are any.
    """

    model: str
    task: TaskName
    base_digest: str | None
    base_seeds: list[int]
    seeds: list[int]
    compared_seeds: ComparedSeeds | None
    base_params: dict[str, ParameterValue] | None
    params: dict[str, ParameterValue] | None
    metrics: dict[str, DecisionDocument]
    known: dict[str, EvidenceDocument]
    ancestry: AncestryDocument | None
    throughput_ratio: float | None
    notes: list[str]
    throughput: NotRequired[ThroughputDocument | None]
    latency: NotRequired[ThroughputDocument | None]
    costs: NotRequired[dict[str, ComparedCostDocument]]


class RecordSetDocument(TypedDict):
    """One side of a comparison.

    Attributes:
        name: The folder, label, file or `REV:PATH`, as given.
        records: Path of each record.
        environments: What the trials ran on, each once.
        threads: Numbers of threads of the trials.
        revisions: Git commits of the trials.
    """

    name: str
    records: list[str]
    environments: list[dict[str, Any]]
    threads: list[int]
    revisions: list[str]


class CompareDocument(TypedDict):
    """The document of `recbench compare --json`. Keys may be added; none is renamed.

    Attributes:
        schema: Version of this schema.
        headline: The result in one sentence.
        tag: Hidden text by which a bot finds its comment again.
        base: The baseline.
        current: The current records.
        new_cases: Cases of items or users without train rows, for each task.
        results: One object for each model.
        notes: The lines below the table.
        renamed: New names of renamed models of the baseline, by their old names.
        policy: Limits that the verdicts use.
        command: The command that prints this comparison.
    """

    schema: Literal[1]
    headline: str
    tag: str
    base: RecordSetDocument
    current: RecordSetDocument
    new_cases: list[dict[str, Any]]
    results: list[ComparedModel]
    notes: list[str]
    renamed: dict[str, str]
    policy: dict[str, Any]
    command: str


class SanityCheckDocument(TypedDict):
    """A sanity check of one model.

    Attributes:
        floor: Name of the check.
        model: The model.
        task: Name of the task.
        metric: The metric; null for a check of all scores, or of all trials.
        held: Whether the model passes.
        reason: The figures, in words.
    """

    floor: CheckName
    model: str
    task: str
    metric: str | None
    held: bool
    reason: str


class AcceptedRegressionDocument(TypedDict):
    """A regression that was declared as intended.

    Attributes:
        model: The model.
        label: The model, or the label of its configuration.
        task: Name of the task.
        metric: The metric, `throughput` or `latency`.
        regression: The figures, in words.
        reason: Why it is intended.
        source: Where it was declared.
    """

    model: str
    label: str
    task: str
    metric: str
    regression: str
    reason: str
    source: str


class GateDocument(CompareDocument):
    """The document of `recbench gate --json`: that of `compare`, and the outcome. Keys may be added; none is renamed.

    Attributes:
        outcome: The outcome.
        exit_code: Exit code of the command.
        reasons: Why the gate does not pass; empty if it passes.
        accepted: Regressions that the gate lets pass, because they were declared as intended.
        gated: Metrics that are gated.
        floors: The sanity checks.
    """

    outcome: GateOutcome
    exit_code: int
    reasons: list[str]
    accepted: list[AcceptedRegressionDocument]
    gated: list[str]
    floors: list[SanityCheckDocument]


class PairedSpeedDocument(TypedDict):
    """What pairs of trials say about the throughput of a model, by one clock.

    Attributes:
        model: The model.
        label: The model, or the label of its configuration.
        clock: `wall time` or `CPU time`.
        pairs: Number of pairs.
        change: Median change of the throughput over the pairs, as a share.
        interval: 95 % confidence interval of the change.
        control_noise: A change that the control's noise alone exceeds in 5 of 100 cases.
        p_holm: p-value of the test against the control, after Holm's correction.
        verdict: The verdict by this clock.
    """

    model: str
    label: str
    clock: str
    pairs: int
    change: float
    interval: list[float]
    control_noise: float
    p_holm: float
    verdict: Verdict


class ABDocument(GateDocument):
    """The document of `recbench ab --json`: that of `gate`, and the pairs. Keys may be added; none is renamed.

    Attributes:
        control: The two record sets of the control.
        pairs: Throughput by pairs of trials, for each model and clock.
    """

    control: list[RecordSetDocument]
    pairs: list[PairedSpeedDocument]
