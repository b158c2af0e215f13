"""Specs by name: those that come with recbench, and those that a user made of a dataset of the catalogue."""

from functools import cache
from importlib import resources
from pathlib import Path

import tomli_w

from recbench.data.cache import atomic_path, home
from recbench.tasks.names import SPEC_SUFFIX
from recbench.tasks.spec import TaskSpec, parse_spec, read_spec


@cache
def builtin_specs() -> dict[str, TaskSpec]:
    """Returns the builtin specs, by name."""
    folder = resources.files("recbench.tasks").joinpath("builtin")
    specs = [
        parse_spec(file.read_text(encoding="utf-8"), file.name)
        for file in folder.iterdir()
        if file.name.endswith(SPEC_SUFFIX)
    ]
    return {spec.name: spec for spec in sorted(specs, key=lambda spec: spec.name)}


def own_spec_path(name: str) -> Path:
    """Returns the file in the cache for the spec of the user's own task ``name``."""
    return home() / "tasks" / "own" / f"{name}{SPEC_SUFFIX}"


def own_spec(name: str) -> TaskSpec | None:
    """Returns the spec of the user's own task ``name``; None if the cache has no spec of that name.

    Raises:
        RecbenchError: The spec file cannot be read.
    """
    path = own_spec_path(name)
    return read_spec(path) if path.exists() else None


def spec_of(name: str) -> TaskSpec | None:
    """Returns the spec of a builtin task or of the user's own; None if there is no spec of that name.

    Raises:
        RecbenchError: The spec file cannot be read.
    """
    return builtin_specs().get(name) or own_spec(name)


def save_own_spec(spec: TaskSpec) -> Path:
    """Stores a spec under its name among the user's own.

    Raises:
        RecbenchError: The cache cannot be written.
    """
    path = own_spec_path(spec.name)
    with atomic_path(path) as temporary:
        temporary.write_text(spec_text(spec, pinned=True), encoding="utf-8", newline="\n")
    return path


def spec_text(spec: TaskSpec, *, pinned: bool) -> str:
    """Returns a spec as TOML.

    Args:
        spec: The spec.
        pinned: Whether the text names the digest that the task must have.
    """
    return tomli_w.dumps(spec.model_dump(mode="json", exclude_none=True, exclude=set() if pinned else {"digest"}))
