"""The files that a trial's model consists of, as its record lists them."""

import hashlib
from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict

from recbench.counted import counted

CHANGED: Final = "changed during the trial"
"""Stands for the hash of a file that was changed after the trial had read it: such a record is never kept."""


class Sources(BaseModel):
    """Paths and SHA-256 hashes of files, without those of the standard library, installed packages and recbench.

    Attributes:
        modules: The modules that are known before training: the model's module and what it imports. A path is that of
            the module's name, such as ``shop/net.py``.
        named: The files that the class names in ``sources``, as it names them.
        late_modules: The modules that were imported only while the model was trained or scored.
        data: Other files that were opened for reading; by their path from the working folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    modules: dict[str, str] = {}
    named: dict[str, str] = {}
    late_modules: dict[str, str] = {}
    data: dict[str, str] = {}

    @property
    def counts(self) -> str:
        """How many files these are, in words; empty for none."""
        numbers = {
            "source file": len(self.modules) + len(self.late_modules),
            "data file": len(self.named) + len(self.data),
        }
        return ", ".join(counted(number, kind) for kind, number in numbers.items() if number)

    def version(self, before: str | None) -> str | None:
        """Returns the code version of a trial that has loaded and read these files.

        Args:
            before: The version that was known before training; it covers ``modules`` and ``named``.
        """
        return extended_version(before, late_modules=self.late_modules, data=self.data)

    def together(self, other: "Sources") -> "Sources":
        """Returns the files of both."""
        fields = type(self).model_fields
        return Sources(**{name: {**getattr(self, name), **getattr(other, name)} for name in fields})

    def differing(self, other: "Sources") -> list[str]:
        """Returns the files that both list, with other content."""
        return sorted(
            path
            for files, other_files in zip(self._kinds(), other._kinds(), strict=True)
            for path in files.keys() & other_files.keys()
            if files[path] != other_files[path]
        )

    def _kinds(self) -> tuple[dict[str, str], ...]:
        # A module may be imported early by one trial and late by another.
        return {**self.modules, **self.late_modules}, self.named, self.data


def extended_version(version: str | None, **files: Mapping[str, str]) -> str | None:
    """Returns the version of code that also consists of these files; the same version if there are none.

    Args:
        version: The version of the code without the files; None if it is not known.
        files: The hashes of files by path, for each kind of file.
    """
    lines = [
        f"{kind} {known} {path}\n" for kind, paths in sorted(files.items()) for path, known in sorted(paths.items())
    ]
    if version is None or not lines:
        return version
    text = f"{version}\n{''.join(lines)}"
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
