"""The git revision of a run, and whether it holds the files that a model consists of."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import psutil

from recbench.builtin_models import BRIDGES_PACKAGE, BUILTIN_PACKAGE, GENERIC_BRIDGE
from recbench.git_commands import GitError, git_output
from recbench.records.results_folder import BASELINES, HISTORY, results_folders
from recbench.records.schema import Record, Revision
from recbench.records.sources import Sources
from recbench.registry.file_hashes import file_hash
from recbench.registry.input_files import InputFiles
from recbench.registry.installed import is_installed
from recbench.registry.models import ModelReference, Origin
from recbench.registry.user_modules import folders_of
from recbench.trials.planned import PlannedModel

GENERIC: Final = f"{BRIDGES_PACKAGE}.{GENERIC_BRIDGE}:"
"""Begins the target of a class of the user's that runs through a bridge."""
LINK: Final = "120000"
SUBMODULE: Final = "160000"
PYTHON: Final = ".py"
OF_RESULTS: Final = (BASELINES, HISTORY, "README.md", ".gitattributes", ".gitignore")
"""What recbench writes into a folder of results, and no training depends on."""
MOST_NAMED: Final = 5
"""Files that a record names as not committed."""


def revision_fields() -> dict[str, Any]:
    """Returns the fields of a record for the git revision of the working folder."""
    try:
        git_output("rev-parse", "--git-dir")
    except GitError as error:
        # Outside of a repository, git has refused nothing.
        return {"revision": None, "no_revision": None if error.is_outside else error.message}
    try:
        sha = git_output("rev-parse", "--verify", "HEAD^{commit}").decode().strip()
    except GitError:
        return {"revision": None, "no_revision": "The git repository has no commit yet, or its HEAD is damaged."}
    try:
        changed = _changed_files()
    except GitError as error:
        return {"revision": Revision(sha=sha, dirty=True, reasons=(f"Changes are not known: {error.message}",))}
    return {"revision": Revision(sha=sha, dirty=bool(changed), reasons=tuple(_shortened(changed)) or None)}


def _changed_files() -> list[str]:
    """Returns what the commit does not hold of the tracked files, without those in which recbench keeps results.

    Otherwise the second task of a run that adds to the history would have uncommitted changes.
    """
    own = [f":(exclude,literal){(folder / name).as_posix()}" for folder in results_folders() for name in OF_RESULTS]
    status = git_output("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", "--", ":/", *own)
    return [
        f"{os.fsdecode(line[3:])} {'is not in' if line.startswith(b'A') else 'differs from'} the commit"
        for line in status.split(b"\0")
        if line
    ]


def with_own_files_checked(record: Record, model: PlannedModel) -> Record:
    """Returns the record of a trial that has just ended, dirty unless its revision holds the model's own files.

    Own files are the model's module, the modules that it has imported, and the files that its class names, without
    those of installed packages. They must be tracked in the revision, and have the content there that the trial used.
    """
    revision = record.revision
    if revision is None or _is_builtin(model.reference):
        return record
    own = _shortened(_differences(record.sources, model, revision.sha))
    reasons = list(dict.fromkeys([*(revision.reasons or ()), *own]))
    checked = revision.model_copy(update={"dirty": revision.dirty or bool(reasons), "reasons": tuple(reasons)})
    return record.model_copy(update={"revision": checked})


def of_unknown_files(record: Record, reason: str) -> Record:
    """Returns the record, dirty because nobody knows which files the model's code consists of."""
    if record.revision is None:
        return record
    unknown = record.revision.model_copy(update={"dirty": True, "reasons": (reason,)})
    return record.model_copy(update={"revision": unknown})


def _shortened(reasons: Sequence[str]) -> list[str]:
    more = len(reasons) - MOST_NAMED
    return [*reasons[:MOST_NAMED], *([f"{more} more files"] if more > 0 else [])]


def _differences(sources: Sources, model: PlannedModel, sha: str) -> list[str]:
    """Returns what the revision does not hold, each with the reason."""
    try:
        repository = Path(os.fsdecode(git_output("rev-parse", "--show-toplevel")).rstrip("\n"))
        files, reasons = _own_files(sources, model)
        # The model's file is given by its path, and is also among its modules.
        return list(dict.fromkeys([*reasons, *_uncommitted(files, _Commit(repository, sha))]))
    except GitError as error:
        return [f"The model's files cannot be looked up: {error.message}"]


@dataclass(frozen=True, slots=True)
class _OwnFile:
    """A file of a model.

    Attributes:
        name: As the record names it.
        path: Where it is; absolute, links are not resolved.
        content: Its hash in the trial; None if only the present content is known.
    """

    name: str
    path: Path
    content: str | None


