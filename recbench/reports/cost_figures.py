"""What a model costs in use, the energy of its trials, and its use of GPUs: the figures of all reports."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Record
from recbench.reports.spread import Spread
from recbench.trials.carbon import JOULES_PER_KWH

MEBIBYTE: Final = 2**20
ESTIMATED: Final = "est."
"""Marks figures that follow from a table, and not from a measurement alone."""


@dataclass(frozen=True, slots=True)
class CostFigure:
    """A figure of a trial. Without it, reports do not show it.

    Attributes:
        name: What ``--columns`` and ``--sort`` call it.
        key: What documents and CSV call it.
        header: Its header in tables.
        value: Returns it from a record; None if the record does not have it.
        text: Returns it as text.
        is_rate: Whether a higher value is better.
    """

    name: str
    key: str
    header: str
    value: Callable[[Record], float | None]
    text: Callable[[float], str]
    is_rate: bool = False

    def spread(self, trials: Iterable[FinishedTrial]) -> Spread | None:
        """Returns the figure over the seeds; None if a seed does not have it."""
        return Spread.of_all(self.value(trial.record) for trial in trials)


def _three_digits(value: float) -> str:
    """Returns a figure with at least three digits.

    >>> _three_digits(0.00944), _three_digits(1.5), _three_digits(25.34), _three_digits(17131.7)
    ('0.00944', '1.50', '25.3', '17,132')
    """
    digits = next((digits for digits, least in ((0, 100), (1, 10), (2, 1), (3, 0.1), (4, 0.01)) if value >= least), 5)
    return f"{value:,.{digits}f}"


def _latency(percentile: Literal[50, 95, 99], users: Literal["short", "long"]) -> CostFigure:
    def value(record: Record) -> float | None:
        if record.serving is None:
            return None
        latency = record.serving.short if users == "short" else record.serving.long
        return {50: latency.p50_ms, 95: latency.p95_ms, 99: latency.p99_ms}[percentile]

    key = f"serving_{users}_p{percentile}_ms"
    return CostFigure(f"p{percentile}-{users}", key, f"p{percentile} ms, {users}", value, _three_digits)


def _batch(size: int) -> CostFigure:
    def value(record: Record) -> float | None:
        return None if record.serving is None else record.serving.users_per_second.get(size)

    key = f"serving_users_per_second_{size}"
    return CostFigure(f"users-{size}", key, f"users/s, batch {size:,}", value, _three_digits, is_rate=True)


def _first_request(record: Record) -> float | None:
    return None if record.serving is None else record.serving.first_request_ms


def _cpu(record: Record) -> float | None:
    return None if record.serving is None else record.serving.cpu_ms


def _size(record: Record) -> float | None:
    return None if record.serving is None else record.serving.size_bytes


def _memory(record: Record) -> float | None:
    return None if record.serving is None else record.serving.memory_bytes


def _fit_joules(record: Record) -> float | None:
    # The sensors see all trials that run at the same time.
    return None if record.energy is None or record.concurrent_trials > 1 else record.energy.fit_joules


def _score_joules(record: Record) -> float | None:
    return None if record.energy is None or record.concurrent_trials > 1 else record.energy.score_joules


def _grams(record: Record, joules: float | None) -> float | None:
    if joules is None or record.energy is None or record.energy.grams_per_kwh is None:
        return None
    return joules / JOULES_PER_KWH * record.energy.grams_per_kwh


def _fit_grams(record: Record) -> float | None:
    return _grams(record, _fit_joules(record))


def _score_grams(record: Record) -> float | None:
    return _grams(record, _score_joules(record))


def _gpu_memory(record: Record) -> float | None:
    return None if record.gpu_use is None else record.gpu_use.peak_memory_bytes


def _gpu_utilisation(record: Record) -> float | None:
    return None if record.gpu_use is None else record.gpu_use.utilisation


def _mebibytes(value: float) -> str:
    return _three_digits(value / MEBIBYTE)


def _percent(value: float) -> str:
    return f"{value:.0%}"


LATENCIES: Final = tuple(_latency(percentile, users) for users in ("short", "long") for percentile in (50, 95, 99))
GATED_LATENCY: Final = next(figure for figure in LATENCIES if figure.name == "p95-long")
"""What a policy calls ``latency``."""
CPU_OF_REQUEST: Final = CostFigure("cpu-request", "serving_cpu_ms", "CPU ms", _cpu, _three_digits)
SERVING: Final = (
    *LATENCIES,
    CPU_OF_REQUEST,
    CostFigure("first-request", "serving_first_request_ms", "first ms", _first_request, _three_digits),
    *(_batch(size) for size in (1, 32, 1024)),
    CostFigure("model-size", "serving_size_bytes", "model MiB", _size, _mebibytes),
    CostFigure("serving-memory", "serving_memory_bytes", "serving MiB", _memory, _mebibytes),
)
ENERGY: Final = (
    CostFigure("fit-energy", "fit_joules", "fit J", _fit_joules, _three_digits),
    CostFigure("score-energy", "score_joules", "scoring J", _score_joules, _three_digits),
    CostFigure("fit-co2", "fit_co2_grams_estimate", f"fit CO2 g ({ESTIMATED})", _fit_grams, _three_digits),
    CostFigure("score-co2", "score_co2_grams_estimate", f"scoring CO2 g ({ESTIMATED})", _score_grams, _three_digits),
)
GPU: Final = (
    CostFigure("gpu-memory", "gpu_peak_memory_bytes", "GPU MiB", _gpu_memory, _mebibytes),
    CostFigure("gpu-use", "gpu_utilisation", "GPU use", _gpu_utilisation, _percent),
)
COST_FIGURES: Final = (*SERVING, *ENERGY, *GPU)


def present_figures(
    records: Sequence[Record], figures: Sequence[CostFigure] = COST_FIGURES, *, in_all: bool = False
) -> list[CostFigure]:
    """Returns the figures that any of the records has.

    Args:
        records: The records.
        figures: Which figures to look for.
        in_all: Whether all records must have them.
    """
    has = all if in_all else any
    return [figure for figure in figures if records and has(figure.value(record) is not None for record in records)]


def cost_notes(records: Sequence[Record]) -> list[str]:
    """Returns what the figures of these records mean, as far as the records have any."""
    served = [record.serving for record in records if record.serving is not None]
    lines = []
    if served:
        short, long = served[0].short, served[0].long
        requests = min(min(serving.short.n_requests, serving.long.n_requests) for serving in served)
        lines += [
            f"p50, p95, p99: time of a request for the best {served[0].k} items of one user that are not in the user's "
            f"train rows; at least {requests:,} requests of each group, one after the other. CPU ms: mean CPU time.",
            f"short: users with {short.fewest_rows:,}-{short.most_rows:,} train rows, the tenth with the fewest; long: "
            f"{long.fewest_rows:,}-{long.most_rows:,} rows, the tenth with the most. first: the first request.",
            "model: size of the pickled model. serving: peak memory beyond the memory before."
            + (" The size is that of the arrays if a model cannot be pickled." * _has_arrays(records)),
        ]
    if countries := {record.energy.country for record in records if record.energy and record.energy.country}:
        lines.append(
            f"{ESTIMATED}: measured joules x mean carbon intensity of the country ({', '.join(sorted(countries))}) in "
            "CodeCarbon's table."
        )
    if sensors := {name for record in records if record.energy for name in record.energy.sensors}:
        lines.append(
            f"J: measured by {' and '.join(sorted(sensors)).upper()}, with all other programs of the machine; without "
            "trials that ran beside others."
        )
    return lines


def _has_arrays(records: Sequence[Record]) -> bool:
    return any(record.serving is not None and record.serving.size_of == "arrays" for record in records)
