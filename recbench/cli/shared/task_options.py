"""The options and arguments of the verbs that read or store a task."""

from typing import Annotated

import typer

from recbench.cli.shared.completion import task_name

NameOrSpec = Annotated[
    str,
    typer.Argument(metavar="NAME|SPEC.toml", help="A task's name, or its spec file.", autocompletion=task_name),
]
Replace = Annotated[bool, typer.Option("--force", help="Replace a task of that name.")]
