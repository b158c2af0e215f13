"""Whether two records were timed on the same machine: only then can their throughput be compared."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

from recbench.records.schema import Record


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What speed hangs on most. Chosen by hand: with every version in it, no two records would ever match.

    Attributes:
        cpu: The processor's model name.
        cores: Cores that the process could use.
        threads: Threads that the model was allowed.
        device: What was asked for.
        os: Operating system and its release.
        tensorflow: Version of TensorFlow; empty where it is not installed.
    """

    cpu: str
    cores: int
    threads: int
    device: str
    os: str
    tensorflow: str

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
            machine.packages.get("tensorflow", ""),
        )


def differences(records: Iterable[Record]) -> list[str]:
    """Returns a line for each part in which the machines of ``records`` differ, with its values; none if all agree."""
    prints = [Fingerprint.of(record) for record in records]
    found = []
    for field in fields(Fingerprint):
        values = list(dict.fromkeys(str(getattr(one, field.name)) or "none" for one in prints))
        if len(values) > 1:
            found.append(f"{field.name} {' against '.join(values)}")
    return found
