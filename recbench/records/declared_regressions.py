"""The file in which a pull request declares that a regression is intended.

The file lies beside the history. It is TOML, with a line for each regression:

    "bpr:hr" = "half the memory for a point of HR"

A declaration counts for the pull request that adds it: those that the commit of BASE holds already do not count.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, RootModel

from recbench.errors import RecbenchError
from recbench.git_commands import GitError, run_git
from recbench.records.ancestry import Holder
from recbench.records.results_folder import results_folder
from recbench.records.selection import RecordSet
from recbench.toml_file import TomlKind

NAME: Final = "accepted-regressions.toml"
_KIND: Final = TomlKind(
    "file of accepted regressions",
    if_broken='Each line has a model, a metric and a reason, such as: "bpr:hr" = "half the memory"',
)


class _Declarations(RootModel[dict[str, Annotated[str, Field(min_length=1)]]]):
    """The reasons, by ``MODEL:METRIC``."""


def declarations_file() -> Path:
    """Returns the file, relative to the working folder; it need not exist."""
    return results_folder() / NAME


def declarations(results: Path) -> Mapping[str, str]:
    """Returns all reasons that the file in a folder of results holds, by ``MODEL:METRIC``; none if there is no file.

    Raises:
        RecbenchError: The file cannot be read.
    """
    file = results / NAME
    return _KIND.load(file, _Declarations).root if file.exists() else {}


def declared_regressions(base: RecordSet) -> Mapping[str, str]:
    """Returns the reasons by ``MODEL:METRIC``, without those that the commit of BASE holds already.

    Raises:
        RecbenchError: The file cannot be read.
    """
    file = declarations_file()
    declared = declarations(file.parent)
    before = _declared_before(base, file) if declared else {}
    return {target: reason for target, reason in declared.items() if before.get(target) != reason}


def _declared_before(base: RecordSet, file: Path) -> Mapping[str, str]:
    """Returns what the file held in the commit of BASE; nothing if the commit or the file is unknown."""
    with suppress(GitError, RecbenchError, UnicodeDecodeError):
        commit = Holder(base).accepted_in()
        blob = run_git("cat-file", "blob", f"{commit}:./{file.as_posix()}") if commit else None
        if blob is not None and blob.returncode == 0:
            text = blob.stdout.decode("utf-8")
            return _KIND.check(_KIND.parse(text, str(file)), _Declarations, str(file)).root
    return {}
