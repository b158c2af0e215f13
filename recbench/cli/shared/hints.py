"""The hints of errors: a verb shows only the sentences about options that it has."""

import re
from collections.abc import Collection

_SENTENCE_END = re.compile(r"(?<=[.!?])[ ]+(?=[A-Z'\"])")
_OPTION = re.compile(r"(?<![\w-])(?:--[a-z][a-z-]*|-o\b)")
_COMMAND = re.compile(r"\b(?:recbench|git|dask|tox) [a-z].*")


def own_sentences(hint: str, own: Collection[str], all_verbs: Collection[str]) -> str:
    """Leaves out the sentences of a hint that name options of other verbs.

    A library function that several verbs call cannot know their options, so that its hint names all that may help.
    Options in a command (``recbench run --seeds 1``) belong to that command, and stay.

    Args:
        hint: The hint of an error.
        own: The options of the verb that was called.
        all_verbs: The options of all verbs; others belong to other programs.

    >>> own_sentences("Correct the row. To skip it: --skip-bad-rows.", {"--k"}, {"--k", "--skip-bad-rows"})
    'Correct the row.'
    """
    foreign = set(all_verbs) - set(own)
    lines = []
    for line in hint.split("\n"):
        sentences = _SENTENCE_END.split(line)
        kept = [sentence for sentence in sentences if foreign.isdisjoint(_OPTION.findall(_COMMAND.sub("", sentence)))]
        if kept:
            lines.append(" ".join(kept))
    return "\n".join(lines)
