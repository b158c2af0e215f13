"""The trials of a run, before they have run."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from recbench.errors import RecbenchError
from recbench.records.schema import ParameterValue, TaskIdentity, stem
from recbench.trials.conditions import Conditions
from recbench.trials.registry import ModelReference, find_model


@dataclass(frozen=True, slots=True)
class WantedModel:
    """A model as it was asked for.

    Attributes:
        reference: Which.
        texts: The texts of the parameters that were given.
        variant: What tells it apart where a run has the model several times, such as ``factors=16``.
    """

    reference: ModelReference
    texts: dict[str, str] = field(default_factory=dict)
    variant: str = ""


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A model whose parameters have been checked; its class is known to the process that trains it, not here.

    Attributes:
        wanted: As it was asked for.
        parameters: All hyper-parameters, defaults included.
        code_version: Hash of the model's source.
    """

    wanted: WantedModel
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


def wanted_models(parameters: dict[str, dict[str, str]]) -> list[WantedModel]:
    """Finds the models, without importing any.

    Args:
        parameters: For each model in its order, the texts of its parameters.

    Raises:
        RecbenchError: There is no such model, or two share a name.
    """
    wanted = [WantedModel(find_model(name), texts) for name, texts in parameters.items()]
    doubles = [name for name, count in Counter(one.reference.name for one in wanted).items() if count > 1]
    if doubles:
        raise RecbenchError(
            f"Two models share the name {', '.join(sorted(doubles))}.", "Run them into different folders."
        )
    return wanted


def plan(models: Sequence[PlannedModel], seeds: Iterable[int]) -> list[PlannedTrial]:
    """Returns the trials, model by model."""
    every = list(seeds)
    return [PlannedTrial(model, seed) for model in models for seed in every]
