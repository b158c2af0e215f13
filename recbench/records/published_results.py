"""What others published on a task, as data: one TOML file a task."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from recbench.toml_file import TomlKind

PUBLISHED_FILE = TomlKind(
    "file of published results", "Check the path given to --published.", "results/published/ has an example."
)

Share = Annotated[float, Field(ge=0, le=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PublishedResult(_Frozen):
    """A published result.

    Attributes:
        model: The model that it is to be held beside.
        method: What was run, in its authors' words.
        hr: HR@10 among the candidates.
        ndcg: NDCG@10 among the candidates; None if it was not published.
        source: Where it was published.
    """

    model: str
    method: str
    hr: Share = Field(alias="hr@10")
    ndcg: Share | None = Field(default=None, alias="ndcg@10")
    source: str


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
