"""The trials of a run, before they have run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recbench.records.schema import ParameterValue, TaskIdentity, stem
from recbench.registry.models import ModelReference
from recbench.registry.requested import RequestedModel
from recbench.trials.conditions import Conditions


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A model whose parameters have been checked; its class is known to the process that trains it, not here.

    Attributes:
        wanted: As it was asked for.
        parameters: All hyper-parameters, defaults included.
        code_version: Hash of the model's source.
    """

    wanted: RequestedModel
    parameters: dict[str, ParameterValue]
    code_version: str | None

    @property
    def reference(self) -> ModelReference:
        """Which model."""
        return self.wanted.reference

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return self.reference.name


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A trial that has not been run.

    Attributes:
        model: Of what.
        seed: Its seed.
        number: What tells it apart where a model may have several trials of the same seed and even the same
            parameters, as in a tuning.
    """

    model: PlannedModel
    seed: int
    number: int | None = None

    @property
    def label(self) -> str:
        """What it is called in a run, whose trials differ in name, variant or number, or in their seeds."""
        number = "" if self.number is None else f"trial {self.number}"
        what = " ".join(filter(None, (self.model.name, self.model.wanted.variant, number)))
        return f"{what}, seed {self.seed}"

    def stem(self, task: TaskIdentity, conditions: Conditions) -> str:
        """Returns the name of its files."""
        name = stem(
            task,
            self.model.name,
            self.model.reference.target,
            self.model.parameters,
            self.seed,
            threads=conditions.threads,
            device=conditions.device,
        )
        return name if self.number is None else f"{name}--trial{self.number}"


def plan(models: Sequence[PlannedModel], seeds: Iterable[int]) -> list[PlannedTrial]:
    """Returns the trials, model by model."""
    every = list(seeds)
    return [PlannedTrial(model, seed) for model in models for seed in every]
