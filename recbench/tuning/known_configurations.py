"""Which known configurations a search may begin with.

recbench never uses a known configuration on the data on which it was found. Otherwise the search that found it would
have to count as effort, and nobody can check how long somebody else searched.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from recbench.tasks.spec import CatalogueData, TaskSpec
from recbench.tasks.task import Task
from recbench.tuning.spaces import Known, ModelSpace

KNOWN_PER_MODEL = 2
"""The most known configurations that a search begins with, the first ones of the file: the same for every model."""


@dataclass(frozen=True, slots=True)
class Data:
    """What a task says about the data that it is cut from.

    Attributes:
        digest: The digest of the task.
        names: The name of the task, and that of its dataset where the task knows it.
        others: The digests of builtin tasks that are cut from the same dataset, with their names.
    """

    digest: str
    names: Collection[str]
    others: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, task: Task, builtin: Mapping[str, TaskSpec]) -> Self:
        """Returns what the task says.

        Args:
            task: The task.
            builtin: The specs of the builtin tasks by name.
        """
        dataset = task.spec.dataset
        if not isinstance(dataset, CatalogueData):
            return cls(task.digest, {task.name})
        others = {
            spec.digest: name
            for name, spec in builtin.items()
            if isinstance(spec.dataset, CatalogueData) and spec.dataset.name == dataset.name and spec.digest is not None
        }
        return cls(task.digest, {task.name, dataset.name}, others)

    def finding(self, known: Known) -> str | None:
        """Returns how the task shows that the configuration was found on its data; None if it does not."""
        if self.digest in known.found_on:
            return f"this task, {self.digest[:19]}, is one of its found_on"
        if (
            other := next((self.others[digest] for digest in known.found_on if digest in self.others), None)
        ) is not None:
            return f"the task {other}, which is one of its found_on, is cut from the same dataset"
        own = {name.casefold() for name in self.names}
        name = next((name for name in known.datasets if name.casefold() in own), None)
        return None if name is None else f"this task is cut from {name} too"


def space_for(model: str, space: ModelSpace, data: Data) -> tuple[ModelSpace, Sequence[str]]:
    """Returns the space with the known configurations that a search on this data may begin with.

    Args:
        model: The name of the model, for the lines.
        space: The space as it stands in the file.
        data: What the task says about its data.

    Returns:
        The space, and a line for each configuration that is skipped because it was found on this data.
    """
    findings = [(known, data.finding(known)) for known in space.known]
    usable = tuple(known for known, finding in findings if finding is None)[:KNOWN_PER_MODEL]
    lines = [
        f"{model}: skipped the known configuration from {known.source!r}; it was found on the same data: {finding}."
        for known, finding in findings
        if finding is not None
    ]
    return ModelSpace(space.parameters, usable), lines
