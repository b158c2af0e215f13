"""What a trial runs on: processor, versions, memory; and holding numeric libraries to their threads."""

import platform
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from recbench.device import Device
from recbench.operating_system.guarantees import weaker_guarantees
from recbench.operating_system.memory import peak_memory_bytes
from recbench.operating_system.processor import available_cores, processor_name
from recbench.records.schema import Environment
from recbench.registry.distributions import distributions_of, versions_of
from recbench.registry.hyperparameters import Configuration
from recbench.registry.models import Origin

if TYPE_CHECKING:
    from recbench.foreign.proxy import ForeignModel

ALWAYS_LISTED = ("numpy", "scipy", "pandas")
"""The packages that every record lists if they are installed: recbench loads them before the model."""
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def library_settings(threads: int, device: Device = "auto") -> Mapping[str, str]:
    """Returns the environment that holds numeric libraries to threads and device, if set before they are loaded."""
    return {
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        **({"CUDA_VISIBLE_DEVICES": "-1"} if device == "cpu" else {}),
    }


@cache
def environment() -> Environment:
    """Returns what this process runs on, without the packages that a model has imported."""
    return Environment(
        cpu=processor_name(),
        cores=available_cores(),
        os=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages=versions_of(ALWAYS_LISTED),
        weaker_guarantees=tuple(weaker_guarantees()),
    )


def environment_of(configuration: Configuration) -> Environment:
    """Returns what a model runs on, with the versions of its packages so far; those of its own interpreter."""
    if (foreign := _foreign_class(configuration)) is not None:
        from recbench.registry.foreign_models import parts_of

        own = {
            "python": foreign.connection.python,
            "packages": foreign.packages,
            "interpreter": parts_of(configuration.reference)[1],
        }
        return environment().model_copy(update=own)
    observation = configuration.observation
    packages = package_versions(observation.modules if observation is not None else ())
    return environment().model_copy(update={"packages": packages})


def peak_memory_of(configuration: Configuration) -> int | None:
    """Returns the peak resident memory of this process, and of the model's own if it has one, added.

    It is unknown after the model's process has ended.
    """
    foreign, own = _foreign_class(configuration), peak_memory_bytes()
    if own is None or foreign is None:
        return own
    of_model = peak_memory_bytes(foreign.connection.pid)
    return None if of_model is None else own + of_model


def _foreign_class(configuration: Configuration) -> "type[ForeignModel] | None":
    """Returns the class of a model with an interpreter of its own; None for any other model.

    Only such a model loads the modules for it: all trials would start more slowly.
    """
    if configuration.reference.origin is not Origin.FOREIGN:
        return None
    from recbench.foreign.proxy import ForeignModel

    assert issubclass(configuration.model_class, ForeignModel)
    return configuration.model_class


def package_versions(modules: Iterable[str]) -> dict[str, str]:
    """Returns the versions of the packages that modules come from, and of those that are always listed.

    Args:
        modules: The names of the modules that were imported for a model.
    """
    return dict(sorted({**environment().packages, **distributions_of(modules)}.items()))
