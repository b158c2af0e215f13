"""How much memory the container of this process has left: limits of control groups (cgroups), which Linux has."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

MOUNT: Final = Path("/sys/fs/cgroup")
MEMBERSHIP: Final = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class _Files:
    """What one version of control groups calls its values.

    Attributes:
        limit: The file of the limit.
        used: The file of the memory in use, which includes what the system keeps of files.
        droppable: The line of ``memory.stat`` with what the system drops of it first.
    """

    limit: str
    used: str
    droppable: str


_FIRST: Final = _Files("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_SECOND: Final = _Files("memory.max", "memory.current", "inactive_file")


def container_memory_left(mount: Path = MOUNT, membership: Path = MEMBERSHIP) -> int | None:
    """Returns the bytes that this process may take before its container, or a group above it, reaches its limit.

    Args:
        mount: Where control groups are mounted.
        membership: The file that names the groups of the process.

    Returns:
        None where there is no limit, or none can be read.
    """
    bytes_left = [left for folder, files in _groups(mount, membership) if (left := _left(folder, files)) is not None]
    return min(bytes_left, default=None)


def _groups(mount: Path, membership: Path) -> Iterator[tuple[Path, _Files]]:
    """Yields the folders of the process's group and of all groups above it, for both versions."""
    try:
        lines = membership.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        # A system without control groups.
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            base, files = mount, _SECOND
        elif "memory" in controllers.split(","):
            base, files = mount / "memory", _FIRST
        else:
            continue
        # In a container, the path may be that of the host. The root is then the container's own group.
        names = [name for name in PurePosixPath(path).parts if name != "/"]
        for depth in range(len(names) if ".." not in names else 0, -1, -1):
            yield base.joinpath(*names[:depth]), files


def _left(folder: Path, files: _Files) -> int | None:
    # A group without a limit says "max", which is no number, or a number beyond any memory.
    with suppress(OSError, ValueError):
        limit = int((folder / files.limit).read_text(encoding="ascii"))
        used = int((folder / files.used).read_text(encoding="ascii"))
        return max(limit - max(used - _droppable(folder, files.droppable), 0), 0)
    return None


def _droppable(folder: Path, name: str) -> int:
    # Without this file, all memory counts as used.
    with suppress(OSError, ValueError):
        for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0