def _own_files(sources: Sources, model: PlannedModel) -> tuple[list[_OwnFile], list[str]]:
    """Returns the model's files that belong to no installed package, and why others are not known."""
    reference = model.reference
    folders = [*_folders(reference), *(Path(entry).absolute() for entry in model.search_path)]
    files, reasons = [], []
    if reference.origin is Origin.VALUE:
        file = _defining_file(reference)
        if file is None:
            reasons.append(f"{reference.name} is defined in no file, but in a notebook or an interactive session")
        elif not is_installed(str(file)):
            files.append(_OwnFile(file.name, file, None))
    elif reference.origin is Origin.FILE:
        file = Path(reference.target.rpartition(":")[0]).absolute()
        files.append(_OwnFile(file.name, file, None))
    elif not sources.modules and reference.origin is not Origin.PLUGIN:
        reasons.append(f"the files of {reference.name} are not known")
    modules = {**sources.modules, **sources.late_modules}
    for name, content in modules.items():
        path = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if path is None:
            reasons.append(f"{name} no longer exists")
        elif not is_installed(str(path)):
            files.append(_OwnFile(name, path, content))
    near = list(dict.fromkeys([*(file.path.parent for file in files), *folders]))
    for name, content in sources.named.items():
        path = next((folder / name for folder in near if (folder / name).is_file()), None)
        if path is None:
            reasons.append(f"{name} no longer exists")
        else:
            files.append(_OwnFile(name, path, content))
    # A module that was loaded by its path counts as a file that was read.
    inputs = InputFiles(str(Path.cwd()), ())
    files += [
        _OwnFile(name, Path(inputs.find(name)), content)
        for name, content in sources.data.items()
        if name.endswith(PYTHON)
    ]
    return files, reasons


def _is_builtin(reference: ModelReference) -> bool:
    is_foreign = reference.origin is Origin.FOREIGN
    is_own = reference.target.startswith(f"{BUILTIN_PACKAGE}.") and not reference.target.startswith(GENERIC)
    return reference.origin is Origin.BUILTIN or (is_foreign and is_own)


def _folders(reference: ModelReference) -> list[Path]:
    if reference.origin is not Origin.FILE:
        return [Path.cwd()]
    file = Path(reference.target.rpartition(":")[0])
    return list(dict.fromkeys([file.absolute().parent, *folders_of(file.resolve())]))


def _defining_file(reference: ModelReference) -> Path | None:
    """Returns the file that defines a class which was sent by value; None if there is none, or it was edited since."""
    module = sys.modules.get(reference.target.partition(":")[0])
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not os.path.isfile(file):  # noqa: PTH113 - also answers for any text
        return None
    path = Path(file).absolute()
    return path if path.stat().st_mtime < psutil.Process().create_time() else None


@dataclass(frozen=True, slots=True)
class _Commit:
    """A commit of a repository, which may be a submodule.

    Attributes:
        repository: The top folder of its work tree.
        sha: The commit.
    """

    repository: Path
    sha: str

    def entry(self, path: Path) -> tuple["_Commit", str, str, str] | None:
        """Returns the commit that tracks a path, the path in it, its mode and its object; None if none does.

        For a file behind a link to a folder, it is that of the link.
        """
        root = self.repository if path.is_relative_to(self.repository) else self.repository.resolve()
        if not path.is_relative_to(root):
            return None
        components = path.relative_to(root).parts
        entries = _entries(self)
        for length in range(1, len(components) + 1):
            name = "/".join(components[:length])
            if name not in entries:
                continue
            mode, identity = entries[name]
            if mode == SUBMODULE:
                return _Commit(root / name, identity).entry(path)
            return self, name, mode, identity
        return None


@lru_cache(maxsize=8)
def _entries(commit: _Commit) -> Mapping[str, tuple[str, str]]:
    """Returns mode and object of every tracked path."""
    listing = git_output("ls-tree", "-r", "-z", "--full-tree", commit.sha, folder=commit.repository)
    entries = {}
    for line in listing.split(b"\0"):
        described, _, name = line.partition(b"\t")
        if name:
            mode, _, identity = described.decode().split(" ")
            entries[os.fsdecode(name)] = mode, identity
    return entries


def _uncommitted(files: Sequence[_OwnFile], commit: _Commit) -> Iterator[str]:
    """Yields the files that a commit does not hold as they were used, each with the reason."""
    for file in files:
        # A link to a folder may lead to the repository from outside, and a link in the repository out of it.
        located, real = file.path.parent.resolve() / file.path.name, file.path.resolve()
        entry = commit.entry(real)
        if not _is_within(located, commit.repository):
            yield f"{file.name} is outside of the repository"
        elif not _is_within(real, commit.repository):
            yield f"{file.name} is a link to a file outside of the repository"
        elif (
            entry is None
            or entry[2] == LINK
            or commit.entry(located) is None
            or (_is_within(file.path, commit.repository) and commit.entry(file.path) is None)
        ):
            yield f"{file.name} is not in the commit"
        elif file.content is not None and file_hash(str(real)) != file.content:
            yield f"{file.name} was changed while the run was under way"
        elif not _has_content(real, *entry):
            yield f"{file.name} differs from the commit"


def _is_within(path: Path, repository: Path) -> bool:
    return path.is_relative_to(repository) or path.is_relative_to(repository.resolve())


def _has_content(file: Path, commit: _Commit, name: str, _: str, identity: str) -> bool:
    """Whether a file has the content of an object, but for what git changes when it checks a file out."""
    try:
        content = file.read_bytes()
    except OSError:
        # Not shown to be the same: it counts as changed.
        return False
    hashed = git_output("hash-object", "--stdin", "--path", name, given=content, folder=commit.repository)
    if hashed.decode().strip() == identity:
        return True
    blob = git_output("cat-file", "blob", identity, folder=commit.repository)
    return blob.replace(b"\r\n", b"\n") == content.replace(b"\r\n", b"\n")
