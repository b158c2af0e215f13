"""``recbench cite``: references for a paper."""

from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.completion import task_name
from recbench.cli.shared.execution_options import TASK
from recbench.cli.shared.output_options import AsJson

if TYPE_CHECKING:
    from recbench.cli.shared.document_types import CitationsDocument
from recbench.cli.shared.terminal import emit, emit_json


def cite(
    task: Annotated[
        str | None,
        typer.Option(
            metavar=TASK, help="Also cite the dataset of this task.", show_default="none", autocompletion=task_name
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print how to cite recbench and the dataset of a task, as plain text and BibTeX.

    BibTeX ignores the lines of plain text, so you can save the output as a .bib file.

    Examples:
      recbench cite
      recbench cite --task ml-100k-loo > references.bib

    Exit codes: 0 printed, 2 bad input.
    """
    from recbench.experiments import citations

    entries = citations.cite(task)
    if as_json:
        document: CitationsDocument = {
            "schema": 1,
            "citations": [{"subject": entry.subject, "bibtex": entry.bibtex, "text": entry.text} for entry in entries],
        }
        emit_json(document)
        return
    # BibTeX takes an @ in a comment for the beginning of an entry.
    blocks = [
        "\n".join(filter(None, [f"% {entry.subject}: {entry.text}".replace("@", "(at)"), entry.bibtex]))
        for entry in entries
    ]
    emit("\n\n".join(blocks))
