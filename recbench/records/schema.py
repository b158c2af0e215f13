"""The record of one trial."""

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from recbench.builtin_models import BUILTIN_PACKAGE, EARLIER_PACKAGE
from recbench.escaping.file_names import file_name
from recbench.records.cost_values import EnergyValue, GpuUse, ServingValue
from recbench.records.number_types import Count as Count
from recbench.records.number_types import CutOff as CutOff
from recbench.records.number_types import Figure as Figure
from recbench.records.number_types import Rate as Rate
from recbench.records.number_types import Seconds as Seconds
from recbench.records.sources import Sources
from recbench.records.utc_datetime import UtcDatetime
from recbench.tasks.exchange.forms import UniformNegatives
from recbench.tasks.kept import Kept

SCHEMA: Final = 1
"""The version of the record's schema that this recbench writes and reads."""


def _as_name(name: str) -> str:
    if "\0" in name or any("\ud800" <= character <= "\udfff" for character in name):
        raise ValueError("a name is text without NUL and without half of a surrogate pair")
    return name


Name = Annotated[str, AfterValidator(_as_name)]

_LEFT_OUT_IF_EMPTY: Final = ("weaker_guarantees", "gpus", "interpreter")
_LEFT_OUT_IF_NONE: Final = (
    "no_revision", "task_spec", "n_items", "kept", "serving", "serving_error", "energy", "gpu_use", "error_place",
)  # fmt: skip
"""Fields that are not in the files of older records."""

MODEL_BYTES: Final = 80
"""The most bytes of a model's name in the name of a file; names of temporary files are longer, and end at 255."""

SCORES_OF_FILE: Final = "scores of a file"
"""The reference of a record whose scores were read from a file; ``facts`` names the file."""

ParameterScalar = bool | int | float | str
ParameterValue = ParameterScalar | list[ParameterScalar] | None


class Status(StrEnum):
    """How a trial ended."""

    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    OUT_OF_MEMORY = "out-of-memory"
    INTERRUPTED = "interrupted"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TaskIdentity(_Frozen):
    """The task of a record."""

    name: Name
    digest: str


class MetricValue(_Frozen):
    """See ``recbench.evaluation.stored_metrics.MetricMeans``."""

    mean: Figure
    user_mean: Figure
    optimistic: Figure
    pessimistic: Figure


class CatalogueValue(_Frozen):
    """A model in the whole catalogue: among all items that a case's user has not interacted with.

    Attributes:
        metrics: By name, such as ``hr@10``.
        list_length: Items in a list that a user would be shown: the highest scored that are not in the user's train
            rows.
        coverage: Share of the catalogue that occurs in a list of some user.
        gini: Exposure Gini: Gini index of how often items occur in lists, 0 all alike, 1 all on one.
        popularity: Mean popularity percentile of the items in lists, 0 to 1.
        seconds: Time for all of this.
    """

    metrics: dict[str, MetricValue]
    list_length: Count
    coverage: Figure
    gini: Figure
    popularity: Figure
    seconds: Seconds


class CohortValue(_Frozen):
    """HR of a third of the cases, sorted by a value; see ``recbench.evaluation.beyond_accuracy.Cohort``."""

    lowest: Figure
    highest: Figure
    n_cases: Count
    hr: Figure


class CurvePoint(_Frozen):
    """What a model was worth during its training.

    Attributes:
        epoch: Passes over the train rows.
        fit_seconds: Time in ``fit`` until then, outside of the harness.
        metrics: Means over cases, by name.
    """

    epoch: Count
    fit_seconds: Seconds
    metrics: dict[str, Figure]


class Gpu(_Frozen):
    """A GPU that a trial used.

    Attributes:
        name: Its model name.
        driver: Version of its driver; None where it is not known.
    """

    name: str
    driver: str | None


