"""The texts of the command line that say which models run and with which hyper-parameters. Nothing is looked up here.

An entry of ``--models`` has the form ``[LABEL=]MODEL[:NAME=VALUE]...``; ``--param`` takes ``[MODEL.]NAME=VALUE``, where
``MODEL`` may be a label.
"""

import re
from dataclasses import dataclass, field

from recbench.errors import RecbenchError

_LABEL = re.compile(r"([^=:,/\\]+)=(.*)", re.DOTALL)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """An entry of ``--models``.

    Attributes:
        model: A name, ``package.module:Class`` or ``file.py:Class``.
        label: The label of the configuration; empty if the entry has none.
        texts: The texts of the hyper-parameters, by name.
    """

    model: str
    label: str = ""
    texts: dict[str, str] = field(default_factory=dict)


def split_commas(text: str) -> list[str]:
    """Splits a text at its commas, except within square brackets.

    >>> split_commas("[64,32], [64],")
    ['[64,32]', '[64]', '']
    """
    items, depth = [""], 0
    for character in text:
        depth = max(0, depth + (character == "[") - (character == "]"))
        if character == "," and not depth:
            items.append("")
        else:
            items[-1] += character
    return [item.strip() for item in items]


def split_entries(text: str) -> list[str]:
    """Splits ``--models`` into its entries.

    >>> split_entries("bpr, ncf:layers=[64,32],popularity")
    ['bpr', 'ncf:layers=[64,32]', 'popularity']
    """
    return [entry for entry in split_commas(text) if entry]


def split_assignments(text: str) -> list[str]:
    """Splits ``--param`` into its assignments; a piece without ``=`` belongs to the value before it.

    >>> split_assignments("bpr.factors=16,32,bpr.epochs=5")
    ['bpr.factors=16,32', 'bpr.epochs=5']
    """
    assignments: list[str] = []
    for piece in split_commas(text):
        if assignments and "=" not in piece:
            assignments[-1] += f",{piece}"
        else:
            assignments.append(piece)
    return assignments


def parse_entry(text: str) -> ModelEntry:
    """Reads one entry of ``--models``.

    Raises:
        RecbenchError: The entry names no model, or gives a hyper-parameter twice.

    >>> parse_entry("big=bpr:factors=128:epochs=20")
    ModelEntry(model='bpr', label='big', texts={'factors': '128', 'epochs': '20'})
    >>> parse_entry("shop/net.py:Net:rate=0.1")
    ModelEntry(model='shop/net.py:Net', label='', texts={'rate': '0.1'})
    """
    labelled = _LABEL.fullmatch(text)
    label, rest = (labelled[1].strip(), labelled[2]) if labelled else ("", text)
    first, *pieces = rest.split(":")
    names: list[str] = [first]
    texts: dict[str, str] = {}
    for piece in pieces:
        assignment = _ASSIGNMENT.fullmatch(piece)
        if assignment is not None:
            if assignment[1] in texts:
                raise RecbenchError(f"--models {text!r} gives {assignment[1]!r} twice.", "Give each value once.")
            texts[assignment[1]] = assignment[2]
        elif texts:
            # A value may hold colons.
            texts[list(texts)[-1]] += f":{piece}"
        else:
            names.append(piece)
    model = ":".join(names).strip()
    if not model:
        raise RecbenchError(
            f"--models {text!r} names no model.",
            "The form is [LABEL=]MODEL[:NAME=VALUE]..., such as big=bpr:factors=128",
        )
    return ModelEntry(model, label, texts)


def parse_assignment(text: str) -> tuple[str, str, str]:
    """Splits ``[MODEL.]NAME=VALUE``.

    Returns:
        The model or label, empty if there is none; the name; and the text of the value.

    Raises:
        RecbenchError: The text has another form.

    >>> parse_assignment("my_model.py:Mine.slope=a=b")
    ('my_model.py:Mine', 'slope', 'a=b')
    >>> parse_assignment("factors=64")
    ('', 'factors', '64')
    """
    target, equals, value = text.partition("=")
    model, dot, name = target.rpartition(".")
    if not (equals and name and bool(dot) == bool(model)):
        raise RecbenchError(
            f"--param {text!r} is not of the form MODEL.NAME=VALUE.", "For example: --param bpr.factors=64"
        )
    return model, name, value
