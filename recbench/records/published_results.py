"""What others published on a task, as data: one TOML file a task."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recbench.errors import RecbenchError, did_you_mean
from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import metric_names, parse_measure
from recbench.evaluation.ranking import Ranking
from recbench.toml_file import TomlKind

# Decimal keeps the digits that were published: 0.7310 and 0.731 are not equally exact.
PUBLISHED_FILE = TomlKind(
    "file of published results",
    "Check the path given to --published.",
    "results/published/ has an example.",
    parse_float=Decimal,
)
FULL: Final = "full"
"""The key of a result's figures in the full ranking."""

Share = Annotated[Decimal, Field(ge=0, le=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PublishedResult(_Frozen):
    """A published result.

    Every other key is a metric with its cut-off, such as ``hr@10``, and its value; among the task's candidates, unless
    the key names the full ranking, as ``full-hr@10`` does.

    Attributes:
        model: The model of recbench that it is compared with; None if recbench has no such model.
        method: What was run, in its authors' words.
        source: Where it was published.
        note: What a reader must know to compare it; None for nothing.
        full: Metrics in the full ranking, such as ``recall@20``, with their values.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Share] = Field(init=False)

    model: str | None = None
    method: str
    source: str
    note: str | None = None
    full: dict[str, Share] = {}

    @model_validator(mode="before")
    @classmethod
    def _check_metrics(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        candidates = [key for key in content if key not in cls.model_fields]
        full = list(content[FULL]) if isinstance(content.get(FULL), dict) else []
        sampled = [_read_measure(key, cls.model_fields) for key in candidates]
        _check_given_once([*sampled, *(_read_measure(key, ()).in_ranking(Ranking.FULL) for key in full)])
        if not candidates and not content.get(FULL):
            raise ValueError('no metric, such as "hr@10" = 0.5 or full = { "recall@20" = 0.1 }')
        return content

    @cached_property
    def figures(self) -> dict[Measure, Decimal]:
        """The published value of each measure, those in the full ranking last."""
        sampled = {parse_measure(name): value for name, value in self.__pydantic_extra__.items()}
        return sampled | {parse_measure(name).in_ranking(Ranking.FULL): value for name, value in self.full.items()}


class Published(_Frozen):
    """All that is known of a task.

    Attributes:
        version: Of this form of file.
        digest: Of the task: figures on other candidates are no match.
        build: The commands that make the task.
        results: What was published.
    """

    version: Literal[1] = Field(alias="schema")
    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    build: tuple[str, ...] = ()
    results: tuple[PublishedResult, ...] = ()


def load_published(path: Path) -> Published:
    """Reads a file of published results.

    Raises:
        RecbenchError: It cannot be read, or is not one; the message names the field.
    """
    return PUBLISHED_FILE.load(path, Published)


def _check_given_once(measures: Sequence[Measure]) -> None:
    """Checks that no measure is given twice.

    Raises:
        ValueError: One is.
    """
    if twice := next((measure for measure in measures if measures.count(measure) > 1), None):
        raise ValueError(f"{twice.name} is given twice")


def _read_measure(key: str, other_keys: Iterable[str]) -> Measure:
    """Reads the key of a figure.

    Raises:
        ValueError: It is no metric, with the nearest metrics and other keys.
    """
    try:
        return parse_measure(key)
    except RecbenchError as error:
        if "@" in key or key in metric_names():
            raise ValueError(error.message.removesuffix(".")) from error
        near = did_you_mean(key, [*other_keys, *metric_names()]).removesuffix(".")
        raise ValueError(f"unknown key or metric {key!r}.{near}") from error
