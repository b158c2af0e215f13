"""Where a TensorFlow model is trained, and on how many threads."""

import contextlib
from collections.abc import Sequence

from .tensorflow_alone import tf
from recbench.device import Device
from recbench.operating_system.processor import multiplies_bfloat16, processor_name
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


def require_bfloat16(device: str) -> None:
    """Makes sure that products of bfloat16 are faster than those of float32, and not imitated by them.

    Args:
        device: What ``training_device`` returned.

    Raises:
        ValueError: It is a CPU that is not known to multiply bfloat16.
    """
    if "CPU" in device and not multiplies_bfloat16():
        raise ValueError(
            f"precision 'bfloat16' needs a processor with AVX512-BF16 or AMX, and {processor_name()} is not known to "
            "have them: leave precision at 'float32'"
        )


def run_side_by_side(threads: int) -> None:
    """Has TensorFlow run that many operations at a time, each on one thread, instead of one on all.

    That is faster where there is more than one to run, and each is small. It is a setting of the whole process, which
    TensorFlow takes until it has begun to work; after that nothing changes, and results do not depend on it.
    """
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.config.threading.set_intra_op_parallelism_threads(1)
