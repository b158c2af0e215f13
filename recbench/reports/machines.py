"""Whether two records were timed on the same machine: only then can their throughput be compared."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

from recbench.records.schema import Record


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The conditions on which speed depends most.

    They are chosen by hand: with the versions of all packages, no two records would match.

    Attributes:
        cpu: The processor's model name.
        cores: Cores that the process could use.
        threads: Threads that the model was allowed.
        device: The option ``--device``.
        os: Operating system and its release.
        tensorflow: Version of TensorFlow; None if the model does not import it.
        gpu: The GPUs that the trial used; None for none.
    """

    cpu: str
    cores: int
    threads: int
    device: str
    os: str
    tensorflow: str | None
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
            machine.packages.get("tensorflow"),
            ", ".join(gpu.name for gpu in machine.gpus) or None,
        )


def differences(records: Iterable[Record]) -> list[str]:
    """Returns a line for each part in which the machines of ``records`` differ, with its values; none if all agree.

    A record without a version of TensorFlow, or without a GPU, agrees with any: its model does not use it, or the
    record is older than the field.
    """
    prints = [Fingerprint.of(record) for record in records]
    lines = []
    for field in fields(Fingerprint):
        values = [value for fingerprint in prints if (value := getattr(fingerprint, field.name)) is not None]
        values = list(dict.fromkeys(str(value) or "none" for value in values))
        if len(values) > 1:
            lines.append(f"{field.name} {' against '.join(values)}")
    return lines
