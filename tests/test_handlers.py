"""Handlers that catch what they do not know: each says why it names the true cause, or why silence is right."""

import ast
import io
import tokenize
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "recbench"
BROAD = {"Exception", "BaseException"}
SYSTEM = {*BROAD, "OSError", "RuntimeError", "IOError", "EnvironmentError"}
LINES_ABOVE = 4


def names(node):
    """The names of the classes that an expression holds."""
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)} if node is not None else BROAD


def comments(text):
    """The numbers of the lines that have a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.start[0] for token in tokens if token.type == tokenize.COMMENT}


def passes_on(handler):
    """Whether a handler raises, or uses the error that it caught."""
    inside = [node for statement in handler.body for node in ast.walk(statement)]
    return any(isinstance(node, ast.Raise) for node in inside) or any(
        isinstance(node, ast.Name) and node.id == handler.name for node in inside
    )


def unexplained(text):
    """Yields the lines of broad handlers, and of silent ones for the system's errors, that have no comment."""
    if "except" not in text and "suppress" not in text:
        return
    tree, explained = ast.parse(text), comments(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            last = node.body[0].lineno
            caught = names(node.type)
            matters = caught & BROAD or (caught & SYSTEM and not passes_on(node))
        elif isinstance(node, ast.Call) and names(node.func) & {"suppress"} | {getattr(node.func, "attr", "")} & {
            "suppress"
        }:
            last, matters = node.lineno + 1, set().union(*map(names, node.args)) & SYSTEM
        else:
            continue
        if matters and not explained & set(range(node.lineno - LINES_ABOVE, last + 1)):
            yield node.lineno


def test_each_broad_or_silent_handler_says_why():
    locations = [
        f"{path.relative_to(PACKAGE.parent)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line in unexplained(path.read_text(encoding="utf-8"))
    ]
    assert locations == []


def test_what_counts_as_explained():
    assert list(unexplained("try:\n    f()\nexcept Exception as error:\n    raise X(error)\n")) == [3]
    assert list(unexplained("try:\n    f()\nexcept:\n    pass\n")) == [3]
    assert list(unexplained("try:\n    f()\nexcept (KeyError, OSError):\n    g()\n")) == [3]
    assert list(unexplained("import x\n\nwith contextlib.suppress(OSError):\n    f()\n")) == [3]
    assert not list(unexplained("try:\n    f()\nexcept OSError as error:\n    raise X(error)\n"))
    assert not list(unexplained("try:\n    f()\nexcept Exception:  # why\n    pass\n"))
    assert not list(unexplained("try:\n    f()\nexcept KeyError:\n    pass\n"))
