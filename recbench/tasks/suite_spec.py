"""Suites: several tasks and one set of models, as a TOML file."""

import os
import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from recbench.errors import RecbenchError, unknown_name
from recbench.tasks.spec import NAME_LENGTH, NAME_PATTERN
from recbench.toml_file import TomlKind

DEFAULT_METRIC: Final = "ndcg@10"
LEAST_TASKS: Final = 2
SUFFIX: Final = ".toml"
SPEC_FILE: Final = re.compile(r"\.toml(@\d+)?$")
"""How a task that is a spec file ends, with the number of a replica if it is one."""
SUITE_FILE = TomlKind(
    "suite",
    "A name of 'recbench suite list', or the path of a suite file.",
    "A suite to start from: recbench suite show small",
)


def _task_name(value: object) -> object:
    """Returns a task of the file; says what to write instead of a table.

    Raises:
        ValueError: It is a table.
    """
    if isinstance(value, dict):
        raise ValueError("a task is its name or the path of a spec file; 'metric' of the suite holds for all tasks")
    return value


class SuiteSpec(BaseModel):
    """A suite.

    Attributes:
        name: The name of the suite.
        description: One line for readers.
        tasks: Names of tasks, or paths of spec files, which are relative to the suite file.
        models: The models, as ``--models`` of ``recbench run`` takes them.
        metric: The metric that ranks the models, the same on every task.
        seeds: Seeds of each model.
        settings: Where hyper-parameters come from: ``tuned``, ``default`` or a file; None for defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME_PATTERN, max_length=NAME_LENGTH)
    description: str = ""
    tasks: tuple[Annotated[str, BeforeValidator(_task_name)], ...]
    models: tuple[str, ...] = Field(min_length=1)
    metric: str = DEFAULT_METRIC
    seeds: int = Field(default=3, ge=1)
    settings: str | None = None

    @field_validator("tasks")
    @classmethod
    def _several(cls, tasks: tuple[str, ...]) -> tuple[str, ...]:
        for number, task in enumerate(tasks):
            if task in tasks[:number]:
                raise ValueError(f"{task!r} occurs twice; name each task once")
        if len(tasks) < LEAST_TASKS:
            raise ValueError(
                f"there {'is one' if tasks else 'is none'}, and a suite has at least {LEAST_TASKS}; "
                "for one task, use 'recbench run'"
            )
        return tasks


@cache
def builtin_suites() -> dict[str, SuiteSpec]:
    """Returns the suites that come with recbench, by name."""
    folder = resources.files("recbench.tasks").joinpath("suites")
    specs = [
        SUITE_FILE.check(SUITE_FILE.parse(file.read_text(encoding="utf-8"), file.name), SuiteSpec, file.name)
        for file in folder.iterdir()
        if file.name.endswith(SUFFIX)
    ]
    return {spec.name: spec for spec in sorted(specs, key=lambda spec: spec.name)}


def find_suite(name: str | os.PathLike[str]) -> SuiteSpec:
    """Finds a suite by its name, or by the path of its file.

    Raises:
        RecbenchError: There is none, or the file breaks the schema; the message names each field.
    """
    if not isinstance(name, str | os.PathLike):
        raise RecbenchError(
            f"A suite is a name or the path of a file, not {type(name).__name__}.",
            'For example: recbench.suite("small"), or recbench.suite(tasks=["synthetic", "ml-100k"], models=["ease"])',
        )
    text = os.fspath(name)
    if spec := builtin_suites().get(text):
        return spec
    if text.endswith(SUFFIX) or any(mark in text for mark in ("/", os.sep)):
        return read_suite(Path(text))
    raise unknown_name("suite", text, builtin_suites(), "A name of 'recbench suite list', or the path of a suite file.")


def read_suite(path: Path) -> SuiteSpec:
    """Reads a suite file; paths of spec files and of settings are taken from its folder.

    Raises:
        RecbenchError: The file is missing, is not TOML, or breaks the schema; the message names each field.
    """
    spec = SUITE_FILE.load(path, SuiteSpec)
    tasks = tuple(os.fspath(path.parent / task) if SPEC_FILE.search(task) else task for task in spec.tasks)
    settings = spec.settings
    if settings is not None and settings.endswith(SUFFIX):
        settings = os.fspath(path.parent / settings)
    return spec.model_copy(update={"tasks": tasks, "settings": settings})
