"""The entry points of installed packages, such as models and metrics of plugins. A process scans them once."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from importlib import metadata
from pathlib import Path


def entry_points_of(group: str) -> Sequence[metadata.EntryPoint]:
    """Returns the entry points of a group.

    A scan opens a file of each installed package, which takes long in a large environment. It is repeated only if a
    folder of the Python path has changed, as it has after an installation.

    Args:
        group: The name of the group, such as ``recbench.models``.
    """
    return _scan(tuple((entry, _changed_at(entry)) for entry in sys.path)).get(group, ())


def _changed_at(entry: str) -> int | None:
    """Returns the time of the last change of a folder or archive of the Python path; None if there is none."""
    # The Python path may name folders that do not exist.
    with suppress(OSError, ValueError):
        return Path(entry or ".").stat().st_mtime_ns
    return None


@lru_cache(maxsize=1)
def _scan(state: tuple[tuple[str, int | None], ...]) -> dict[str, tuple[metadata.EntryPoint, ...]]:
    """Scans all installed packages; returns their entry points by group.

    Args:
        state: The Python path with the times of the last changes, which decide whether a scan is still valid.
    """
    del state
    points = metadata.entry_points()
    return {group: tuple(points.select(group=group)) for group in points.groups}
