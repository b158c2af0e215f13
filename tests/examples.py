"""Made-up records and tables for the tests of what is done with them."""

import zlib
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking, Ranks
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.records.cost_values import ServingValue
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.schema import CurvePoint, Environment, MetricValue, Record, Revision, Status, TaskIdentity
from recbench.records.selection import RecordSet
from recbench.records.store import save

DIGEST = "sha256:" + "ab" * 32
ENVIRONMENT = Environment(cpu="Example CPU", cores=2, os="Linux 6", python="3.12.1", packages={"numpy": "2.4.0"})
TASK: dict[str, Any] = {
    "name": "toy",
    "digest": DIGEST,
    "n_users": 1200,
    "n_items": 340,
    "n_train": 56_000,
    "n_cases": 1200,
    "n_negatives": 100,
    "n_negatives_min": 100,
    "negatives": "uniform",
    "uniform_negatives": True,
    "uniformity": {"uniform": "yes", "source": "drawn", "tested": None, "p_uniform": None, "p_popularity": None},
    "mean_catalogue_size": 310.5,
    "n_validation_cases": 1200,
    "n_users_without_case": 0,
    "n_duplicates": 0,
    "waivers": [],
}


def a_record(model: str, seed: int, hr: float = 0.5, ndcg: float = 0.25, **changes: Any) -> Record:
    done = changes.get("status", Status.DONE) is Status.DONE
    values = {
        "task": TaskIdentity(name="toy", digest=DIGEST),
        "protocol_version": 2,
        "model": model,
        "reference": f"models.{model}:Model",
        "parameters": {"factors": 64, "epochs": 20},
        "seed": seed,
        "threads": 1,
        "status": Status.DONE,
        "metrics": {
            "hr@10": MetricValue(mean=hr, user_mean=hr, optimistic=hr, pessimistic=hr),
            "ndcg@10": MetricValue(mean=ndcg, user_mean=ndcg, optimistic=ndcg, pessimistic=ndcg),
        }
        if done
        else {},
        "n_cases": 1200,
        "n_users": 1200,
        "n_train": 56_000,
        "epochs": 20,
        "fit_seconds": 2.0 + seed / 10,
        "interactions_per_second": 56_000 * 20 / (2.0 + seed / 10) if done else None,
        "repeatable": True,
        "environment": ENVIRONMENT,
        "revision": Revision(sha="0" * 40, dirty=False),
        "recbench_version": "0.1.0",
        "started_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Record(**{**values, **changes})


class StatedTrial(FinishedTrial):
    """A trial whose figures are those that its record states, for tables of figures that are made up."""

    def mean(self, measure: Measure) -> float | None:
        catalogue = self.record.catalogue
        near = measure.ranking is Ranking.CANDIDATES
        stated = self.record.metrics if near else catalogue.metrics if catalogue else {}
        return stated[measure.base_name].mean if measure.base_name in stated else None

    def corrected(
        self, measure: Measure, catalogue_size: int | None = None, uniform: bool | None = None
    ) -> float | None:
        return self.record.corrected.get(measure.name)


def stored(*records: Record) -> list[FinishedTrial]:
    return [
        StatedTrial.in_memory(record, ranks_in_both(record), f"runs/{record.model}-{record.seed}.json")
        if record.status is Status.DONE
        else FinishedTrial(record, f"runs/{record.model}-{record.seed}.json")
        for record in records
    ]


def ranks_in_both(record: Record) -> TrialRanks:
    """The ranks among the candidates, and in the full ranking if the record has one: three times as many items."""
    near = ranks_of(record)
    far = replace(near, n_others=near.n_others * 3, better=near.better * 3)
    return TrialRanks(near, far if record.catalogue is not None else None)


def a_curve(*hr: float) -> tuple[CurvePoint, ...]:
    """A point each second and epoch."""
    return tuple(
        CurvePoint(epoch=epoch, fit_seconds=float(epoch), metrics={"hr@10": value, "ndcg@10": value / 2})
        for epoch, value in enumerate(hr, start=1)
    )


def ranks_of(record: Record) -> Ranks:
    """Ranks of 1,200 users with one case each whose HR@10 is near what the record says."""
    rng = np.random.default_rng([zlib.crc32(record.model.encode()), record.seed])
    easy = np.random.default_rng(0).random(1200)
    hits = easy + rng.normal(0, 0.05, 1200) < record.metrics["hr@10"].mean
    better = np.where(hits, rng.integers(0, 10, 1200), rng.integers(10, 101, 1200))
    arrays = (np.arange(1200), np.full(1200, 100), better, np.zeros(1200))
    return Ranks(*(array.astype(np.int32) for array in arrays))


def a_trial(model: str, seed: int, skill: float = 0.5, luck: int = 0, n: int = 1200, **changes: Any) -> FinishedTrial:
    """A trial with one case a user, whose record follows from its ranks; HR@10 is near ``skill``.

    Trials of equal ``luck`` and seed differ only in the cases whose difficulty lies between their skills.
    """
    easy = np.random.default_rng(0).random(n)
    rng = np.random.default_rng([7, seed, luck])
    hits = easy + rng.normal(0, 0.05, n) < skill
    better = np.where(hits, rng.integers(0, 10, n), rng.integers(10, 101, n))
    arrays = (np.arange(n), np.full(n, 100), better, np.zeros(n))
    ranks = Ranks(*(array.astype(np.int32) for array in arrays))
    if changes.get("status", Status.DONE) is not Status.DONE:
        return FinishedTrial(a_record(model, seed, **changes), f"runs/{model}-{seed}.json")
    metrics = {name: MetricValue(**asdict(value)) for name, value in compute_metrics(ranks, (10,)).items()}
    record = a_record(model, seed, **{"metrics": metrics, "n_cases": n, "n_users": n, **changes})
    return a_trial_of(record, ranks)


def a_trial_of(record: Record, ranks: Ranks) -> FinishedTrial:
    """A trial with these ranks among the candidates."""
    return FinishedTrial.in_memory(record, TrialRanks(ranks), f"runs/{record.model}-{record.seed}.json")


def with_ranks(trial: FinishedTrial, **changes: Any) -> FinishedTrial:
    """The trial with other ranks among the candidates, and the same record."""
    assert trial.candidate_ranks is not None
    return a_trial_of(trial.record, replace(trial.candidate_ranks, **changes))


def some_trials(model: str, skill: float = 0.5, seeds: int = 3, **changes: Any) -> list[FinishedTrial]:
    return [a_trial(model, seed, skill, **changes) for seed in range(seeds)]


def a_set(name: str, *trials: list[FinishedTrial]) -> RecordSet:
    return RecordSet(name, tuple(trial for group in trials for trial in group), frozenset([name]))


def write(folder: Path, *trials: list[FinishedTrial]) -> Path:
    """Puts trials on disk, as a run does."""
    for trial in (trial for group in trials for trial in group):
        save(trial.record, trial.ranks, folder)
    return folder


LATENCY = {"p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0, "n_requests": 1000, "fewest_rows": 1, "most_rows": 9}


def some_serving(p95: float = 2.0, cpu: float = 1.0, **changes: Any) -> ServingValue:
    values = {
        "k": 10,
        "short": LATENCY,
        "long": LATENCY | {"p95_ms": p95},
        "first_request_ms": 5.0,
        "cpu_ms": cpu,
        "users_per_second": {1: 10.0, 32: 20.0, 1024: 30.0},
        "memory_bytes": 3 * 2**20,
        "size_bytes": 2**21,
        "size_of": "pickle",
        "requests": 1000,
        "seconds": 5.0,
    }
    return ServingValue.model_validate(values | changes)
