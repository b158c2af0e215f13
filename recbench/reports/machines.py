"""Whether two records were timed on the same machine with the same versions: only then can their times be compared."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

from recbench.builtin_models import BRIDGES
from recbench.counted import counted
from recbench.records.schema import Environment, Record

NUMERIC_PACKAGES: Final = frozenset(
    [
        "catboost", "jax", "jaxlib", "keras", "lightfm", "lightgbm", "llvmlite", "numba", "numexpr", "numpy",
        "pm-implicit", "scikit-learn", "scipy", "tensorflow", "tensorflow-cpu", "torch", "triton", "xgboost", *BRIDGES,
    ]
)  # fmt: skip
"""Packages whose versions decide the speed of a fit: they compute in native code, or train the models of a bridge.

They are chosen by hand. With all packages, an update of the time zones would turn the gate of throughput off. So would
a new version of the model's own package, and that package is the code that the gate is about.
"""

SHOWN: Final = 3
"""Versions that a message shows."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The machine that a trial ran on, as far as speed depends on it.

    Attributes:
        cpu: The processor's model name.
        cores: Cores that the process could use.
        threads: Threads that the model was allowed.
        device: The option ``--device``.
        os: Operating system and its release.
        gpu: The GPUs that the trial used; None for none.
    """

    cpu: str
    cores: int
    threads: int
    device: str
    os: str
    gpu: str | None

    @classmethod
    def of(cls, record: Record) -> Self:
        """Returns the fingerprint of what a trial ran on."""
        machine = record.environment
        return cls(
            machine.cpu,
            machine.cores,
            record.threads,
            record.device,
            machine.os,
            ", ".join(gpu.name for gpu in machine.gpus) or None,
        )


def differences(records: Iterable[Record]) -> list[str]:
    """Returns a line for each part in which the machines of ``records`` differ, with its values; none if all agree.

    A record without a GPU agrees with any: its model does not use it, or the record is older than the field.
    """
    names = [field.name for field in fields(Fingerprint)]
    prints = [Fingerprint.of(record) for record in records]
    return _differing(names, [{name: getattr(fingerprint, name) for name in names} for fingerprint in prints])


def version_differences(records: Iterable[Record]) -> list[str]:
    """Returns a line for each version in which ``records`` differ, at most ``SHOWN`` and a count of the others.

    These are the versions of Python, without its patch release, and of ``NUMERIC_PACKAGES``. A record without a package
    agrees with any: its model does not import it, or the record is older than its list.

    Args:
        records: Records of one model, or of models with the same interpreter.
    """
    lines = _differing(["Python", *sorted(NUMERIC_PACKAGES)], [_versions(record.environment) for record in records])
    others = len(lines) - SHOWN
    return [*lines[:SHOWN], *([counted(others, "more package")] if others > 0 else [])]


def version_differences_within(records: Iterable[Record]) -> list[str]:
    """Returns the version differences among the records of each interpreter.

    The environments of other frameworks hold different packages by design, and a table says which framework it shows.
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.environment.interpreter, []).append(record)
    return list(dict.fromkeys(line for group in groups.values() for line in version_differences(group)))


def _versions(environment: Environment) -> dict[str, str]:
    # A record writes the name of a package as its author does, such as RecTools.
    packages = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in environment.packages.items()}
    return {**packages, "Python": ".".join(environment.python.split(".")[:2])}


def _differing(names: Iterable[str], parts: Sequence[Mapping[str, object]]) -> list[str]:
    """Returns a line for each name that has several values; a value that is None or absent agrees with any."""
    lines = []
    for name in names:
        given = [value for of_record in parts if (value := of_record.get(name)) is not None]
        values = list(dict.fromkeys(str(value) or "none" for value in given))
        if len(values) > 1:
            lines.append(f"{name} {' against '.join(values)}")
    return lines
