"""Where a TensorFlow model is trained."""

from collections.abc import Sequence

import tensorflow as tf

from recbench.device import Device
from recbench.protocol import TrainContext


def training_device(context: TrainContext) -> str:
    """Chooses the device, and reports the choice.

    Raises:
        ValueError: A GPU is asked for, and TensorFlow finds none.
    """
    name = choose_device(context.device, [device.name for device in tf.config.list_logical_devices("GPU")])
    context.report(device="gpu" if "GPU" in name else "cpu")
    return name


def choose_device(wanted: Device, gpus: Sequence[str]) -> str:
    """Returns the name of the first GPU or of the CPU.

    Raises:
        ValueError: A GPU is wanted, and there is none.
    """
    if wanted == "gpu" and not gpus:
        raise ValueError("a GPU is asked for, but TensorFlow finds none; see 'recbench doctor'")
    return "/CPU:0" if wanted == "cpu" or not gpus else gpus[0]
