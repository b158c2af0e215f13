"""What was read from a table of ratings, and what recbench guessed about it."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Reading:
    """The reading of a table.

    Attributes:
        name: The file or DataFrame, without its folder.
        n_rows: Rows read, those that were skipped included.
        n_skipped: Rows that could not be read and were skipped.
        first_skipped: The first row that was skipped, and why it cannot be read.
        guesses: What nobody named and recbench recognised, such as ``separator ','``.
    """

    name: str
    n_rows: int
    n_skipped: int = 0
    first_skipped: str | None = None
    guesses: tuple[str, ...] = ()

    def guessing(self, guess: str) -> "Reading":
        """Returns the same reading with a further guess."""
        return replace(self, guesses=(*self.guesses, guess))

    def __str__(self) -> str:
        skipped = f", {self.n_skipped:,} skipped; the first: {self.first_skipped}" if self.n_skipped else ""
        guessed = f" ({'; '.join(self.guesses)})" if self.guesses else ""
        return f"{self.n_rows:,} rows of {self.name}{skipped}{guessed}"
