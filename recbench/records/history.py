"""The history of accepted baselines and tracked runs: one line a record, added and never changed."""

import codecs
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from recbench.errors import NothingToCompareError, RecbenchError, problem_text
from recbench.escaping.shell import shell_word
from recbench.evaluation.inference import Sample, infer
from recbench.evaluation.metric_names import parse_measure
from recbench.file_content import other_content
from recbench.path_checks import check_no_folder
from recbench.records.finished_trial import FinishedTrial
from recbench.records.history_metrics import HR, NDCG, OF_FULL_RANKING
from recbench.records.results_folder import history_file
from recbench.records.schema import ParameterValue, Record, Seconds, class_identity
from recbench.records.transactions import Transaction, finish_interrupted, transaction
from recbench.records.utc_datetime import UtcDatetime
from recbench.system_errors import cannot_read

SCHEMA = 1
OPTIONAL = (
    "configuration", "reference", "hyperparameters", "is_run", "is_dirty", "accepted_regressions", "renamed_from",
    "backfilled", "fit_seconds",
)  # fmt: skip
"""Fields that a line has only if they say something."""

_MERGE_MARK = re.compile(rb"(?:<{7}|={7}|>{7}|\|{7})(?: |\r?$)")
_MARK_FOR_GREP = "^(<{7}|={7}|>{7}|[|]{7})( |.?$)"
"""The same. The last dot stands for a carriage return, which grep has no name for."""

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, le=1e18)]
"""No machine trains faster; and sums of such rates, which a file with a wrong exponent may hold, stay finite."""


