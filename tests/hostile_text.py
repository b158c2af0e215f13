"""One hostile name, and what must hold of each medium that shows it. Nothing here uses the functions under test."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt

HARMLESS = "plain"
HOSTILE = (
    "pop|<img src=x onerror=alert(1)>`c`[a](http://e)![i](x)\n\n# Head\n\n- [ ] item\n| a | b |\n|---|---|\n"
    "::error::x\n##[error]y\r\n\x1b]0;title\x07\x1b[31mred\x9b2J\u202eabc\u200b\u3164 $\\frac{$ & % # _x_ ^ ~~s~~ {} "
    "\\ \"q\" 'r' ; rm -rf $HOME $(id) @team #12 GH-3 :tada: **b** --> </details> &lt; <!-- ../../../up , x\\|y "
    "[red]z[/red]\\"
)
PRINTABLE = "".join(character for character in HOSTILE if character.isprintable() and character != "\u3164")


def check_visible(text: str) -> None:
    """Checks that a terminal executes and hides no character."""
    hidden = [c for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert not hidden, hidden
    assert "\u3164" not in text


def check_shown(text: str) -> None:
    """Checks what a verb prints: also the log of a CI job executes no line."""
    check_visible(text)
    for line in text.split("\n"):
        assert not line.strip().startswith("::"), line
        assert "##[" not in line


def same_lines(shown: str, plain: str) -> None:
    assert shown.count("\n") == plain.count("\n")


def _markdown(text: str) -> list[str]:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    inline = [child for token in tokens for child in (token, *(token.children or ()))]
    return [f"{token.type} {token.tag}" for token in inline if token.type not in ("text", "text_special")]


def same_markdown(shown: str, plain: str) -> None:
    """The same blocks and the same markup; and nothing that GitHub makes of text afterwards."""
    assert _markdown(shown) == _markdown(plain)
    fence = ""
    for line in shown.split("\n"):
        if fences := re.fullmatch(r"`{3,}", line):
            fence = "" if fence == fences[0] else fence or fences[0]
        outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", line) if not fence else ""
        assert not re.search(r"(?<![\w&])@\w|(?<![\w&])#\d|\bGH-\d|(?<!\\)\$", outside), line


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[object] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(tag)

    def handle_comment(self, data: str) -> None:
        self.seen.append("comment")


def same_html(shown: str, plain: str) -> None:
    tags = []
    for text in (shown, plain):
        parser = _Tags()
        parser.feed(text)
        parser.close()
        tags.append(parser.seen)
    assert tags[0] == tags[1]


def same_latex(shown: str, plain: str) -> None:
    """The same commands, groups and columns, once escapes are left out."""
    escapes = (
        r"\\[&%$#_{}]|\\\^\{\}|\\textasciitilde\{\}|\\text(?:backslash|bar)\{\}|-\{\}|\\ensuremath\{[<>]\}|"
        r"\{[\[*]\}"
    )
    special = [re.findall(r"\\\w+|\\\\ *\n *[\[*]|[&%$#_^~{}\\]", re.sub(escapes, "", text)) for text in (shown, plain)]
    assert special[0] == special[1]
    same_lines(shown, plain)


def same_csv(shown: str, plain: str) -> None:
    rows, others = list(csv.reader(io.StringIO(shown))), list(csv.reader(io.StringIO(plain)))
    assert [len(row) for row in rows] == [len(row) for row in others]
    assert not any(re.match(r"\s*[=@]", cell) for row in rows for cell in row)
    same_lines(shown, plain)


def texts_of(document: Any) -> set[str]:
    """All texts of a JSON document, its keys too."""
    if isinstance(document, dict):
        return set(document) | set().union(*map(texts_of, document.values()))
    if isinstance(document, list):
        return set().union(*map(texts_of, document))
    return {document} if isinstance(document, str) else set()


def same_json(shown: str, plain: str) -> None:
    texts = texts_of(json.loads(shown)), texts_of(json.loads(plain))
    assert any(HOSTILE in text for text in texts[0]) == any(HARMLESS in text for text in texts[1])


SAME: dict[str, Callable[[str, str], None]] = {
    "text": same_lines,
    "markdown": same_markdown,
    "csv": same_csv,
    "json": same_json,
    "latex": same_latex,
    "html": same_html,
}
"""By format: what an output with the hostile name has in common with the same output with a harmless name."""
