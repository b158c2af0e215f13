"""The examples in the help of a verb: commands that are printed whole, whatever the width of the terminal."""

import inspect
import re

_HEADING = re.compile(r"^Examples?:", re.MULTILINE)


def split_examples(text: str) -> tuple[str, list[str]]:
    r"""Separates a docstring into its prose and its examples.

    Examples are a paragraph that starts with ``Example:`` or ``Examples:``. Each line is a command; a line that is
    indented more than the first command continues the command before it. Each paragraph of the prose becomes one
    line, because the help breaks lines at the width of the terminal.

    >>> split_examples("Show\nit.\n\nExamples:\n  a b\n  a c\n    d\n\nExit codes: 0 done.")
    ('Show it.\n\nExit codes: 0 done.', ['a b', 'a c d'])
    """
    prose, examples = [], []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if _HEADING.match(paragraph):
            examples += _commands(_HEADING.sub("", paragraph))
        else:
            prose.append(" ".join(line.strip() for line in paragraph.split("\n")))
    return "\n\n".join(prose), examples


def _commands(text: str) -> list[str]:
    lines = [line for line in text.split("\n") if line.strip()]
    depth = _indent(lines[0])
    commands: list[str] = []
    for line in lines:
        if _indent(line) > depth:
            commands[-1] += f" {line.strip()}"
        else:
            commands.append(line.strip())
    return commands


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def shown_examples(examples: list[str]) -> str:
    """Returns the text for the end of the help: one command per line, never wrapped."""
    heading = "Example:" if len(examples) == 1 else "Examples:"
    return "\n".join([f" {heading}", *(f"   {command}" for command in examples), ""])