class Environment(_Frozen):
    """What a trial ran on.

    Attributes:
        cpu: The processor's model name.
        cores: Processor cores that the process may use.
        os: Operating system and its release.
        python: Version of Python.
        packages: Versions of the packages that the model has imported, and of numpy, scipy and pandas. Older records
            list six packages, imported or not.
        weaker_guarantees: What the harness cannot guarantee on this system; see
            ``recbench.operating_system.guarantees.Guarantee``. Empty on Linux, and then not in the record's file.
        gpus: The GPUs that the trial used; left out of the record if there are none.
        interpreter: The Python program that the model ran in, as the user gave it; ``python`` and ``packages`` are then
            its own. Empty for a model that ran beside recbench, and then not in the record's file.
    """

    cpu: str
    cores: Count
    os: str
    python: str
    packages: dict[str, str]
    weaker_guarantees: tuple[str, ...] = ()
    gpus: tuple[Gpu, ...] = ()
    interpreter: str = ""

    @model_serializer(mode="wrap")
    def _without_empty(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialize(self)
        # Older records have none of these fields, and most trials have nothing to say in them.
        return {name: value for name, value in content.items() if value or name not in _LEFT_OUT_IF_EMPTY}


class Revision(_Frozen):
    """The git revision of the folder in which the run was started.

    Attributes:
        sha: The commit.
        dirty: Whether the trial ran other code, as far as recbench can see: tracked files differed from the commit, or
            it does not hold the model's own files as they were used, or git could not tell.
        reasons: Why it is dirty; older records do not name changed files. Empty if it is not, and the commit holds the
            model's own files. None if recbench did not look for them: for builtin models, and in older records; then
            not in the record's file.
    """

    sha: str
    dirty: bool
    reasons: tuple[str, ...] | None = None

    @model_serializer(mode="wrap")
    def _without_unknown(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialize(self)
        return {name: value for name, value in content.items() if value is not None}


class Record(_Frozen):
    """One trial: a configuration trained once with one seed and scored once. Nothing in it is rounded.

    Attributes:
        version: Version of this schema.
        task: Name and digest of the task.
        task_spec: The spec of the task as TOML, with the digest. The path of a ratings file is relative to the folder
            in which the run was started; of a file elsewhere, it is the name alone. None for builtin tasks, and in
            older records; then not in the record's file.
        protocol_version: Version of the contract between harness and model.
        model: Name of the model in the run.
        label: The user's label of this configuration, which tables show instead of ``model``; empty if there is none.
        reference: Where the class of the model is, as ``module:Class`` or ``file.py:Class``; with ``(sent by value)``
            for a class that was sent to the trial's process, because no module or file holds it.
        parameters: Every hyper-parameter, defaults included.
        seed: The seed.
        threads: Threads the model was allowed.
        device: The option ``--device``: ``auto``, ``cpu`` or ``gpu``. A model that can choose reports its choice in
            ``facts``.
        code_version: Hash of the model's code, which consists of ``sources``. None if there is no source.
        sources: The files of the model's code; empty in older records.
        status: How the trial ended.
        error: Why the trial failed, if it did.
        error_place: The last line of the model's code before the error: file, line and function. Without such a line,
            not in the record's file.
        signal: The signal that ended the trial's process, such as ``SIGSEGV``.
        output_tail: The last lines that the process wrote, if a signal or a limit ended it.
        metrics: By name, such as ``hr@10``; empty unless done.
        ties_across_cut: For each k, the share of cases whose hit depends on how ties are resolved.
        near_ties_across_cut: For each k, the share of cases whose hit depends on scores that differ by no more than
            rounding, and so count as different; see ``recbench.evaluation.ranking.NearTies``. Empty in older records.
        uniform_negatives: Whether the task's negatives are uniform; None in older records.
        corrected: Estimates of the metrics in the full ranking from the sampled ranks, where the negatives are uniform
            and a perfect model would have 0.9 to 1.1. Older records have them without these limits.
        correction_bias: For each metric that can be corrected, the corrected value of a perfect model, minus 1. Empty
            if the negatives are not uniform, and in older records.
        catalogue: Metrics of the full ranking, with ``--full``.
        catalogue_error: Why the full ranking failed. The trial is done nevertheless.
        serving: The trained model in use, with ``--serving``; otherwise not in the record's file.
        serving_error: Why the model could not be measured in use. The trial is done nevertheless. Without such a
            reason, not in the record's file.
        energy: Energy of the training and of the ranking, where a sensor can be read; otherwise not in the record's
            file.
        gpu_use: Memory and utilisation of GPUs, where NVML can be asked; otherwise not in the record's file.
        cohorts: HR@10 (or at the first cut-off) of three equal cohorts of cases: by ``history``, the train rows of
            the user of the case, and by ``popularity``, the train rows of its item.
        n_cases: Number of cases. All of them count in every mean.
        n_users: Number of users with a case.
        n_train: Number of train rows.
        n_items: Number of items of the catalogue; None in older records, and then not in the record's file.
        kept: What the filters and the split of the task keep of its data; None in older records and for published
            splits, and then not in the record's file.
        epochs: Passes over the train rows.
        loss: Training loss after the last epoch, if the model reports it.
        fit_seconds: Time in ``fit`` outside of the harness; without warm-up.
        fit_cpu_seconds: CPU seconds of the process, its threads and its child processes during ``fit``; None in older
            records. Other programs on a busy machine lengthen ``fit_seconds``, but hardly the CPU seconds.
        warm_up_seconds: Time in ``warm_up``.
        import_seconds: Time to import the model's module.
        start_seconds: Time to start the trial's process, up to the import of the model; None if it had no process of
            its own.
        score_seconds: Time to rank all cases.
        first_score_seconds: Time of the first call of ``score`` after training; None in older records.
        longest_score_seconds: Time of the longest call of ``score``; None in older records.
        interactions_per_second: n_train * epochs / fit_seconds.
        throughput_doubts: Why ``epochs`` or ``fit_seconds``, and so the throughput, may be wrong, one sentence for
            each reason. Empty if there is no doubt, and in older records.
        concurrent_trials: How many trials ran on the machine at the same time, with this one. If it is more than one,
            the trials shared the machine, and the timings say little about the model.
        imports_during_fit: How many other processes of the run imported a model while this one was fitted, at most; 0
            with one trial at a time. None in older records, and if the trial had no process of its own or ran on a
            cluster.
        process_peak_rss_bytes: Peak resident memory of the trial's process. With ``--in-process``, that of all trials
            so far.
        repeatable: Whether the same seed gives the same ranks, bit for bit, on the same machine. True with one thread,
            which the contract requires; with more threads, what the model promises; None without a promise, as on a
            GPU.
        curve: Metrics during training, with ``--curve``; the last point is the end of the training.
        curve_error: Why the curve has no points before the end.
        facts: Other values that the model reported. A text that begins with ``not kept:`` stands for a value that a
            record cannot keep.
        environment: Machine, operating system, Python and packages.
        revision: The git revision, if there is one.
        no_revision: Why git gave no revision, if it failed; otherwise not in the record's file.
        recbench_version: Version of the harness.
        started_at: When the trial started, in UTC.
    """

    version: Literal[1] = Field(default=SCHEMA, alias="schema")
    task: TaskIdentity
    task_spec: str | None = None
    protocol_version: Count
    model: Name
    label: Name = ""
    reference: str
    parameters: dict[str, ParameterValue]
    seed: Count
    threads: Count
    device: str = "auto"
    code_version: str | None = None
    sources: Sources = Sources()
    status: Status
    error: str | None = None
    error_place: str | None = None
    signal: str | None = None
    output_tail: tuple[str, ...] = ()
    metrics: dict[str, MetricValue] = {}
    ties_across_cut: dict[CutOff, Figure] = {}
    near_ties_across_cut: dict[CutOff, Figure] = {}
    uniform_negatives: UniformNegatives | None = None
    corrected: dict[str, Figure] = {}
    correction_bias: dict[str, Figure] = {}
    catalogue: CatalogueValue | None = None
    catalogue_error: str | None = None
    serving: ServingValue | None = None
    serving_error: str | None = None
    energy: EnergyValue | None = None
    gpu_use: GpuUse | None = None
    cohorts: dict[str, tuple[CohortValue, ...]] = {}
    n_cases: Count
    n_users: Count
    n_train: Count
    n_items: Count | None = None
    kept: Kept | None = None
    epochs: Count = 0
    loss: float | None = None
    fit_seconds: Seconds | None = None
    fit_cpu_seconds: Seconds | None = None
    warm_up_seconds: Seconds | None = None
    import_seconds: Seconds | None = None
    start_seconds: Seconds | None = None
    score_seconds: Seconds | None = None
    first_score_seconds: Seconds | None = None
    longest_score_seconds: Seconds | None = None
    interactions_per_second: Rate | None = None
    throughput_doubts: tuple[str, ...] = ()
    concurrent_trials: Count = 1
    imports_during_fit: Count | None = None
    process_peak_rss_bytes: Count | None = None
    repeatable: bool | None
    curve: tuple[CurvePoint, ...] = ()
    curve_error: str | None = None
    facts: dict[str, ParameterScalar | None] = {}
    environment: Environment
    revision: Revision | None
    no_revision: str | None = None
    recbench_version: str
    started_at: UtcDatetime

    @property
    def error_with_place(self) -> str | None:
        """The error and where in the model's code it was raised; None without an error."""
        if self.error is None or self.error_place is None:
            return self.error
        first, *others = self.error.split("\n")
        return "\n".join([f"{first} ({self.error_place})", *others])

    def stem(self) -> str:
        """Returns the name of the record's files, without an ending: the same trial, the same name."""
        return stem(
            self.task,
            self.model,
            self.reference,
            self.parameters,
            self.seed,
            threads=self.threads,
            device=self.device,
            label=self.label,
        )

    def to_json(self) -> str:
        """Returns the record's text: JSON, keys sorted, numbers in full precision."""
        content: dict[str, Any] = self.model_dump(mode="json", by_alias=True)
        for name in _LEFT_OUT_IF_NONE:
            if content[name] is None:
                del content[name]
        return json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n"


def class_identity(reference: str) -> str:
    """Returns a record's reference, with the earlier name of the package of the builtin models.

    Two records are of the same class if these are equal, whether they were written before or after the renaming.

    >>> class_identity("recbench_models.bpr:BPR"), class_identity("models.bpr:BPR"), class_identity("shop.net:Net")
    ('models.bpr:BPR', 'models.bpr:BPR', 'shop.net:Net')
    """
    package, dot, rest = reference.partition(".")
    return f"{EARLIER_PACKAGE}{dot}{rest}" if package == BUILTIN_PACKAGE else reference


def is_builtin(reference: str) -> bool:
    """Whether a record's reference is that of a builtin model, as far as its package says.

    >>> is_builtin("recbench_models.bpr:BPR"), is_builtin("shop.net:Net"), is_builtin("models.py:Net")
    (True, False, False)
    """
    package = reference.partition(":")[0].partition(".")[0]
    return package in (BUILTIN_PACKAGE, EARLIER_PACKAGE) and not reference.partition(":")[0].endswith(".py")


def stem(
    task: TaskIdentity,
    model: str,
    reference: str,
    parameters: dict[str, ParameterValue],
    seed: int,
    *,
    threads: int,
    device: str,
    label: str = "",
) -> str:
    """Returns the name of a trial's files; see the fields of ``Record``.

    It leaves the model's source out, so that a trial of changed code takes the place of the one before.
    """
    identity: list[object] = [task.digest, model, class_identity(reference), parameters, threads, device]
    if label:
        identity.append(label)
    key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:8]
    return f"{file_name(task.name)}--{file_name(model, MODEL_BYTES)}--{key}--seed{seed}"
