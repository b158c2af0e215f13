"""What a trial runs on: processor, versions, memory, revision; and holding numeric libraries to their threads."""

import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib import metadata

from recbench.device import Device
from recbench.operating_system import available_cores, processor_name, weaker_guarantees
from recbench.records.schema import Environment, Revision

PACKAGES = ("tensorflow", "keras", "implicit", "numpy", "scipy", "pandas")
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
    """Returns what this process runs on."""
    return Environment(
        cpu=processor_name(),
        cores=available_cores(),
        os=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages=package_versions(),
        weaker_guarantees=tuple(weaker_guarantees()),
    )


def package_versions() -> dict[str, str]:
    """Returns the versions of the installed packages among those that matter."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def revision() -> Revision | None:
    """Returns the git revision of the working folder; None where there is no repository, commit or git."""
    sha = _git("rev-parse", "HEAD")
    if sha is None:
        return None
    return Revision(sha=sha.strip(), dirty=bool((_git("status", "--porcelain", "--untracked-files=no") or "").strip()))


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, encoding="utf-8", errors="surrogateescape", timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
