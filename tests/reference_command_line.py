"""The reference of the command line, from the same objects as ``--help``."""

from enum import Enum
from pathlib import Path
from typing import Any

import typer

from recbench.cli.app import app
from tests.generated_parts import code, plain, table

OWN_PANEL = "Options"


def command_line() -> str:
    """Returns one section for each verb."""
    program = typer.main.get_command(app)
    return "\n\n".join(_section(path, verb) for path, verb in _verbs("recbench", program))


def verbs() -> list[str]:
    """Returns the words of each verb, such as ``recbench task build``."""
    return [path for path, _ in _verbs("recbench", typer.main.get_command(app))]


def _verbs(path: str, command: Any) -> list[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        return [(path, command)]
    return [
        verb
        for name, subcommand in below.items()
        if not subcommand.hidden
        for verb in _verbs(f"{path} {name}", subcommand)
    ]


def _section(path: str, verb: Any) -> str:
    arguments = [parameter for parameter in verb.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in verb.params if parameter.param_type_name == "option" and not parameter.hidden]
    usage = " ".join([path, *map(_usage, arguments), *(["[OPTIONS]"] if options else [])])
    blocks = [f"## {path}", _paragraphs(verb.help), f"```text\n{usage}\n```"]
    if arguments:
        blocks.append(
            table(
                ["argument", "meaning"], [[code(_name(argument)), plain(argument.help or "")] for argument in arguments]
            )
        )
    panels: dict[str, list[Any]] = {OWN_PANEL: []}
    for option in options:
        panels.setdefault(option.rich_help_panel or OWN_PANEL, []).append(option)
    for panel, inside in panels.items():
        if inside:
            rows = [
                [_spellings(panel_option, verb), _meaning(panel_option, verb), _default(panel_option)]
                for panel_option in inside
            ]
            blocks.append(f"**{panel}**\n\n" + table(["option", "meaning", "default"], rows))
    if verb.examples:
        blocks.append("**Examples**\n\n```text\n" + "\n".join(verb.examples) + "\n```")
    return "\n\n".join(blocks)


def _usage(argument: Any) -> str:
    name = _name(argument) + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _name(argument: Any) -> str:
    return argument.metavar or argument.name.upper()


def _spellings(option: Any, verb: Any) -> str:
    spellings = sorted(option.opts, key=len)
    long = spellings[-1]
    value = "" if option.is_flag else f" {_value(option, verb, long)}"
    return (
        ", ".join(code(short) for short in spellings[:-1]) + (", " if spellings[:-1] else "") + code(f"{long}{value}")
    )


def _value(option: Any, verb: Any, spelling: str) -> str:
    if not option.metavar and (choices := verb.choices.get(spelling)):
        return "|".join(choices)
    numbers = verb.numbers.get(spelling)
    return option.metavar or ("TEXT" if numbers is None else "N" if numbers.whole else "X")


def _meaning(option: Any, verb: Any) -> str:
    numbers = verb.numbers.get(max(option.opts, key=len))
    least, most = (numbers.least, numbers.most) if numbers else (None, None)
    if least is None and most is None:
        limits = ""
    elif most is None:
        limits = f" At least {least}."
    else:
        limits = f" At most {most}." if least is None else f" From {least} to {most}."
    return plain(option.help or "") + limits


def _default(option: Any) -> str:
    if isinstance(option.show_default, str):
        return plain(option.show_default)
    if option.required:
        return "required"
    value = option.default
    if value is None or value is False:
        return ""
    return code(str(value.value if isinstance(value, Enum) else value.as_posix() if isinstance(value, Path) else value))


def _paragraphs(text: str) -> str:
    return "\n\n".join(plain(paragraph) for paragraph in text.split("\n\n"))
