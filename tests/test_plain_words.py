"""The documentation uses the terms of the field: private words and old turns of phrase stay out."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.reference_command_line import command_line

PLAIN = {
    r"of old": "older, earlier",
    r"nobody wants": "name who does not want it, and why",
    r"told apart": "distinguish",
    r"hangs? on": "depends on",
    r"go(es)? before": "takes precedence over",
    r"go(es)? on with|gone on with|going on with": "resume, continue",
    r"the others still r[ua]n": "recbench runs the other models",
    r"stands? still": "is stopped",
    r"worth": "the name of the value",
    r"meets?|has not met|have not met": "reaches; has not interacted with",
    r"shelf|shelves": "dataset",
    r"drawn items": "negatives",
    r"whole catalogue": "full ranking, all items",
    r"floors?(?! =)": "minimum effect; sanity check",
    r"efforts": "budgets",
    r"where the figure would lie": "95 % confidence interval",
    r"cannot be told": "is not significantly different",
    r"can be told": "is known",
    r"level with": "not significantly different from",
    r"80 % at": "detectable difference",
    r"would have (been )?seen": "finds with 80 % power",
    r"all the say": "dominates",
    r"looked for": "tuned, searched",
    r"would read": "has, would have",
    r"reads? (HR|NDCG)": "has",
    r"told|it tells|they tell": "prints, reports, names",
    r"is asked for": "the option, the request",
}
"""Each pattern, and what to write instead; ``floor = `` is a field of a policy."""
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
GENERATED = re.compile(r"<!-- generated: (?P<name>[a-z-]+) -->.*?<!-- end of (?P=name) -->", re.DOTALL)


def prose(text):
    """Returns a page with its code, its outputs and its generated parts blanked; lines keep their numbers."""
    for pattern in (GENERATED, FENCE, COMMENT, CODE):
        text = pattern.sub(lambda match: "\n" * match[0].count("\n"), text)
    return text


def private_words(text):
    """Returns each private word with its line, from 1, and what to write instead."""
    return [
        f"line {number}: {match[0]!r}; write: {PLAIN[pattern]}"
        for number, line in enumerate(text.splitlines(), 1)
        for pattern in PLAIN
        if (match := re.search(rf"\b({pattern})\b", line, re.IGNORECASE))
    ]


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_use_no_private_words(path):
    assert private_words(prose(path.read_text("utf-8"))) == []


def test_help_uses_no_private_words():
    assert private_words(command_line()) == []


def test_messages_use_no_private_words():
    words_by_file = {
        path.relative_to(ROOT).as_posix(): words
        for path in sorted((ROOT / "recbench").rglob("*.py"))
        if (words := private_words("\n".join(messages(path.read_text("utf-8")))))
    }
    assert words_by_file == {}


def messages(source: str) -> Iterator[str]:
    """Yields the texts of several words in a module that are not docstrings or other statements of their own."""
    tree = ast.parse(source)
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
            text = CODE.sub("", node.value)
            if " " in text:
                yield text


def test_private_words_are_found_in_prose_alone():
    page = "It hangs on\n`hangs on`\n```text\nhangs on\n```\n<!-- hangs on -->\nWorthy, what it is worth.\n"
    assert private_words(prose(page)) == [
        "line 1: 'hangs on'; write: depends on",
        "line 7: 'worth'; write: the name of the value",
    ]
