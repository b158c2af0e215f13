"""The history of accepted baselines: one line a record, appended and never changed."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recbench.data.cache import atomic_path
from recbench.errors import RecbenchError
from recbench.evaluation.bootstrap import intervals, resampled_means
from recbench.evaluation.metrics.hr import hit_rate
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.user_sums import UserSums
from recbench.records.schema import Record

HISTORY = Path("results/history.jsonl")
SCHEMA = 1
K = 10


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
        seed: The record's seed.
        hr: HR@10, or None where the record does not have it.
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
    seed: int
    hr: float | None
    ndcg: float | None
    hr_interval: tuple[float, float] | None
    interactions_per_second: float | None
    sha: str | None

    @classmethod
    def of(cls, record: Record, ranks: Ranks, label: str, accepted_at: datetime) -> "Accepted":
        """Sums up a record that is being accepted."""
        by_user = UserSums.of(hit_rate(ranks, K)[:, None], ranks.users)
        interval = intervals(resampled_means(by_user))[0] if len(by_user) > 1 else None
        hr, ndcg = record.metrics.get(f"hr@{K}"), record.metrics.get(f"ndcg@{K}")
        return cls(
            accepted_at=accepted_at,
            label=label,
            task=record.task.name,
            digest=record.task.digest,
            model=record.model,
            parameters=hash_of(record),
            seed=record.seed,
            hr=hr.mean if hr else None,
            ndcg=ndcg.mean if ndcg else None,
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
        temporary.write_text(before + "".join(f"{text}\n" for text in texts), encoding="utf-8")


def read(path: Path = HISTORY) -> Sequence[Accepted]:
    """Returns all lines by the time of acceptance; the same line twice, as a merge may leave it, counts once.

    Raises:
        RecbenchError: The file is missing or a line is broken; the message names the line.
    """
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
