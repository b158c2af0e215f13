"""Prints the size of the environment that runs this program, and of the part of it that a gate needs.

    python tests/environment_size.py [MOST]

Bytecode is counted apart: pip compiles every module that it installs, uv and ``pip install --no-compile`` do not.
With MOST, a size in MB, the exit code is 1 if the rest of the environment is larger.
"""

import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from recbench.requirements import gate_requirements

MOST_OF_A_GATE = 150


def closure(names: Iterable[str]) -> set[str]:
    """Returns the names of installed distributions and of all that they require, directly or through others."""
    waiting, seen = list(names), set[str]()
    while waiting:
        name = canonicalize_name(waiting.pop())
        try:
            lines = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        if name not in seen:
            seen.add(name)
            waiting += [
                requirement.name
                for requirement in map(Requirement, lines)
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            ]
    return seen


def sizes(of: Distribution) -> tuple[int, int]:
    """Returns the bytes of a distribution's files and of their bytecode."""
    paths = {Path(str(of.locate_file(file))) for file in of.files or ()}
    files = [path for path in paths if path.suffix != ".pyc" and path.is_file()]
    bytecode = {cache for path in files for cache in path.parent.glob(f"__pycache__/{path.stem}.*.pyc")}
    return sum(path.stat().st_size for path in files), sum(path.stat().st_size for path in bytecode)


def main(most: float | None = None) -> int:
    """Prints the sizes; returns the exit code."""
    measured = {canonicalize_name(dist.name): sizes(dist) for dist in distributions()}
    total, bytecode = (sum(column) / 1e6 for column in zip(*measured.values(), strict=True))
    gate = sum(measured[name][0] for name in closure(Requirement(line).name for line in gate_requirements())) / 1e6
    largest = sorted(measured, key=lambda name: -measured[name][0])[:5]
    print(f"{len(measured)} packages: {total:.0f} MB, and {bytecode:.0f} MB of bytecode")
    print("largest: " + ", ".join(f"{name} {measured[name][0] / 1e6:.0f} MB" for name in largest))
    print(f"of these, for a gate only: {gate:.0f} MB")
    return int(most is not None and (total > most or gate > MOST_OF_A_GATE))


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))
