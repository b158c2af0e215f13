"""The options of the verbs that compare two sides."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recbench.escaping.shell import shell_word
from recbench.progress.console import write_message

if TYPE_CHECKING:
    from recbench.records.selection import RecordSet

RECORDS = "a label in results/baselines/, a folder of records, one record, or REV:PATH in git."
Base = Annotated[str, typer.Argument(help=f"The accepted records: {RECORDS}", show_default=False)]
Current = Annotated[str, typer.Argument(help="The records to compare with BASE, in any of the same forms.")]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", metavar="FILE", help="TOML file of limits. Limits that it does not set keep their defaults."
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODEL:METRIC REASON",
        help="Accept an intended regression, and say why. METRIC may be throughput; * means any. May be repeated.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Fail if a verdict is inconclusive.")]
Renamed = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OLD=NEW,...",
        help="Comma-separated: models that were renamed since the accepted records. Their history continues.",
    ),
]


def note_labels(*record_sets: "RecordSet") -> None:
    """Prints a note for each label that has the name of a folder or file of records, and for records left out."""
    for records in record_sets:
        if records.hidden is not None:
            write_message(
                f"note: {records.text} is the label of accepted records. For the records in the working folder, write: "
                f"./{shell_word(records.text)}",
                "yellow",
            )
        for left_out in records.superseded:
            write_message(f"note: left out of {records.text}: {left_out}.", "yellow")
