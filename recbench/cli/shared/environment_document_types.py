"""The types of the JSON documents of ``recbench env``; the documentation has a JSON Schema of each."""

from typing_extensions import TypedDict

from recbench.cli.shared.document_types import Schema


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
