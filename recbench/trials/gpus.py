"""The GPUs that a trial has computed on. No framework is imported to find out."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from recbench.operating_system.descendants import descendants, is_own
from recbench.records.schema import Gpu

SECONDS = 20
"""Without its persistence daemon, the driver takes seconds to answer."""


def gpus_used(*, reported: bool) -> tuple[Gpu, ...]:
    """Returns the GPUs that this process and those below it use; none on a CPU.

    Processes that have loaded no GPU driver cost no query. NVIDIA's driver lists the processes on each GPU. In a
    container it may list none: then all visible GPUs are returned if the model has reported that it used one. Of other
    makes, the name is what a loaded PyTorch tells, and the driver is known on Linux only.

    Args:
        reported: Whether the model has reported ``device="gpu"``.
    """
    if not (reported or _has_loaded_driver()):
        return ()
    gpus = {row[0]: Gpu(name=row[1], driver=row[2]) for row in _query("--query-gpu=uuid,name,driver_version", 3)}
    if gpus:
        processes = _query("--query-compute-apps=pid,gpu_uuid", 2)
        own = {uuid for pid, uuid in processes if pid.isdigit() and is_own(int(pid))}
        used = [gpu for uuid, gpu in gpus.items() if uuid in own]
        return tuple(used or (gpus.values() if reported or _torch_on_gpu() else ()))
    if reported or _torch_on_gpu():
        return (Gpu(name=_torch_name() or "unknown", driver=_other_driver()),)
    return ()


def _has_loaded_driver() -> bool:
    # A model's own interpreter, and processes that a model starts, compute below this one.
    maps = [_map_of(pid) for pid in (os.getpid(), *(process.pid for process in descendants(os.getpid())))]
    if maps[0] is None:
        return _torch_on_gpu()
    return any("libcuda.so" in text or "libamdhip64.so" in text for text in maps if text)


def _map_of(pid: int) -> str | None:
    """Returns the files that a process has loaded, a line each; None if nobody tells."""
    try:
        return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        # Only Linux has this file, and the process may have ended.
        return None


def _query(what: str, columns: int) -> list[list[str]]:
    """Asks NVIDIA's driver; returns rows of that many columns, and none if there is no such driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run(
            [program, what, "--format=csv,noheader"], capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        # The driver's program is missing or fails: the record then names no GPU.
        return []
    rows = [[cell.strip() for cell in row] for row in csv.reader(done.stdout.splitlines())]
    return [row for row in rows if len(row) == columns]


def _torch_on_gpu() -> bool:
    torch: Any = sys.modules.get("torch")
    try:
        # Asks nothing of the driver.
        return bool(torch is not None and torch.cuda.is_initialized())
    except AttributeError:
        return False


def _torch_name() -> str | None:
    if not _torch_on_gpu():
        return None
    name = sys.modules["torch"].cuda.get_device_name()
    return name if isinstance(name, str) else None


def _other_driver() -> str | None:
    try:
        return Path("/sys/module/amdgpu/version").read_text(encoding="utf-8").strip() or None
    except OSError:
        # There is no such driver.
        return None
