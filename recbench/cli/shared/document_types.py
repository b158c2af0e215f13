"""The types of the JSON documents that listing verbs print; the documentation has a JSON Schema of each."""

from typing import Any, Literal

from typing_extensions import TypedDict

from recbench.records.schema import ParameterValue
from recbench.reports.run.document_types import TaskDocument

Schema = Literal[1]
Pair = tuple[float | None, float | None]


class PlannedDocument(TypedDict):
    """A trial that would run.

    Attributes:
        model: The configuration.
        seed: Its seed.
        params: Its hyper-parameters.
    """

    model: str
    seed: int
    params: dict[str, ParameterValue]


class PlanDocument(TypedDict):
    """What ``run --dry-run --json`` prints.

    Attributes:
        schema: Version of the document.
        task: The task.
        plan: The trials, in their order.
    """

    schema: Schema
    task: TaskDocument
    plan: list[PlannedDocument]


class ModelDocument(TypedDict):
    """A model.

    Attributes:
        model: Its name.
        target: Its class, as ``package.module:Class`` or ``file.py:Class``.
        origin: Where its name comes from.
        summary: First line of its docstring.
        params: Its hyper-parameters and their defaults, as written in the source.
        missing: Packages that it needs and that are not installed.
    """

    model: str
    target: str
    origin: str
    summary: str
    params: dict[str, str]
    missing: list[str]


class ModelsDocument(TypedDict):
    """What ``list --json`` prints.

    Attributes:
        schema: Version of the document.
        models: The models.
    """

    schema: Schema
    models: list[ModelDocument]


class ListedTaskDocument(TypedDict):
    """A task.

    Attributes:
        name: Its name.
        kind: ``builtin`` or ``own``.
        built: Whether it is in the cache.
        bytes: Size of its files in the cache.
        description: What it is.
    """

    name: str
    kind: str
    built: bool
    bytes: int
    description: str


class TasksDocument(TypedDict):
    """What ``task list --json`` prints.

    Attributes:
        schema: Version of the document.
        cache: Folder of the cache.
        cache_bytes: Size of the cache.
        tasks: The tasks.
    """

    schema: Schema
    cache: str
    cache_bytes: int
    tasks: list[ListedTaskDocument]


class DatasetDocument(TypedDict):
    """A dataset.

    Attributes:
        name: Its name.
        title: Its title.
        rows: Number of ratings; null if unknown.
        users: Number of users; null if unknown.
        items: Number of items; null if unknown.
        fetched: Whether its files are in the cache.
        bytes: Size of its files in the cache.
    """

    name: str
    title: str
    rows: int | None
    users: int | None
    items: int | None
    fetched: bool
    bytes: int


class DatasetsDocument(TypedDict):
    """What ``data list --json`` prints.

    Attributes:
        schema: Version of the document.
        cache: Folder of the cache.
        datasets: The datasets.
    """

    schema: Schema
    cache: str
    datasets: list[DatasetDocument]


class CitationDocument(TypedDict):
    """What to cite, and how.

    Attributes:
        subject: What it is.
        bibtex: The BibTeX entry; null if recbench knows none.
        text: The reference as plain text, or why there is none.
    """

    subject: str
    bibtex: str | None
    text: str


class CitationsDocument(TypedDict):
    """What ``cite --json`` prints.

    Attributes:
        schema: Version of the document.
        citations: The citations.
    """

    schema: Schema
    citations: list[CitationDocument]


class CachedFileDocument(TypedDict):
    """A file of the cache.

    Attributes:
        kind: What it is, such as a task.
        name: Name of the task or dataset.
        path: Its path.
        bytes: Its size.
        last_used: When it was last used, in seconds since 1970.
    """

    kind: str
    name: str
    path: str
    bytes: int
    last_used: float


class KeptFileDocument(CachedFileDocument):
    """A file that was kept.

    Attributes:
        reason: Why it was kept.
    """

    reason: str


class CleaningDocument(TypedDict):
    """What ``clean --json`` prints.

    Attributes:
        schema: Version of the document.
        cache: Folder of the cache.
        dry_run: Whether nothing was removed.
        bytes: Size of the removed files.
        removed: The removed files; with ``dry_run`` those that would be removed.
        kept: The other files.
    """

    schema: Schema
    cache: str
    dry_run: bool
    bytes: int
    removed: list[CachedFileDocument]
    kept: list[KeptFileDocument]


class CheckDocument(TypedDict):
    """A check.

    Attributes:
        model: The checked model; null for a check of the harness.
        name: What was checked.
        state: ``ok``, ``failed``, ``skipped`` or ``warning``.
        detail: What was found.
    """

    model: str | None
    name: str
    state: str
    detail: str


class CheckCountsDocument(TypedDict):
    """Numbers of checks.

    Attributes:
        ok: Checks that passed.
        failed: Checks that failed.
        skipped: Checks that do not apply.
        warning: Checks with a result that is wrong for most models but breaks no rule.
        passed: Whether no check failed.
    """

    ok: int
    failed: int
    skipped: int
    warning: int
    passed: bool


class SelftestDocument(TypedDict):
    """What ``selftest --json`` prints.

    Attributes:
        schema: Version of the document.
        task: The task.
        threads: Threads of the checks.
        summary: Numbers of checks.
        checks: The checks.
    """

    schema: Schema
    task: TaskDocument
    threads: int
    summary: CheckCountsDocument
    checks: list[CheckDocument]


class ImportDocument(TypedDict):
    """How the import of a package ended.

    Attributes:
        version: Its version; null if it is not installed.
        result: The result in words.
        seconds: Duration of the import; null if it failed.
    """

    version: str | None
    result: str
    seconds: float | None


