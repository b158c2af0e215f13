"""A group whose commands are imported when they are used: its help and its completion need only their summaries."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, cast

import typer
from typer.core import TyperCommand

from recbench.cli.shared.verbs import Verb, VerbGroup


@dataclass(frozen=True, slots=True)
class LaterCommand:
    """A command that is not imported yet.

    Attributes:
        source: Module and attribute, as ``MODULE:NAME``; the attribute is a verb's function or a ``typer.Typer``.
        summary: The first paragraph of its help.
    """

    source: str
    summary: str

    @property
    def module(self) -> str:
        """The name of its module."""
        return self.source.partition(":")[0]

    def load(self, name: str) -> Any:
        """Imports the command.

        Args:
            name: Its name in the group.
        """
        content = getattr(import_module(self.module), self.source.partition(":")[2])
        if isinstance(content, typer.Typer):
            # Not get_command: it would add the program's own options for completion.
            group = typer.main.get_group(content)
            group.name = name
            return group
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
        alone.command(name, cls=Verb)(content)
        return typer.main.get_command(alone)


class LoadedCommands(Mapping[str, Any]):
    """Commands by name. Reading a command imports it; their names and number are known before.

    Args:
        later: The commands.
    """

    def __init__(self, later: Mapping[str, LaterCommand]) -> None:
        self._later = later
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = self._later[name].load(name)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._later

    def __iter__(self) -> Iterator[str]:
        return iter(self._later)

    def __len__(self) -> int:
        return len(self._later)


class LaterCommands(VerbGroup):
    """A group of verbs of which only the one that is used is imported.

    Attributes:
        later: Its commands, in the order of the help.
    """

    later: ClassVar[Mapping[str, LaterCommand]] = {}

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        # Typed as a mapping that can be changed; nothing is ever added.
        self.commands = cast(Any, LoadedCommands(self.later))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """Returns the names of the commands, in the order of the help."""
        return list(self.later)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """Returns a command that has only a name and a summary: all that a list of commands shows."""
        command = self.later.get(cmd_name)
        return None if command is None else TyperCommand(cmd_name, help=command.summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the command that the command line starts with, and imports it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, None if command is None else self.commands[name], rest
