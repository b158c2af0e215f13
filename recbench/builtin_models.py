"""The package of the builtin models: the folder ``models/`` of the checkout, installed as ``recbench_models``.

Its import name belongs to recbench, so it never takes the place of a package ``models`` of the user's own. In a
checkout and in an editable install no folder has that name; a finder leads the import to ``models/``.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

BUILTIN_PACKAGE: Final = "recbench_models"
"""The name under which the builtin models are imported and installed."""

POPULARITY: Final = "popularity"
"""The model that every other model should beat."""

RANDOM: Final = "random"
"""The model that knows nothing."""

BRIDGES_PACKAGE: Final = f"{BUILTIN_PACKAGE}.bridges"
"""Holds a module for each bridge to another framework."""

GENERIC_BRIDGE: Final = "sklearn"
"""The bridge to a class of the user's, which runs in any interpreter."""

BRIDGES: Final = ("cornac", "implicit", "irspack", "lenskit", "recbole", "rectools", GENERIC_BRIDGE)
"""The bridges to other frameworks: ``cornac:BPR`` names a model of one."""

EARLIER_PACKAGE: Final = "models"
"""Its name in records of before the renaming, and the name of its folder in a checkout."""


def builtin_folder() -> Path:
    """Returns the folder of the package."""
    beside = Path(__file__).resolve().parent.parent
    installed = beside / BUILTIN_PACKAGE
    return installed if installed.is_dir() else beside / EARLIER_PACKAGE


class _Finder(MetaPathFinder):
    """Finds the package, and no other; its modules are then found through the package's path."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - as the import system calls it
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname != BUILTIN_PACKAGE:
            return None
        folder = builtin_folder()
        return spec_from_file_location(fullname, folder / "__init__.py", submodule_search_locations=[str(folder)])


def make_importable() -> None:
    """Lets ``import recbench_models`` find the builtin models."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
