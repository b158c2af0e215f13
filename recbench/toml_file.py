"""Read TOML files and check them against a schema: the same errors for every kind of file."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from recbench.errors import RecbenchError, problem_text
from recbench.file_content import other_content
from recbench.path_checks import check_no_folder
from recbench.system_errors import cannot_read

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class TomlKind:
    """A kind of TOML file, with the advice that its errors give.

    Attributes:
        noun: What such a file is, without an article: ``task spec``.
        if_missing: What to do if the file cannot be read.
        if_broken: What to do if its content is not valid.
        parse_float: Reads a number with a decimal point; raises ``ValueError`` if it is out of range.
    """

    noun: str
    if_missing: str = "Check the path."
    if_broken: str = "Correct the file."
    parse_float: Callable[[str], Any] = float

    def load(self, path: Path, model: type[Model]) -> Model:
        """Reads a file and checks it against its schema.

        Args:
            path: The file.
            model: The schema.

        Raises:
            RecbenchError: The file cannot be read, is not TOML, or breaks the schema; the message names each field.
        """
        return self.check(self.read(path), model, str(path))

    def read(self, path: Path) -> dict[str, Any]:
        """Reads a file without checking it against a schema.

        Raises:
            RecbenchError: The file cannot be read or is not TOML.
        """
        check_no_folder(path, self.if_missing, self._noun_with_article)
        try:
            content = path.read_bytes()
        except (OSError, MemoryError) as error:
            raise cannot_read(f"the {self.noun} {path}", error, self.if_missing) from error
        try:
            return self.parse(content.decode("utf-8"), str(path))
        except (UnicodeDecodeError, RecbenchError) as error:
            if content and (other := other_content(path, content)) is not None:
                raise RecbenchError(
                    f"{path} is not valid TOML: it {other.what}.", other.advice or self.if_broken
                ) from error
            if isinstance(error, RecbenchError):
                raise
            raise RecbenchError(f"{path} is not valid TOML: it is not UTF-8 text.", self.if_broken) from error

    def parse(self, text: str, where: str) -> dict[str, Any]:
        """Parses the text of a file; ``where`` names it in errors.

        Raises:
            RecbenchError: It is not TOML.
        """
        try:
            return tomllib.loads(text, parse_float=self.parse_float)
        except (ValueError, ArithmeticError, RecursionError) as error:
            # Not TOML, numbers beyond what Python reads, or nested without end.
            raise RecbenchError(f"{where} is not valid TOML: {error}.", self.if_broken) from error

    def check(self, content: object, model: type[Model], where: str) -> Model:
        """Checks parsed content against a schema; ``where`` names the file in errors.

        Raises:
            RecbenchError: It breaks the schema; the message names each field.
        """
        try:
            return model.model_validate(content)
        except ValidationError as error:
            raise RecbenchError(
                f"{where} is not {self._noun_with_article}:{describe_problems(error)}", self.if_broken
            ) from error

    @property
    def _noun_with_article(self) -> str:
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"


def describe_problems(error: ValidationError) -> str:
    """Returns each field that broke the schema and why: a single problem on the same line, several on lines below."""
    problems = [
        f"{'.'.join(str(part) for part in problem['loc']) or 'the file'}: {problem_text(problem)}"
        for problem in error.errors()
    ]
    if len(problems) > 1:
        return "\n  " + "\n  ".join(problems)
    return f" {problems[0]}" + ("" if problems[0].endswith((".", "?")) else ".")
