"""Models as a user asks for them, before any of them is imported."""

from collections import Counter
from dataclasses import dataclass, field

from recbench.errors import RecbenchError
from recbench.registry.models import ModelReference, find_model


@dataclass(frozen=True, slots=True)
class RequestedModel:
    """A model as it was asked for.

    Attributes:
        reference: Which.
        texts: The texts of the parameters that were given.
        variant: What tells it apart where a run has the model several times, such as ``factors=16``.
    """

    reference: ModelReference
    texts: dict[str, str] = field(default_factory=dict)
    variant: str = ""


def request_models(parameters: dict[str, dict[str, str]]) -> list[RequestedModel]:
    """Finds the models, without importing any.

    Args:
        parameters: For each model in its order, the texts of its parameters.

    Raises:
        RecbenchError: There is no such model, or two share a name.
    """
    wanted = [RequestedModel(find_model(name), texts) for name, texts in parameters.items()]
    doubles = [name for name, count in Counter(one.reference.name for one in wanted).items() if count > 1]
    if doubles:
        raise RecbenchError(
            f"Two models share the name {', '.join(sorted(doubles))}.", "Run them into different folders."
        )
    return wanted
