"""The files of a gate for a pipeline: JUnit XML, annotations, and the summary of a job."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from recbench.output_files import BY_NAME_ONLY, UNSEALED, OutputFile, seal
from recbench.reports.compare.annotations import annotations as annotation_lines
from recbench.reports.compare.gate import GateReport
from recbench.reports.compare.junit import junit_xml
from recbench.reports.compare.summary import gate_summary

Render = Callable[[Sequence[GateReport]], str]


@dataclass(frozen=True, slots=True)
class GateFile:
    """A file that a gate writes beside its report.

    Attributes:
        output: Where.
        render: Returns its content, with a mark by which recbench replaces the file later.
    """

    output: OutputFile
    render: Render

    def write(self, reports: Sequence[GateReport]) -> None:
        """Writes the file.

        Raises:
            RecbenchError: A file is there that recbench did not write, or the folder cannot be written.
        """
        self.output.write(seal(self.render(reports)).encode())


def gate_files(*, junit: Path | None, annotations: Path | None, summary: Path | None) -> list[GateFile]:
    """Returns the files that were asked for."""
    chosen = ((junit, _junit), (annotations, _annotations), (summary, _summary))
    return [GateFile(OutputFile(path, advice=BY_NAME_ONLY), render) for path, render in chosen if path is not None]


def _junit(reports: Sequence[GateReport]) -> str:
    head, _, rest = junit_xml(reports).partition("\n")
    return f"{head}\n<!-- {UNSEALED} -->\n{rest}"


def _annotations(reports: Sequence[GateReport]) -> str:
    return "\n".join([f"::debug::{UNSEALED}", *annotation_lines(reports), ""])


def _summary(reports: Sequence[GateReport]) -> str:
    return f"<!-- {UNSEALED} -->\n{gate_summary(reports)}"
