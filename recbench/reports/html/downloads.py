"""The files that a page holds inside itself: data URIs, which need no network."""

import base64
import gzip
import json
from dataclasses import dataclass

from recbench.escaping.file_names import file_name
from recbench.records.schema import TaskIdentity
from recbench.reports.formats import Format
from recbench.reports.html.bibtex import bibtex
from recbench.reports.run.document import report_document
from recbench.reports.run.pairs_table import pairs_table
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.table import run_table


@dataclass(frozen=True, slots=True)
class Download:
    """A file inside a page.

    Attributes:
        name: Its name.
        address: Its content, as an address.
        content: What it holds, in words.
        unpacked: The name under which the script of the page saves it unpacked; empty if it is not packed.
        kind: The media type of the unpacked file.
    """

    name: str
    address: str
    content: str
    unpacked: str = ""
    kind: str = ""


def downloads(report: RunReport, task: TaskIdentity) -> list[Download]:
    """Returns the files of one task: the models and their pairs as CSV, all figures as JSON, and a citation."""
    name = file_name(task.name)
    document = json.dumps(report_document(report), allow_nan=False, separators=(",", ":"))
    pairs = pairs_table(report, Format.CSV)
    return [
        _plain(f"{name}.csv", "text/csv", run_table(report, Format.CSV), "one line for each model"),
        _packed(f"{name}-pairs.csv", "text/csv", pairs, "one line for each pair of models and metric"),
        _packed(f"{name}.json", "application/json", document, "all figures"),
        _plain(f"{name}.bib", "application/x-bibtex", bibtex(report, task), "how to cite these results"),
    ]


def _plain(name: str, kind: str, text: str, content: str) -> Download:
    return Download(name, _address(f"{kind};charset=utf-8", _encoded(text)), content)


def _packed(name: str, kind: str, text: str, content: str) -> Download:
    # The time in the head of the file would make each page another one.
    packed = gzip.compress(_encoded(text), mtime=0)
    return Download(f"{name}.gz", _address("application/gzip", packed), content, name, kind)


def _encoded(text: str) -> bytes:
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
