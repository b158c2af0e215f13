"""The types of the JSON documents of ``selftest`` and ``doctor``; the documentation has a JSON Schema of each."""

from typing_extensions import TypedDict

from recbench.cli.shared.document_types import Schema
from recbench.reports.run.document_types import TaskDocument


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
