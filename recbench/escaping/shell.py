"""Text in commands that people copy into a shell."""

import os
import re
import shlex
from collections.abc import Iterable

from recbench.escaping.terminal import INVISIBLE
from recbench.text_encoding import OF_NO_BYTE

_LINE_OR_TAB = {"\n": r"\n", "\t": r"\t"}


def shell_word(word: str | os.PathLike[str]) -> str:
    r"""Returns a word of a command: the shell reads it back, and no character of it is markup of the shell.

    A word with control characters, or with bytes that are not UTF-8, is written as ``$'\033'``: bash, zsh, ksh and
    POSIX of 2024 know this form, and a terminal shows it.

    >>> shell_word("it's; rm -rf ~"), shell_word("a\x1bb"), shell_word("bpr")
    ('\'it\'"\'"\'s; rm -rf ~\'', "$'a\\033b'", 'bpr')
    """
    word = os.fspath(word)
    if not re.search(r"[\n\t\ud800-\udfff]", word) and not INVISIBLE.search(word):
        return shlex.quote(word)  # noqa: TID251 - the one place
    return f"$'{''.join(map(_in_ansi_c, word))}'"


def shell_command(words: Iterable[str | os.PathLike[str]]) -> str:
    """Returns a command of one line.

    >>> shell_command(["recbench", "run", "--task", "a b"])
    "recbench run --task 'a b'"
    """
    return " ".join(map(shell_word, words))


def _in_ansi_c(character: str) -> str:
    if character in _LINE_OR_TAB:
        return _LINE_OR_TAB[character]
    if character in "\\'":
        return f"\\{character}"
    if "\ud800" <= character <= "\udfff" or INVISIBLE.match(character):
        # Octal: unlike \x, it takes at most three digits, whatever follows.
        errors = "surrogatepass" if OF_NO_BYTE.match(character) else "surrogateescape"
        return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", errors))
    return character
