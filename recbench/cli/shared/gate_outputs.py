"""What a gate writes and sends beside what it prints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recbench.cli.shared.output_options import PANEL
from recbench.progress.console import write_message

if TYPE_CHECKING:
    from recbench.reports.compare.gate import GateReport
    from recbench.reports.compare.gate_files import GateFile
    from recbench.webhook import Webhook


def _option(name: str, metavar: str, what: str) -> Any:
    return typer.Option(name, metavar=metavar, help=what, rich_help_panel=PANEL)


JUnit = Annotated[
    Path | None, _option("--junit", "FILE", "Also write JUnit XML, with one test for each model and metric.")
]
Annotations = Annotated[
    Path | None, _option("--annotations", "FILE", "Also write GitHub annotations, one for each changed model.")
]
Summary = Annotated[
    Path | None, _option("--summary", "FILE", "Also write the summary of a CI job: Markdown with a Mermaid chart.")
]
Notify = Annotated[
    str | None,
    _option("--notify", "URL", "Also send the JSON document by POST. The limit is 10 s; a failure is only a warning."),
]


@dataclass(frozen=True, slots=True)
class GateOutputs:
    """Files to write, and an address to notify.

    Attributes:
        files: The files.
        webhook: The address; None for none.
    """

    files: "Sequence[GateFile]"
    webhook: "Webhook | None"

    def write(self, reports: "Sequence[GateReport]") -> None:
        """Writes the files.

        Raises:
            RecbenchError: A file cannot be written.
        """
        for file in self.files:
            file.write(reports)

    def send(self, headline: str, document: Callable[[], Any]) -> None:
        """Sends the document; prints a warning if it cannot be sent.

        Args:
            headline: The verdict in one sentence, which chat programs show.
            document: Returns the document.
        """
        if self.webhook is None:
            return
        problem = self.webhook.post({"text": headline, **document()})
        if problem:
            write_message(f"Warning: --notify: {self.webhook.host} did not take the message: {problem}.", "yellow")


def gate_outputs(junit: Path | None, annotations: Path | None, summary: Path | None, notify: str | None) -> GateOutputs:
    """Returns what was asked for. Call it before any work.

    Raises:
        RecbenchError: A file must not be replaced, or the address cannot be used.
    """
    from recbench.reports.compare.gate_files import gate_files
    from recbench.webhook import Webhook

    files = gate_files(junit=junit, annotations=annotations, summary=summary)
    for file in files:
        file.output.check()
    return GateOutputs(files, None if notify is None else Webhook.read(notify))
