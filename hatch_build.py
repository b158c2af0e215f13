"""The build hook: a wheel holds the folder ``models/`` under the name ``recbench_models``.

An editable install has no copy of it, which would grow stale: there, ``recbench.builtin_models`` finds the folder.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ModelsHook(BuildHookInterface[Any]):
    """Adds the builtin models to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Is called by hatchling; ``version`` is ``editable`` for an editable install."""
        if version == "standard":
            build_data["force_include"]["models"] = "recbench_models"
