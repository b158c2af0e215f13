"""Which pairs of trials of an A/B comparison are complete, so that an interrupted comparison can be resumed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recbench.data.cache import atomic_path
from recbench.errors import RecbenchError
from recbench.path_checks import check_no_file_above
from recbench.records.store import OTHER_FOLDER
from recbench.system_errors import advice_to_write, reason

NAME: Final = "ab.json"


class Stage(StrEnum):
    """What a pair of trials is for."""

    CONTROL = "control"
    """The base against itself."""
    COMPARISON = "comparison"
    """The base against the head."""


class Pair(BaseModel):
    """Two trials of one model with one seed, one after the other.

    Attributes:
        model: The model, as the command line names it.
        stage: What it is for.
        seed: The seed.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    stage: Stage
    seed: int


class ABIdentity(BaseModel):
    """What all pairs of a comparison have in common; with another one, they are pairs of another comparison.

    Attributes:
        base: The commit of the base.
        head: The commit of the head.
        task: The digest of the task.
        models: The models, as the command line names them.
        options: Options of ``recbench run`` for every trial.
        own_environments: Whether each revision has an environment of its own.
    """

    model_config = ConfigDict(frozen=True)

    base: str
    head: str
    task: str
    models: tuple[str, ...]
    options: tuple[str, ...]
    own_environments: bool


class _File(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[1] = Field(default=1, alias="schema")
    identity: ABIdentity
    done: tuple[Pair, ...] = ()


@dataclass(slots=True)
class ABState:
    """The state of a comparison, kept in a file of its folder.

    Attributes:
        folder: The folder of the comparison.
        identity: Which comparison.
        done: The complete pairs.
    """

    folder: Path
    identity: ABIdentity
    done: set[Pair] = field(default_factory=set)

    @classmethod
    def of(cls, folder: Path, identity: ABIdentity) -> "ABState":
        """Returns the state of a comparison in a folder, which need not exist.

        Raises:
            RecbenchError: The folder holds something else, such as another comparison, or cannot be used.
        """
        check_no_file_above(folder, OTHER_FOLDER)
        file = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            text = file.read_text(encoding="utf-8") if file.exists() else ""
            is_empty = not any(folder.iterdir())
        except OSError as error:
            raise _unusable(folder, error) from error
        if not text:
            if not is_empty:
                raise RecbenchError(
                    f"The folder {folder} is not empty, and holds no comparison of 'recbench ab'.", OTHER_FOLDER
                )
            return cls(folder, identity)
        try:
            content = _File.model_validate_json(text)
        except ValidationError as error:
            raise RecbenchError(
                f"{file} is damaged.", f"Remove the folder, or choose another one. {OTHER_FOLDER}"
            ) from error
        if content.identity != identity:
            raise RecbenchError(
                f"The folder {folder} holds another comparison: {_difference(content.identity, identity)}.",
                OTHER_FOLDER,
            )
        return cls(folder, identity, set(content.done))

    def left(self, seeds: Sequence[int]) -> list[Pair]:
        """Returns the pairs that are still to be trained: for each model the control, and then the comparison."""
        every = [
            Pair(model=model, stage=stage, seed=seed)
            for model in self.identity.models
            for stage in Stage
            for seed in seeds
        ]
        return [pair for pair in every if pair not in self.done]

    def add(self, pair: Pair) -> None:
        """Notes that a pair is complete.

        Raises:
            RecbenchError: The file cannot be written.
        """
        self.done.add(pair)
        self.save()

    def save(self) -> None:
        """Writes the file. Without it, a folder that holds the first trials could not be used again.

        Raises:
            RecbenchError: The file cannot be written.
        """
        ordered = sorted(self.done, key=lambda done_pair: (done_pair.model, done_pair.stage, done_pair.seed))
        text = _File(identity=self.identity, done=tuple(ordered)).model_dump_json(indent=1, by_alias=True) + "\n"
        try:
            with atomic_path(self.folder / NAME) as path:
                path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise _unusable(self.folder, error) from error


def _difference(other: ABIdentity, own: ABIdentity) -> str:
    names = [name for name in ABIdentity.model_fields if getattr(other, name) != getattr(own, name)]
    return "; ".join(f"{name} {getattr(other, name)}, not {getattr(own, name)}" for name in names)


def _unusable(folder: Path, error: OSError) -> RecbenchError:
    return RecbenchError(f"Cannot write to the folder {folder}: {reason(error)}.", advice_to_write(error, OTHER_FOLDER))
