"""What the trials gave: one file of JSON lines for each model.

A line is never changed. After a change of a model's algorithm its file has to be deleted: the lines do not say which
code they come from beyond ``code_version``, because the version of the code also changes with a default.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recbench.errors import RecbenchError
from recbench.escaping.file_names import file_name
from recbench.records.schema import Figure, ParameterValue
from recbench.tuning.objective import EPOCHS

FOLDER = Path(__file__).parent / "results"


class Result(BaseModel):
    """One trial.

    Attributes:
        dataset: The dataset's name.
        digest: Digest of the task with the validation cases.
        model: The model's name.
        parameters: All hyper-parameters.
        status: How the trial ended.
        error: Why it failed.
        points: NDCG@10 on the validation cases by number of epochs; the last is the trial's own. Empty if it failed.
        seconds: Warm-up, training and scoring.
        code_version: Hash of the model's code.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dataset: str
    digest: str
    model: str
    parameters: dict[str, ParameterValue]
    status: Literal["done", "failed", "timed-out", "out-of-memory", "interrupted"]
    error: str = ""
    points: dict[int, Figure] = Field(default_factory=dict)
    seconds: float
    code_version: str | None = None

    @property
    def key(self) -> str:
        """The configuration."""
        return configuration_key(self.parameters)

    def values(self) -> Iterator[tuple[str, float]]:
        """Yields configurations and their NDCG@10: the trial's own, and the same with fewer epochs."""
        for epochs, value in self.points.items():
            if isinstance(self.parameters.get(EPOCHS), int):
                yield configuration_key({**self.parameters, EPOCHS: epochs}), value
            else:
                yield self.key, value


def configuration_key(parameters: dict[str, ParameterValue]) -> str:
    """Returns a text that is the same for the same hyper-parameters."""
    return json.dumps(parameters, sort_keys=True)


def results_path(model: str, folder: Path = FOLDER) -> Path:
    """Returns the file of a model's results."""
    return folder / f"{file_name(model)}.jsonl"


def read_results(path: Path) -> list[Result]:
    """Reads a model's results; none if there is no file.

    A last line without an end is left out: the search was killed while it wrote the line.

    Raises:
        RecbenchError: A line is not a result.
    """
    if not path.exists():
        return []
    complete = path.read_text("utf-8").rpartition("\n")[0]
    results = []
    for number, line in enumerate(complete.splitlines(), 1):
        try:
            results.append(Result.model_validate_json(line))
        except ValidationError as error:
            raise RecbenchError(
                f"{path}, line {number} is not a result: {error.errors()[0]['msg']}.", "Delete this line."
            ) from error
    return results


def append_result(path: Path, result: Result) -> None:
    """Adds a line, and waits until it is on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        _end_last_line(file.fileno(), path)
        file.write(result.model_dump_json(exclude_defaults=True).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _end_last_line(descriptor: int, path: Path) -> None:
    """Removes the part of a line that a killed search left behind."""
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        os.truncate(descriptor, content.rfind(b"\n") + 1)


def newest(results: Iterable[Result]) -> list[Result]:
    """Returns the last result of each dataset and configuration; those of an earlier form of a dataset are left out."""
    every = list(results)
    digests = {result.dataset: result.digest for result in every}
    current = [result for result in every if result.digest == digests[result.dataset]]
    return list({(result.dataset, result.key): result for result in current}.values())
