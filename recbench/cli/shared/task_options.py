"""The options and arguments of the verbs that read or store a task."""

from typing import Annotated

import typer

from recbench.cli.shared.completion import task_name
from recbench.tasks.exchange.forms import Order, TooFew

NameOrSpec = Annotated[
    str,
    typer.Argument(metavar="NAME|SPEC.toml", help="A task's name, or its spec file.", autocompletion=task_name),
]
Replace = Annotated[bool, typer.Option("--force", help="Replace a task of that name.")]
OrderOption = Annotated[
    Order | None,
    typer.Option(
        "--order",
        help="Which row of a user is held out: the last in the file, the latest, or a random row. Default: the latest; "
        "without times, the last in the file, or a random row if the rows are sorted by user or item.",
    ),
]
TooFewNegatives = Annotated[
    TooFew | None,
    typer.Option(
        help="Users with too few items without an interaction: leave them out, or take fewer negatives for them. "
        "Default: leave them out with a warning; an error if they are more than half of the users."
    ),
]
