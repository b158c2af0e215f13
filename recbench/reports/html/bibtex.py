"""How to cite a set of results, and recbench."""

import hashlib
import re

import recbench
from recbench.counted import counted
from recbench.escaping.latex import latex
from recbench.records.schema import TaskIdentity
from recbench.reports.run.run_report import RunReport

AUTHOR = "The recbench authors"


def bibtex(report: RunReport, task: TaskIdentity) -> str:
    """Returns two entries: the results, and the program."""
    records = [trial.record for summary in report.summaries for trial in summary.trials]
    year = max(record.started_at for record in records).year
    revisions = sorted({record.revision.sha[:9] for record in records if record.revision})
    note = f"Task {task.digest[:19]}; {counted(len(report.summaries), 'configuration')}; "
    note += f"{counted(len(records), 'trial')}; "
    note += f"revision {', '.join(revisions) or 'unknown'}"
    version = recbench.__version__
    return "\n".join(
        [
            _entry("misc", f"recbench-{_key(task.name)}", f"Results of recbench on {task.name}", year, note),
            "",
            _entry(
                "software", "recbench", "recbench: a benchmark harness for recommenders", year, f"Version {version}"
            ),
        ]
    )


def _key(name: str) -> str:
    """Returns a name as a part of a key, which has few characters: names that differ in others get a hash."""
    key = re.sub(r"[^A-Za-z0-9.]+", "-", name)
    return key if name.isascii() else f"{key.strip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")


def _entry(kind: str, key: str, title: str, year: int, note: str) -> str:
    fields = {"title": f"{{{_text(title)}}}", "author": f"{{{AUTHOR}}}", "year": str(year), "note": _text(note)}
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _text(text: str) -> str:
    # BibTeX counts braces, even those that LaTeX escapes.
    return latex(text).replace(r"\{", r"\textbraceleft{}").replace(r"\}", r"\textbraceright{}")
