"""Whether the records of BASE belong to the history of CURRENT: only then is a difference due to CURRENT."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

from recbench.git_commands import GitError, git_output
from recbench.git_history import SHORT, Descent, Relation, commit_of, descent, last_change, merge_base
from recbench.records.schema import Record, Revision
from recbench.records.selection import RecordSet

_IN_REVISION = re.compile(r"([0-9a-f]{40,64}):(.*)")


@dataclass(frozen=True, slots=True)
class Ancestry:
    """How the commit of BASE stands to that of CURRENT.

    Attributes:
        relation: Whether it is an ancestor.
        base: The commit of BASE, shortened; empty if none is known.
        current: The commit of CURRENT, likewise.
        merge_base: Their merge base, if BASE is not an ancestor; None if there is none or it is not known.
        reason: Why the relation is unknown; empty if it is known, or if a side has no commit.
    """

    relation: Relation
    base: str = ""
    current: str = ""
    merge_base: str | None = None
    reason: str = ""


Pair = tuple[Revision | None, Revision | None]
Ancestries = Mapping[Pair, Ancestry]
"""The ancestry for each revision of a record of BASE and of a record of CURRENT."""

_WORST_LAST = (Relation.ANCESTOR, Relation.UNKNOWN, Relation.NO_ANCESTOR)


def find_ancestries(base: RecordSet, current: RecordSet) -> Ancestries:
    """Returns the ancestry of each pair of revisions.

    The records of BASE belong to the history of CURRENT if the commit at which they were made is an ancestor of the
    commit of CURRENT. So do records that a commit of this history holds, wherever they were made: the commits of a
    branch that was squashed are in no history.
    """
    older_ones, newer_ones = (_revisions(trial.record for trial in side.trials) for side in (base, current))
    pairs = dict.fromkeys(product(older_ones, newer_ones))
    if not any(older or newer for older, newer in pairs):
        return {}
    if all(older and newer and older.sha == newer.sha for older, newer in pairs):
        return {(older, newer): _of_same(newer) for older, newer in pairs if newer}
    try:
        git_output("rev-parse", "--git-dir")
    except GitError as error:
        return {} if error.is_outside else dict.fromkeys(pairs, _unknown(error))
    held_base, held_current = Holder(base), Holder(current)
    return {pair: _ancestry(*pair, held_base, held_current) for pair in pairs}


def worst(ancestries: Ancestries, base: Iterable[Record], current: Iterable[Record]) -> Ancestry | None:
    """Returns the worst ancestry of the records of two groups; None if it was not looked up."""
    pairs = product(_revisions(base), _revisions(current))
    known_ancestries = [known for pair in pairs if (known := ancestries.get(pair)) is not None]
    return max(known_ancestries, key=lambda ancestry: _WORST_LAST.index(ancestry.relation), default=None)


def _revisions(records: Iterable[Record]) -> list[Revision | None]:
    """Returns each revision once: thousands of records are of a few."""
    return [*dict.fromkeys(record.revision for record in records)]


class Holder:
    """The commit that holds the files of records, looked up when it is first needed.

    Args:
        records: The records.
    """

    def __init__(self, records: RecordSet) -> None:
        self._locations = sorted(records.locations)
        self.commit = cache(self._commit)
        self.last_change = cache(self._last_change)

    def accepted_in(self) -> str | None:
        """Returns the commit that BASE stands for: the one that it was read from, or the last that changed its files.

        Raises:
            GitError: Git cannot be run, or refuses.
        """
        return self.commit() if self._in_revision else self.last_change()

    def _commit(self) -> str | None:
        """Returns the commit that the records were read from, or HEAD if their files are committed there."""
        if self._in_revision:
            return self._in_revision[0][1]
        folders = self._folders
        if not folders or not _is_clean(folders):
            return None
        tracked = git_output("ls-files", "--", *folders, folder=Path(folders[0])).strip()
        return commit_of("HEAD") if tracked else None

    def _last_change(self) -> str | None:
        """Returns the last commit that changed the records."""
        commit = self.commit()
        if commit is None:
            return None
        if self._in_revision:
            return last_change(commit, [f":(top,literal){match[2]}" for match in self._in_revision])
        return last_change(commit, self._folders, Path(self._folders[0]))

    @property
    def _in_revision(self) -> list[re.Match[str]]:
        return [match for location in self._locations if (match := _IN_REVISION.fullmatch(location))]

    @property
    def _folders(self) -> list[str]:
        return sorted({str(path.parent) for path in map(Path, self._locations) if path.is_absolute()})


def _is_clean(folders: list[str]) -> bool:
    """Whether nothing in the folders differs from HEAD; False if they are in no repository."""
    try:
        return not git_output("status", "--porcelain", "--", *folders, folder=Path(folders[0])).strip()
    except GitError as error:
        if error.is_outside:
            return False
        raise


def _of_same(revision: Revision) -> Ancestry:
    return Ancestry(Relation.ANCESTOR, revision.sha[:SHORT], revision.sha[:SHORT])


def _unknown(error: GitError) -> Ancestry:
    return Ancestry(Relation.UNKNOWN, reason=error.message.rstrip("."))


def _ancestry(base: Revision | None, current: Revision | None, held: Holder, newer: Holder) -> Ancestry:
    try:
        return _looked_up(base, current, held, newer)
    except GitError as error:
        return _unknown(error)


def _looked_up(base: Revision | None, current: Revision | None, held: Holder, newer: Holder) -> Ancestry:
    made = base.sha if base else None
    newest = [*([current.sha] if current else []), *([commit] if (commit := newer.commit()) else [])]
    if not newest:
        return Ancestry(Relation.UNKNOWN)
    # A changed work tree is not what its commit says, unless nothing else is known of the records.
    answer = _best(made, newest) if made and not (base and base.dirty and held.commit()) else None
    if answer is None or answer.relation is not Relation.ANCESTOR:
        holding = held.last_change()
        if holding is not None:
            made, answer = holding, _best(holding, newest)
    if made is None or answer is None:
        return Ancestry(Relation.UNKNOWN)
    common = merge_base(made, newest[0]) if answer.relation is Relation.NO_ANCESTOR else None
    return Ancestry(answer.relation, made[:SHORT], newest[0][:SHORT], common, answer.reason)


def _best(older: str, newest: Iterable[str]) -> Descent:
    answers = [descent(older, commit) for commit in newest]
    return next((answer for answer in answers if answer.relation is Relation.ANCESTOR), answers[0])
