"""BibTeX entries as plain text."""

import re
import unicodedata

FIELD = re.compile(r"^\s*(?P<name>\w+)\s*=\s*\{(?P<value>.*)\},?$", re.MULTILINE)
ACCENT = re.compile(r"""\\(?P<mark>['`"^~])\{?(?P<letter>[A-Za-z])\}?""")
MARKS = {"'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303"}
"""The combining characters of the accents."""


def plain_text(entry: str) -> str:
    r"""Returns a reference in one line: authors, title, where it was published, year, DOI.

    Args:
        entry: A BibTeX entry with one field in each line.

    >>> plain_text("@article{a,\n  author = {Ann B\\'e and C. D. and E F},\n  title = {{On} X},\n  year = {2020}\n}")
    'Ann Bé, C. D. and E F. On X. 2020.'
    """
    fields = {match["name"]: _without_markup(match["value"]) for match in FIELD.finditer(entry)}
    *others, last = fields["author"].split(" and ")
    authors = f"{', '.join(others)} and {last}" if others else last
    volume = fields.get("volume", "") + (f"({fields['number']})" if "number" in fields else "")
    published = [fields.get("journal") or fields.get("booktitle"), volume, fields.get("pages"), fields["year"]]
    elements = [authors, fields["title"], fields.get("howpublished"), ", ".join(filter(None, published))]
    if "doi" in fields:
        elements.append(f"doi:{fields['doi']}")
    return " ".join(f"{element.removesuffix('.')}." for element in elements if element)


def _without_markup(value: str) -> str:
    accented = ACCENT.sub(lambda match: unicodedata.normalize("NFC", match["letter"] + MARKS[match["mark"]]), value)
    return accented.replace("{", "").replace("}", "").replace("--", "–")
