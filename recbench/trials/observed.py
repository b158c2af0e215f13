"""The fields of a record that are known only once a trial has run: what its model has loaded and read."""

from collections.abc import Mapping
from typing import Any

from recbench.registry.hyperparameters import Configuration
from recbench.registry.models import Origin
from recbench.trials import machine
from recbench.trials.gpus import gpus_used


def observed(configuration: Configuration, facts: Mapping[str, object]) -> dict[str, Any]:
    """Returns the fields; none if nobody has observed the process.

    The code version then covers the modules that were imported during the trial, and the files that were read.

    Args:
        configuration: The model, whose trial is over.
        facts: What the model has reported.
    """
    observation, code = configuration.observation, configuration.code
    if observation is None:
        return {}
    changes = {"gpus": gpus_used(reported=facts.get("device") == "gpu")}
    fields: dict[str, Any] = {"environment": machine.environment_of(configuration).model_copy(update=changes)}
    if configuration.reference.origin is not Origin.BUILTIN:
        sources = observation.late(code.sources, code.files, code.search_path)
        fields |= {"sources": sources, "code_version": sources.version(code.version)}
    return fields
