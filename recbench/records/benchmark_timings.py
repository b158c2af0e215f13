"""Files that pytest-benchmark writes, as far as they are compared."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from recbench.errors import NothingToCompareError, RecbenchError, problem_text
from recbench.file_content import other_content
from recbench.path_checks import check_no_folder
from recbench.records.schema import Rate, Seconds
from recbench.system_errors import cannot_read

WRITTEN_BY = "Such files are written by: tox -e bench, or pytest --benchmark-json=FILE"


@dataclass(frozen=True, slots=True)
class Timing:
    """One benchmark.

    Attributes:
        name: Its full name: file, function, parameters.
        seconds: Median over its rounds.
        interactions_per_second: Train rows x epochs / seconds, where something is trained.
    """

    name: str
    seconds: float
    interactions_per_second: float | None


@dataclass(frozen=True, slots=True)
class Timings:
    """A file of benchmarks.

    Attributes:
        path: The file.
        machine: What they ran on, in words; empty if the file does not tell.
        timings: The benchmarks, in the order of the file.
    """

    path: Path
    machine: str
    timings: tuple[Timing, ...]


class _Stats(BaseModel):
    median: Seconds


class _ExtraInfo(BaseModel):
    interactions_per_second: Rate | None = None


class _Benchmark(BaseModel):
    fullname: str
    stats: _Stats
    extra_info: _ExtraInfo = _ExtraInfo()


class _File(BaseModel):
    benchmarks: list[_Benchmark]
    machine_info: dict[str, Any] = {}


def read_timings(path: Path) -> Timings:
    """Reads a file that ``pytest --benchmark-json`` has written.

    Raises:
        RecbenchError: It cannot be read, or is not such a file; the message names the field.
        NothingToCompareError: It has no benchmarks.
    """
    check_no_folder(path)
    try:
        text = path.read_bytes()
    except (OSError, MemoryError) as error:
        raise cannot_read(f"the timings {path}", error) from error
    try:
        content = _File.model_validate(json.loads(text.decode("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        raise RecbenchError(
            f"{path} is not a file of pytest-benchmark: {'.'.join(map(str, first['loc']))}: {problem_text(first)}.",
            WRITTEN_BY,
        ) from error
    except (ValueError, RecursionError) as error:
        # After the line above, whose error is a ValueError too. Neither UTF-8 nor JSON, or nested without end.
        if (other := other_content(path, text)) is not None:
            raise RecbenchError(f"{path} is not JSON: it {other.what}.", other.advice or WRITTEN_BY) from error
        raise RecbenchError(f"{path} is not JSON: {error}.", f"It may be truncated. {WRITTEN_BY}") from error
    if not content.benchmarks:
        raise NothingToCompareError(
            f"There are no benchmarks in {path}.", f"All of them may have been skipped. {WRITTEN_BY}"
        )
    cpu = content.machine_info.get("cpu") or {}
    machine_details = [cpu.get("brand_raw") if isinstance(cpu, dict) else None, content.machine_info.get("release")]
    machine = ", ".join(str(detail) for detail in machine_details if detail)
    timings = tuple(
        Timing(benchmark.fullname, benchmark.stats.median, benchmark.extra_info.interactions_per_second)
        for benchmark in content.benchmarks
    )
    return Timings(path, machine, timings)
