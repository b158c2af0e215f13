"""The processor: its name, and the cores that this process may use."""

import os
import platform
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil


def available_cores() -> int:
    """Returns how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    if hasattr(psutil.Process, "cpu_affinity"):
        return len(psutil.Process().cpu_affinity() or [0])
    return os.cpu_count() or 1


def multiplies_bfloat16() -> bool:
    """Returns whether the processor is known to multiply bfloat16 by itself: AVX512-BF16 or AMX-BF16."""
    # Only Linux has this file.
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("flags"):
                return not {"avx512_bf16", "amx_bf16"}.isdisjoint(line.partition(":")[2].split())
    return False


def processor_name() -> str:
    """Returns the model name of the processor; its architecture where the system does not know the name."""
    # Only Linux has this file.
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        # The name is for people only, and the fallback below has one.
        with suppress(OSError, subprocess.SubprocessError):
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=10, check=True)
            return done.stdout.strip()
    return platform.processor() or platform.machine()
