"""The history of accepted baselines: one line a record, appended and never changed."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recbench.data.cache import atomic_path
from recbench.errors import RecbenchError
from recbench.evaluation.inference import Sample, infer
from recbench.evaluation.metric_names import parse_measure
from recbench.path_checks import check_no_folder
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Record

HISTORY = Path("results/history.jsonl")
SCHEMA = 1
HR, NDCG = "hr@10", "ndcg@10"
"""The metrics of every line, whatever cut-offs a run was made with: both are derived from the ranks."""


class Accepted(BaseModel):
    """One accepted record.

    Attributes:
        version: Version of this schema.
        accepted_at: When, UTC.
        label: Under which label.
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
        interactions_per_second: Training throughput.
        sha: Git revision of the run; None if it was not run in a repository.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    version: int = Field(default=SCHEMA, alias="schema", le=SCHEMA)
    accepted_at: datetime
    label: str
    task: str
    digest: str
    model: str
    parameters: str
    threads: int | None = None
    device: str | None = None
    seed: int
    hr: float | None
    ndcg: float | None
    hr_interval: tuple[float, float] | None
    interactions_per_second: float | None
    sha: str | None

    @classmethod
    def of(cls, trial: FinishedTrial, label: str, accepted_at: datetime) -> "Accepted":
        """Sums up a trial that is done and is being accepted."""
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
            interactions_per_second=record.interactions_per_second,
            sha=record.revision.sha if record.revision else None,
        )


def hash_of(record: Record) -> str:
    """Returns 12 digits that are the same for the same hyper-parameters."""
    return hashlib.sha256(json.dumps(record.parameters, sort_keys=True).encode()).hexdigest()[:12]


def append(lines: Iterable[Accepted], path: Path = HISTORY) -> None:
    """Appends lines; the file is replaced whole, so that a crash leaves the old one or the new one.

    Raises:
        RecbenchError: The file cannot be written.
    """
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if before and not before.endswith("\n"):
        before += "\n"
    texts = [json.dumps(line.model_dump(mode="json", by_alias=True), sort_keys=True) for line in lines]
    with atomic_path(path) as temporary:
        temporary.write_text(before + "".join(f"{text}\n" for text in texts), encoding="utf-8", newline="\n")


def read(path: Path = HISTORY) -> Sequence[Accepted]:
    """Returns all lines by the time of acceptance; the same line twice, as a merge may leave it, counts once.

    Raises:
        RecbenchError: The file is missing or a line is broken; the message names the line.
    """
    check_no_folder(path, "Move that folder to another place.")
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecbenchError(
            f"There is no history at {path} ({error}).", "It begins with: recbench baseline accept RUN"
        ) from error
    found: dict[str, Accepted] = {}
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            line = Accepted.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise RecbenchError(
                f"{path}, line {number} is not an accepted record: {field or 'JSON'}: {first['msg']}.",
                "Remove that line or a merge conflict's marks; if its schema is newer, update recbench.",
            ) from error
        found.setdefault(line.model_dump_json(), line)
    return sorted(found.values(), key=lambda line: line.accepted_at)
