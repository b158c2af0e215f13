"""Every recbench that the Python path shows. If there are several, the wrong one may run."""

import json
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from recbench.requirements import PROJECT, running_folder


def other_installations() -> list[Path]:
    """Returns the folders that hold another recbench than the one that runs, in the order of the Python path."""
    folders = [*_importable(), *(_folder_of(distribution) for distribution in metadata.distributions(name=PROJECT))]
    running = running_folder()
    return [folder for folder in dict.fromkeys(folders) if folder != running and (folder / PROJECT).is_dir()]


def _importable() -> list[Path]:
    folders = [Path(entry or ".").resolve() for entry in sys.path]
    return [folder for folder in folders if (folder / PROJECT / "__init__.py").is_file()]


def _folder_of(distribution: metadata.Distribution) -> Path:
    """Returns the folder of a distribution's package; for an editable install, the checkout."""
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        origin = {}
    if origin.get("dir_info", {}).get("editable"):
        # Here, for it takes longer to import than all else that a short command does.
        from urllib.request import url2pathname

        return Path(url2pathname(urlsplit(origin["url"]).path)).resolve()
    return Path(str(distribution.locate_file(""))).resolve()
