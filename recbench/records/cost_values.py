"""What a trained model costs in use, and the energy of a trial, as records keep them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from recbench.records.number_types import Count, CutOff, Figure, Joules, Milliseconds, Rate, Seconds


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LatencyValue(_Frozen):
    """The time of requests for the best items of one user.

    Attributes:
        p50_ms: Median, in milliseconds.
        p95_ms: 95th percentile.
        p99_ms: 99th percentile.
        n_requests: Number of requests.
        fewest_rows: The fewest train rows of a user of a request.
        most_rows: The most.
    """

    p50_ms: Milliseconds
    p95_ms: Milliseconds
    p99_ms: Milliseconds
    n_requests: Count
    fewest_rows: Count
    most_rows: Count


class ServingValue(_Frozen):
    """A trained model in use; see ``recbench.foreign.serving_loop``.

    Attributes:
        k: Length of the lists.
        short: Requests for users with a short history.
        long: Requests for users with a long history.
        first_request_ms: The first request after training and ranking.
        cpu_ms: CPU time of the process for each request, on average.
        users_per_second: Throughput of batches, by their number of users.
        memory_bytes: Peak resident memory while serving, beyond the memory before; None where it is not known.
        size_bytes: Size of the model; None where it is not known.
        size_of: What the size is of: ``pickle``, or ``arrays`` for a model that cannot be pickled.
        requests: The fewest requests that were asked for, of each group of users.
        seconds: The shortest time that was asked for.
    """

    k: CutOff
    short: LatencyValue
    long: LatencyValue
    first_request_ms: Milliseconds
    cpu_ms: Milliseconds
    users_per_second: dict[CutOff, Rate]
    memory_bytes: Count | None
    size_bytes: Count | None
    size_of: Literal["pickle", "arrays"]
    requests: Count
    seconds: Seconds


class EnergyValue(_Frozen):
    """The energy that sensors measured. It is of the whole machine, other programs included.

    Attributes:
        sensors: What was read: ``rapl`` (processor packages), ``nvml`` (GPUs that the trial used), or both.
        fit_joules: Energy while the clock of ``fit`` ran; None where it is not known.
        score_joules: Energy while the candidates were ranked; None where it is not known.
        grams_per_kwh: Mean carbon intensity of the country's electricity, from the table of CodeCarbon: grams of CO2
            equivalents follow from it, and are an estimate. None without CodeCarbon or without a country.
        country: The country, ISO 3166-1 alpha-3; None as above.
    """

    sensors: tuple[Literal["rapl", "nvml"], ...]
    fit_joules: Joules | None
    score_joules: Joules | None
    grams_per_kwh: Figure | None = None
    country: str | None = None


class GpuUse(_Frozen):
    """The use of GPUs during ``fit``, sampled through NVML after epochs and at the end.

    Attributes:
        peak_memory_bytes: The most memory of this process on all GPUs; None where the driver does not tell.
        utilisation: Mean share of the time in which a GPU was at work, 0 to 1; other programs count too.
        n_samples: Number of samples.
    """

    peak_memory_bytes: Count | None
    utilisation: Annotated[float, Field(ge=0, le=1)]
    n_samples: Count