class Accepted(BaseModel):
    """One accepted record, or one record of a tracked run.

    Attributes:
        version: Version of this schema.
        accepted_at: When, UTC. For a tracked run: when its configuration was first run; for a commit of a backfill: the
            time of the commit.
        label: Under which label; empty for a tracked run.
        task: The task's name.
        digest: The task's digest.
        model: The model's name.
        parameters: Hash of its hyper-parameters.
        threads: Threads of the run; None in lines from before they were kept.
        device: Device of the run, likewise.
        seed: The record's seed.
        hr: HR@10. None in some older lines of runs with other cut-offs.
        ndcg: NDCG@10, likewise.
        hr_interval: 95 % interval of HR@10 over users; None for a single user.
        further: The metrics ``OF_FULL_RANKING``; empty for a record without a full ranking, and in lines from before
            they were kept.
        interactions_per_second: Training throughput.
        fit_seconds: Training time; None in lines from before it was kept.
        sha: Git revision of the run; None if it was not run in a repository.
        configuration: The user's label of the configuration; empty if it has none.
        reference: Where the model's class is; empty in lines from before it was kept.
        hyperparameters: The hyper-parameters by name; empty if there are none, and in lines from before.
        is_run: Whether the record is of a tracked run, and was not accepted.
        is_dirty: Whether it was run from uncommitted changes.
        accepted_regressions: Why lower figures were accepted, by metric, such as ``hr@10`` or ``throughput``. Left out
            of the line if there is no such reason.
        renamed_from: The name of the model in earlier lines, if it was renamed; left out otherwise.
        backfilled: The model as ``recbench backfill`` was asked for it; left out if a user ran it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    version: int = Field(default=SCHEMA, alias="schema", le=SCHEMA)
    accepted_at: UtcDatetime
    label: str
    task: str
    digest: str
    model: str
    parameters: str
    threads: int | None = None
    device: str | None = None
    seed: int
    hr: Share | None
    ndcg: Share | None
    hr_interval: tuple[Share, Share] | None
    further: dict[str, Share] = Field(default_factory=dict)
    interactions_per_second: Rate | None
    fit_seconds: Seconds | None = None
    sha: str | None
    configuration: str = ""
    reference: str = ""
    hyperparameters: dict[str, ParameterValue] = Field(default_factory=dict)
    is_run: bool = False
    is_dirty: bool = False
    accepted_regressions: dict[str, str] = Field(default_factory=dict)
    renamed_from: str | None = None
    backfilled: str = ""

    @model_serializer(mode="wrap")
    def _without_empty(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialize(self)
        # Lines from before have none of these fields.
        return {name: value for name, value in content.items() if value or name not in OPTIONAL}

    @property
    def name(self) -> str:
        """What people call the configuration: the user's label, or else the model's name."""
        return self.configuration or self.model

    def figure(self, metric: str) -> float | None:
        """Returns a metric of the record, such as ``hr@10`` or ``full-recall@20``; None if the line has none."""
        return {HR: self.hr, NDCG: self.ndcg}.get(metric, self.further.get(metric))

    @classmethod
    def of(
        cls,
        trial: FinishedTrial,
        label: str,
        accepted_at: datetime,
        *,
        is_run: bool = False,
        reasons: Mapping[str, str] = MappingProxyType({}),
        renamed_from: str | None = None,
    ) -> "Accepted":
        """Sums up a trial that is done and is being accepted or tracked."""
        record, ranks, hr = trial.record, trial.candidate_ranks, parse_measure(HR)
        interval = None
        if ranks is not None:
            ((interval,), _) = infer([Sample(hr.values(ranks), hr.users(ranks))])
        return cls(
            accepted_at=accepted_at,
            label=label,
            task=record.task.name,
            digest=record.task.digest,
            model=record.model,
            parameters=hash_of(record),
            threads=record.threads,
            device=record.device,
            seed=record.seed,
            hr=trial.mean(hr),
            ndcg=trial.mean(parse_measure(NDCG)),
            hr_interval=(interval.low, interval.high) if interval else None,
            further={name: value for name in OF_FULL_RANKING if (value := trial.mean(parse_measure(name))) is not None},
            interactions_per_second=record.interactions_per_second,
            fit_seconds=record.fit_seconds,
            sha=record.revision.sha if record.revision else None,
            configuration=record.label,
            reference=class_identity(record.reference),
            hyperparameters=record.parameters,
            is_run=is_run,
            is_dirty=bool(record.revision and record.revision.dirty),
            accepted_regressions=dict(reasons),
            renamed_from=renamed_from,
        )


def hash_of(record: Record) -> str:
    """Returns 12 digits that are the same for the same hyper-parameters."""
    return hashlib.sha256(json.dumps(record.parameters, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class History:
    """What a file of the history holds.

    Attributes:
        path: The file.
        lines: The lines that can be read, by the time of acceptance.
        damaged: What is wrong with each of the others; names the file and the line.
        has_merge_marks: Whether some of these are marks of a merge conflict.
    """

    path: Path
    lines: Sequence[Accepted]
    damaged: Sequence[str]
    has_merge_marks: bool = False

    def check(self) -> None:
        """Checks that no line is damaged.

        Raises:
            RecbenchError: One is.
        """
        if self.damaged:
            more = f" {len(self.damaged) - 1} more lines are damaged." if self.damaged[1:] else ""
            file = shell_word(str(self.path))
            raise RecbenchError(
                f"{self.damaged[0]}{more}",
                "Keep the lines of both versions, and remove only the conflict marks: "
                f"grep -vE '{_MARK_FOR_GREP}' {file} > {file}.merged && mv {file}.merged {file}"
                if self.has_merge_marks
                else "Correct the line, or take it from an earlier commit; keep the other lines: "
                f"git log -p -- {file}\nIf its schema is newer, update recbench.",
            )


def append(lines: Sequence[Accepted], path: Path | None = None) -> None:
    """Adds lines; the file is replaced whole, so that a crash leaves the old one or the new one.

    Raises:
        RecbenchError: The file cannot be written, or a line of it is damaged.
    """
    path = path or history_file()
    with transaction(path.parent) as files:
        append_in(files, lines, path)


def append_in(files: Transaction, lines: Sequence[Accepted], path: Path) -> None:
    """Adds lines as a part of a transaction; see ``append``. All present lines stay as they are, byte for byte.

    The present lines are checked even if there is none to append, and then the file is not touched.
    """
    before = b""
    if path.exists():
        # A file of another kind, or one with the marks of a conflict, must not grow.
        _read(path).check()
        before = path.read_bytes()
    if not lines:
        return
    files.write(path, _with_lines(before, lines))


def _with_lines(before: bytes, lines: Sequence[Accepted]) -> bytes:
    """Returns a history with more lines: each behind the last older one of its configuration's name, or at the end.

    A line that is older than all of that name comes before them. Two branches that accept different models add their
    lines at different places. Git merges that without the rule ``merge=union`` too, which the merge button of GitHub
    ignores.

    Args:
        before: The history; all of its lines can be read.
        lines: The new lines.
    """
    end = b"\r\n" if b"\r\n" in before else b"\n"
    # Not splitlines, which also ends lines at other characters.
    present = re.findall(rb"[^\n]*\n|[^\n]+", before)
    first = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
    known: dict[tuple[str, str], list[tuple[datetime, int]]] = {}
    for place, text in enumerate(present):
        if stripped := text.removeprefix(codecs.BOM_UTF8).strip():
            line = Accepted.model_validate_json(stripped)
            known.setdefault((line.digest, line.name), []).append((line.accepted_at, place))
    final = max((place for dated_places in known.values() for _, place in dated_places), default=-1)
    added: dict[int, bytes] = {}
    for line in sorted(lines, key=lambda line: line.accepted_at):
        text = json.dumps(line.model_dump(mode="json", by_alias=True), sort_keys=True).encode() + end
        dated_places = known.get((line.digest, line.name), [])
        older = [place for moment, place in dated_places if moment <= line.accepted_at]
        place = max(older, default=min((place for _, place in dated_places), default=final + 1) - 1)
        at = len(present) if place == final else place
        added[at] = added.get(at, b"") + text
    gap = end if before and not before.endswith(b"\n") else b""
    kept = b"".join(text + added.get(place, b"") for place, text in enumerate(present))
    oldest = first + added[-1] + kept.removeprefix(first) if -1 in added else kept
    return oldest + (gap + added[len(present)] if len(present) in added else b"")


def read(path: Path | None = None) -> Sequence[Accepted]:
    """Returns all lines by the time of acceptance; the same line twice, as a merge may leave it, counts once.

    Raises:
        RecbenchError: The file is missing or a line is damaged; the message names the line.
    """
    history = read_undamaged(path)
    history.check()
    return history.lines


def read_undamaged(path: Path | None = None) -> History:
    """Returns the lines that can be read, and what is wrong with the others.

    Raises:
        NothingToCompareError: The file is missing.
        RecbenchError: The file is no text.
    """
    path = path or history_file()
    finish_interrupted(path.parent)
    return _read(path)


def _read(path: Path) -> History:
    check_no_folder(path, "Move that folder to another place.")
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NothingToCompareError(
            f"There is no history at {path}.", "It begins with: recbench baseline accept RUN"
        ) from error
    except OSError as error:
        raise cannot_read(str(path), error) from error
    other = other_content(path, content) if content.strip() else None
    has_merge_marks = any(map(_MERGE_MARK.match, content.splitlines()))
    if other is not None and not has_merge_marks:
        raise RecbenchError(
            f"{path} {other.what}.",
            other.advice or f"Take it from an earlier commit: git log -- {shell_word(str(path))}",
        )
    lines: dict[str, Accepted] = {}
    damaged = []
    # Not splitlines, which also ends lines at characters that are none for git and editors.
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            accepted = Accepted.model_validate_json(line)
        except ValidationError as error:
            damaged.append(f"{path}, line {number} is not an accepted record: {_reason(line, error)}.")
        else:
            lines.setdefault(accepted.model_dump_json(), accepted)
    return History(path, sorted(lines.values(), key=lambda line: line.accepted_at), damaged, has_merge_marks)


def _reason(line: bytes, error: ValidationError) -> str:
    if _MERGE_MARK.match(line):
        return "it is a merge conflict mark of git"
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'JSON'}: {problem_text(first)}"
