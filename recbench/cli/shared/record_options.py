"""The options of the verbs that compare two sides."""

from pathlib import Path
from typing import Annotated

import typer

RECORDS = "a folder of records, one record, a label in results/baselines/, or REV:PATH in git."
Base = Annotated[str, typer.Argument(help=f"The accepted records: {RECORDS}", show_default=False)]
Current = Annotated[str, typer.Argument(help="The records to compare with them, named in the same ways.")]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="TOML with limits; what it leaves out is default.")
]
