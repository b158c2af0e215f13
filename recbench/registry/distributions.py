"""Which installed distributions the modules of a process come from.

``importlib.metadata.packages_distributions`` answers the same question by parsing the list of files of every
distribution: 0.4 s for 170 of them. The lists are searched here instead.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from recbench.registry.installed import FOLDERS


@dataclass(frozen=True, slots=True)
class Distribution:
    """The name and the version of an installed distribution."""

    name: str
    version: str


def distribution_of(file: Path) -> Distribution | None:
    """Returns the distribution that installed a file; None if no list of files has it."""
    return next(iter(_owners(file.parent, {file.name})), None)


def distributions_of(modules: Iterable[str]) -> dict[str, str]:
    """Returns the names and versions of the distributions that modules come from.

    Args:
        modules: The names of modules that this process has imported.
    """
    files: dict[str, set[str]] = {}
    versions: dict[str, str] = {}
    for package in sorted(_packages(modules)):
        location = _in_folder(_file(package))
        if location is None:
            versions |= _by_name(package)
        else:
            files.setdefault(location[0], set()).add(location[1])
    for folder, inside in files.items():
        for owner in _owners(Path(folder), inside):
            versions[owner.name] = owner.version
    return dict(sorted(versions.items()))


def versions_of(names: Iterable[str]) -> dict[str, str]:
    """Returns the versions of those distributions that are installed."""
    return {name: version for distribution in names for name, version in _by_name(distribution).items()}


def _by_name(name: str) -> dict[str, str]:
    try:
        return {name: metadata.version(name)}
    except (metadata.PackageNotFoundError, ValueError):
        return {}


def _packages(modules: Iterable[str]) -> set[str]:
    """Returns the top packages; of a namespace, which several distributions may share, the packages in it."""
    known = sys.stdlib_module_names | {"recbench", "recbench_models", "__main__"}
    packages = set()
    for name in modules:
        components = name.split(".")
        if components[0] in known:
            continue
        if _file(components[0]):
            packages.add(components[0])
        elif components[1:] and _file(".".join(components[:2])):
            packages.add(".".join(components[:2]))
    return packages


def _file(module: str) -> str:
    # Not by getattr, which lets a module that is loaded lazily load.
    try:
        file = vars(sys.modules[module]).get("__file__")
    except (KeyError, TypeError):
        return ""
    return file if isinstance(file, str) else ""


def _in_folder(file: str) -> tuple[str, str] | None:
    """Returns the folder of installed packages that a file is in, and its path there."""
    path = Path(file)
    for folder in path.parents:
        if folder.name in FOLDERS:
            return str(folder), path.relative_to(folder).as_posix()
    return None


def _owners(folder: Path, files: set[str]) -> list[Distribution]:
    """Returns the distributions in a folder of installed packages that have any of the files."""
    records = {info.name: info / "RECORD" for info in folder.glob("*.dist-info")}
    # Most packages have the name of their distribution: few lists of files need a search for all the others.
    likely = {file: [name for name in records if _is_named_after(name, file)] for file in files}
    owner_names = {name for file, names in likely.items() for name in names if _has_any(records[name], {file})}
    waiting = {file for file, names in likely.items() if owner_names.isdisjoint(names)}
    owner_names |= {name for name in records.keys() - owner_names if waiting and _has_any(records[name], waiting)}
    return [_distribution(records[name].parent) for name in sorted(owner_names)]


def _is_named_after(info: str, file: str) -> bool:
    package = file.partition("/")[0].partition(".")[0]
    return info.lower().replace("-", "_").startswith(f"{package.lower()}_")


def _has_any(record: Path, files: set[str]) -> bool:
    try:
        content = b"\n" + record.read_bytes()
    except OSError:
        # A list of files that was removed, of a package that is not whole: it is not the owner of the files.
        return False
    return any(f"\n{file},".encode() in content for file in files)


def _distribution(info: Path) -> Distribution:
    # Not by importlib.metadata, which parses the whole description for each field.
    name, version, *_ = info.name.removesuffix(".dist-info").split("-")
    try:
        head = (info / "METADATA").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:
        head = ""
    fields = dict(
        line.split(": ", 1) for line in reversed(head.splitlines()) if line.startswith(("Name: ", "Version: "))
    )
    return Distribution(fields.get("Name", name), fields.get("Version", version))
