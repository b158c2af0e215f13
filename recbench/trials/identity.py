"""The identity of a trial: the fields of its record that are known before it runs."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, Self

import numpy as np

import recbench
from recbench.protocol import PROTOCOL_VERSION
from recbench.records.schema import ParameterValue, TaskIdentity
from recbench.records.sources import Sources
from recbench.registry.models import ModelReference
from recbench.tasks.kept import Kept
from recbench.tasks.portable_spec import portable_spec
from recbench.tasks.task import Task
from recbench.trials import machine
from recbench.trials.conditions import Conditions


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """The fields of a record that describe its task.

    Attributes:
        identity: Name and digest.
        n_cases: Test cases.
        n_users: Users with a test case.
        n_train: Train rows.
        n_items: Items of the catalogue.
        spec: The spec as TOML; None for a builtin task.
        kept: What the filters and the split keep of the data, if it is known.
    """

    identity: TaskIdentity
    n_cases: int
    n_users: int
    n_train: int
    n_items: int
    spec: str | None
    kept: Kept | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the record."""
        return {
            "task": self.identity,
            "task_spec": self.spec,
            "n_cases": self.n_cases,
            "n_users": self.n_users,
            "n_train": self.n_train,
            "n_items": self.n_items,
            "kept": self.kept,
        }

    @classmethod
    def of(cls, task: Task) -> Self:
        """Returns the facts of a task."""
        return cls(
            TaskIdentity(name=task.name, digest=task.digest),
            len(task.test),
            len(np.unique(task.test.users)),
            task.n_train,
            task.n_items,
            portable_spec(task),
            task.kept,
        )


class ModelIdentity(Protocol):
    """The fields of a record that describe its model, which need not have been imported in this process."""

    @property
    def reference(self) -> ModelReference: ...  # noqa: D102

    @property
    def parameters(self) -> dict[str, ParameterValue]: ...  # noqa: D102

    @property
    def code_version(self) -> str | None: ...  # noqa: D102

    @property
    def sources(self) -> Sources: ...  # noqa: D102

    @property
    def label(self) -> str: ...  # noqa: D102


def identity(task: TaskFacts, model: ModelIdentity, seed: int, conditions: Conditions) -> dict[str, Any]:
    """Returns the identity of a trial that starts now on this machine, as the fields of its record."""
    return {
        **task.fields,
        "protocol_version": PROTOCOL_VERSION,
        "model": model.reference.name,
        "label": model.label,
        "reference": model.reference.recorded,
        "parameters": model.parameters,
        "code_version": model.code_version,
        "sources": model.sources,
        "seed": seed,
        "threads": conditions.threads,
        "device": conditions.device,
        "environment": machine.environment(),
        "revision": conditions.revision,
        "no_revision": conditions.no_revision,
        "recbench_version": recbench.__version__,
        "started_at": datetime.now(UTC),
    }
