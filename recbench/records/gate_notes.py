"""What a gate leaves beside the records that it let pass, so that the history can say so once they are accepted.

The file lies in the folder of the records, with one line for each model. A line is about the trials that the gate saw:
it says nothing of a later run in the same folder.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recbench.data.cache import atomic_path
from recbench.errors import RecbenchError
from recbench.records.grouping import TrialGroup
from recbench.records.selection import RecordSet
from recbench.records.utc_datetime import UtcDatetime

FILE: Final = "gate-notes.jsonl"


class GateNote(BaseModel):
    """What a gate let pass for one model.

    Attributes:
        version: Version of this schema.
        task: The task's digest.
        name: The model, or the label of its configuration.
        started_at: When its first trial began.
        accepted: The reason of each accepted regression, by metric, such as ``hr@10``.
        renamed_from: The name of the model in BASE; None if it has the same name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    version: int = Field(default=1, alias="schema", le=1)
    task: str
    name: str
    started_at: UtcDatetime
    accepted: dict[str, str] = Field(default_factory=dict)
    renamed_from: str | None = None

    @classmethod
    def of(cls, group: TrialGroup, accepted: dict[str, str], renamed_from: str | None) -> "GateNote":
        """Returns the note on a group of trials."""
        started = min(trial.record.started_at for trial in group.trials)
        return cls(
            task=group.task.digest, name=group.name, started_at=started, accepted=accepted, renamed_from=renamed_from
        )

    def is_about(self, group: TrialGroup) -> bool:
        """Whether the gate saw these trials."""
        started = min(trial.record.started_at for trial in group.trials)
        return (self.task, self.name, self.started_at) == (group.task.digest, group.name, started)


def write_notes(records: RecordSet, notes: Sequence[GateNote]) -> str:
    """Adds notes to the folder of the records, in place of those on the same trials.

    Nothing is written if there is no note, or if the records are not those of one folder.

    Returns:
        Why the notes could not be written; empty if they were.
    """
    folder = _folder(records)
    if folder is None or not notes:
        return ""
    replaced = {(note.task, note.name, note.started_at) for note in notes}
    kept = [note for note in read_notes(records) if (note.task, note.name, note.started_at) not in replaced]
    lines = [json.dumps(note.model_dump(mode="json", by_alias=True), sort_keys=True) + "\n" for note in (*kept, *notes)]
    try:
        with atomic_path(folder / FILE) as path:
            path.write_text("".join(lines), encoding="utf-8", newline="\n")
    except RecbenchError as error:
        return f"The history will not show why the gate passed. {error.message}"
    return ""


def read_notes(records: RecordSet) -> list[GateNote]:
    """Returns the notes beside records; lines that cannot be read are left out."""
    folder = _folder(records)
    if folder is None or not (folder / FILE).is_file():
        return []
    return list(_parsed((folder / FILE).read_bytes().splitlines()))


def _parsed(lines: Iterable[bytes]) -> Iterable[GateNote]:
    for line in lines:
        try:
            yield GateNote.model_validate_json(line)
        except ValidationError:
            continue


def _folder(records: RecordSet) -> Path | None:
    """Returns the folder of the records; None if they are of a revision, a label, or several folders."""
    folder = Path(records.text)
    return folder if folder.is_dir() and _are_in(folder, records) else None


def _are_in(folder: Path, records: RecordSet) -> bool:
    here = str(folder.resolve())
    return bool(records.locations) and all(str(Path(location).parent) == here for location in records.locations)
