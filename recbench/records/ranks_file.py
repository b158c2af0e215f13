"""The file of ranks beside a record: the ranks of every case, as arrays in an .npz."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from recbench.data.archives import DamagedArchiveError, VectorReader
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.evaluation.new_cases import NewCases
from recbench.evaluation.ranking import Ranks
from recbench.file_content import has_merge_marks, is_lfs_pointer, other_content
from recbench.protocol import Int32Array
from recbench.records.finished_trial import TrialRanks
from recbench.system_errors import cannot_read

MOST_CASES = 10**8
RANK_ARRAYS = ("users", "n_others", "better", "tied")
"""Fields of ``Ranks``, in their order."""
NEW_NAMES = ("new.items", "new.users")
"""Fields of ``NewCases``, in their order; older records have none of them."""
SHARED_NAMES = frozenset(
    [*(f"{kind}.{name}" for kind in ("candidates", "catalogue") for name in ("users", "n_others")), *NEW_NAMES]
)
"""What the trials of one task have in common."""
RANK_NAMES = [*(f"{kind}.{name}" for kind in ("candidates", "catalogue") for name in RANK_ARRAYS), *NEW_NAMES]


def vector_reader() -> VectorReader:
    """Returns a reader for the files of ranks of many trials."""
    return VectorReader(SHARED_NAMES)


def load_ranks(path: Path, most_cases: int = MOST_CASES, reader: VectorReader | None = None) -> TrialRanks:
    """Reads the ranks beside the record at ``path``.

    Args:
        path: The record.
        most_cases: The cases of the record: a file with more is damaged, and is not read.
        reader: What reads the files of several trials; None for a single one.

    Raises:
        RecbenchError: They are missing or cannot be read.
    """
    beside = path.with_suffix(".npz")
    try:
        content = beside.read_bytes()
    except FileNotFoundError as error:
        raise RecbenchError(
            f"The ranks {beside} of a record are missing.",
            "A record is two files, .json and .npz: keep them together, or run the trial again.",
        ) from error
    except (OSError, MemoryError) as error:
        raise cannot_read(f"the ranks {beside} of a record", error) from error
    try:
        return ranks_from_bytes(content, most_cases, reader)
    except (DamagedArchiveError, KeyError) as error:
        other = other_content(beside, content, binary=True)
        reason = f"the file {other.what}" if other else str(error)
        raise RecbenchError(
            f"The ranks {beside} of a record cannot be read: {reason}.",
            advice_on_git(path, content) or (other and other.advice) or "Run the trial again.",
        ) from error


def ranks_to_bytes(ranks: TrialRanks) -> bytes:
    """Returns the content of a file of ranks."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **_arrays(ranks))
    return buffer.getvalue()


def ranks_from_bytes(content: bytes, most_cases: int, reader: VectorReader | None = None) -> TrialRanks:
    """Reads the content of a file of ranks.

    Args:
        content: The content.
        most_cases: The most cases it may have.
        reader: See ``load_ranks``.

    Raises:
        DamagedArchiveError: It is not one, has more cases, or names new cases that it does not have.
        KeyError: An array is missing.
    """
    arrays = (reader or VectorReader()).read(content, RANK_NAMES, most_cases)
    catalogue = _ranks(arrays, "catalogue") if "catalogue.better" in arrays else None
    candidates = _ranks(arrays, "candidates")
    return TrialRanks(candidates, catalogue, _new_cases(arrays, len(candidates)))


def advice_on_git(path: Path, content: bytes) -> str:
    """Returns what to do about a file of the record at a path that git has changed; empty if git has not."""
    record, ranks = shell_word(path), shell_word(path.with_suffix(".npz"))
    if is_lfs_pointer(content):
        return f"Get the record and its ranks: git lfs pull --include {record},{ranks}"
    if has_merge_marks(content):
        return (
            f"Keep the record and the ranks of one version: git checkout --ours {record} {ranks}, or --theirs. "
            f"If the marks are committed, take both files from a commit without them: git log --oneline -- {record}"
        )
    return ""


def _arrays(ranks: TrialRanks) -> dict[str, Int32Array]:
    kinds = {"candidates": ranks.candidates, "catalogue": ranks.catalogue}
    arrays = {
        f"{kind}.{name}": getattr(kind_ranks, name)
        for kind, kind_ranks in kinds.items()
        if kind_ranks
        for name in RANK_ARRAYS
    }
    if ranks.new is not None:
        arrays |= zip(NEW_NAMES, (ranks.new.items, ranks.new.users), strict=True)
    return arrays


def _new_cases(arrays: Mapping[str, Int32Array], n_cases: int) -> NewCases | None:
    if not any(name in arrays for name in NEW_NAMES):
        return None
    for name in NEW_NAMES:
        cases = arrays[name]
        if len(cases) and (np.any(cases[1:] <= cases[:-1]) or not 0 <= cases[0] <= cases[-1] < n_cases):
            raise DamagedArchiveError(f"its {name!r} are not ascending places of its {n_cases:,} cases")
    return NewCases(*(arrays[name] for name in NEW_NAMES))


def _ranks(arrays: Mapping[str, Int32Array], kind: str) -> Ranks:
    users, n_others, better, tied = (arrays[f"{kind}.{name}"] for name in RANK_ARRAYS)
    return Ranks(users, n_others, better, tied)