class FactsDocument(TypedDict):
    """Facts about this installation.

    Attributes:
        recbench: Version of recbench.
        folder: Folder that recbench runs from.
        other_installations: Folders of other installations.
        python: Version of Python.
        os: Operating system and its release.
        cpu: Model name of the processor.
        cores: Processor cores that a process may use.
        pip: Version of pip; null if it is not installed.
        cache: Folder of the cache.
        cache_writable: Whether recbench can write there.
        thread_variables: Environment variables that set numbers of threads; null for a variable that is not set.
        imports: The import of each package that models need.
        models: Names of all models.
        models_that_cannot_run: The packages that each of these models lacks.
        weaker_guarantees: What recbench cannot guarantee on this system, and what holds instead.
    """

    recbench: str
    folder: str
    other_installations: list[str]
    python: str
    os: str
    cpu: str
    cores: int
    pip: str | None
    cache: str
    cache_writable: bool
    thread_variables: dict[str, str | None]
    imports: dict[str, ImportDocument]
    models: list[str]
    models_that_cannot_run: dict[str, list[str]]
    weaker_guarantees: dict[str, str]


class DoctorDocument(TypedDict):
    """What ``doctor --json`` prints.

    Attributes:
        schema: Version of the document.
        doctor: The facts.
    """

    schema: Schema
    doctor: FactsDocument


class AcceptedDocument(TypedDict):
    """What became of a configuration.

    Attributes:
        task: Name of the task.
        model: The configuration.
        seeds: Its accepted seeds.
        written: Records that were written.
        kept: Records that stayed as they were.
        removed: Records that were removed without others in their place.
    """

    task: str
    model: str
    seeds: int
    written: int
    kept: int
    removed: int


_Figures = TypedDict("_Figures", {"hr@10": Pair, "ndcg@10": Pair})


class ChangeDocument(AcceptedDocument, _Figures):
    """What became of a configuration, and its figures before and after."""


class AcceptanceDocument(TypedDict):
    """What ``baseline accept --json`` prints.

    Attributes:
        schema: Version of the document.
        label: The label of the baseline.
        changes: What became of each configuration.
    """

    schema: Schema
    label: str
    changes: list[ChangeDocument]


class BaselinesDocument(TypedDict):
    """What ``baseline list --json`` prints.

    Attributes:
        schema: Version of the document.
        baselines: The accepted configurations: ``task``, ``label``, ``model``, ``seeds``, ``revision``, and each metric
            of ``--metrics`` by its name.
    """

    schema: Schema
    baselines: list[dict[str, Any]]


class ListedSuiteDocument(TypedDict):
    """A suite.

    Attributes:
        name: Its name.
        description: One line.
        tasks: Its tasks.
        models: The models that it runs by default.
        metric: The metric that ranks models.
        seeds: Seeds of each model.
    """

    name: str
    description: str
    tasks: list[str]
    models: list[str]
    metric: str
    seeds: int


class SuitesDocument(TypedDict):
    """What ``suite list --json`` prints.

    Attributes:
        schema: Version of the document.
        suites: The suites.
    """

    schema: Schema
    suites: list[ListedSuiteDocument]


class LintDocument(TypedDict):
    """What ``suite lint --json`` prints.

    Attributes:
        schema: Version of the document.
        problems: One line for each problem; empty if there is none.
    """

    schema: Schema
    problems: list[str]


class EnvironmentDocument(TypedDict):
    """An environment of another framework.

    Attributes:
        name: Its name.
        version: The version of the framework in its lock file.
        state: ``ready``, ``not created``, ``incomplete`` or ``made from an older lock file``.
        python: Its version of Python; empty if it is not complete.
        versions_of_python: The versions of Python that it can have.
        bytes: Its size; 0 if there is none.
        seconds: How long its creation took; 0 if it is not complete.
        installer: ``uv`` or ``pip``; empty if it is not complete.
        folder: Its folder.
        check: The model with which a trial checks it.
    """

    name: str
    version: str
    state: str
    python: str
    versions_of_python: str
    bytes: int
    seconds: float
    installer: str
    folder: str
    check: str


class EnvironmentsDocument(TypedDict):
    """What ``env list --json`` prints.

    Attributes:
        schema: Version of the document.
        environments: The environments.
    """

    schema: Schema
    environments: list[EnvironmentDocument]


class CreatedEnvironmentDocument(TypedDict):
    """What ``env create --json`` prints.

    Attributes:
        schema: Version of the document.
        environment: The environment.
        check_hr: HR@10 of the model that checks it, on the task ``synthetic``.
    """

    schema: Schema
    environment: EnvironmentDocument
    check_hr: float | None


class CheckedEnvironmentDocument(TypedDict):
    """An environment that was checked.

    Attributes:
        name: Its name.
        model: The model of the trial.
        check_hr: HR@10 of that model on the task ``synthetic``; null if the trial did not end.
        problems: What is wrong; empty if the environment can be used.
    """

    name: str
    model: str
    check_hr: float | None
    problems: list[str]


class CheckedEnvironmentsDocument(TypedDict):
    """What ``env doctor --json`` prints.

    Attributes:
        schema: Version of the document.
        environments: The environments that were checked.
    """

    schema: Schema
    environments: list[CheckedEnvironmentDocument]


class RemovedEnvironmentDocument(TypedDict):
    """What ``env remove --json`` prints.

    Attributes:
        schema: Version of the document.
        name: The environment.
        removed: Whether there was one.
        bytes: The size of what was removed, where it is known.
    """

    schema: Schema
    name: str
    removed: bool
    bytes: int
