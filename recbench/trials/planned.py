"""The trials that a run plans."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from recbench.errors import RecbenchError
from recbench.records.schema import ParameterValue, TaskIdentity, stem
from recbench.records.sources import Sources
from recbench.registry.models import ModelReference
from recbench.registry.requested import RequestedModel
from recbench.trials.conditions import Conditions


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A model whose hyper-parameters have been checked; only the process that trains it knows its class.

    Attributes:
        requested: The model as it was requested.
        parameters: All hyper-parameters, defaults included.
        code_version: Hash of the model's code, as far as it is known before training.
        sources: The files that the hash covers.
        search_path: The folders in which the model's process looks for modules.
        integers: Names of the parameters that take integers and no other numbers.
    """

    requested: RequestedModel
    parameters: dict[str, ParameterValue]
    code_version: str | None
    sources: Sources = field(default_factory=Sources)
    search_path: tuple[str, ...] = ()
    integers: tuple[str, ...] = ()

    @property
    def reference(self) -> ModelReference:
        """Which model."""
        return self.requested.reference

    @property
    def name(self) -> str:
        """The model's name."""
        return self.reference.name

    @property
    def label(self) -> str:
        """The user's label of this configuration; empty if it has none."""
        return self.requested.label


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A trial that has not been run.

    Attributes:
        model: The model.
        seed: The seed.
        number: The number of the trial in a tuning, which may repeat a seed and even the hyper-parameters.
    """

    model: PlannedModel
    seed: int
    number: int | None = None

    @property
    def label(self) -> str:
        """Its name in a run, whose trials differ in the title of their model, in number or in seed."""
        number = "" if self.number is None else f" trial {self.number}"
        return f"{self.model.requested.title}{number}, seed {self.seed}"

    def stem(self, task: TaskIdentity, conditions: Conditions) -> str:
        """Returns the name of the trial's files, without an ending."""
        name = stem(
            task,
            self.model.name,
            self.model.reference.recorded,
            self.model.parameters,
            self.seed,
            threads=conditions.threads,
            device=conditions.device,
            label=self.model.label,
        )
        return name if self.number is None else f"{name}--trial{self.number}"


def plan_trials(models: Sequence[PlannedModel], seeds: Iterable[int]) -> list[PlannedTrial]:
    """Returns the trials, model by model.

    Raises:
        RecbenchError: Two models are one configuration, and have no labels that differ.
    """
    titles: dict[str, str] = {}
    for model in models:
        configuration = repr((model.reference.target, model.label, sorted(model.parameters.items())))
        title = titles.setdefault(configuration, model.requested.title)
        if title != model.requested.title:
            raise RecbenchError(
                f"{title!r} and {model.requested.title!r} are the same configuration.",
                "Leave one of them out, or give them labels.",
            )
    every = list(seeds)
    return [PlannedTrial(model, seed) for model in models for seed in every]
