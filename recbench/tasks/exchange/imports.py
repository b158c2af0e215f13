"""Imports of published splits from tables, whatever program or paper they come from."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from recbench.data.readers.decoding import TextSource, read_head
from recbench.data.readers.layout import PLAIN, Form, Layout
from recbench.data.readers.open_tables import SHOWN
from recbench.data.readers.ratings_files import readable
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_word
from recbench.path_checks import check_no_file_above
from recbench.tasks.exchange.export import SPEC_NAME
from recbench.tasks.exchange.exported_tables import ExportedTables
from recbench.tasks.exchange.forms import UniformNegatives
from recbench.tasks.exchange.published_split import assemble, assemble_drawn
from recbench.tasks.exchange.split_files import SplitFiles, inside, read_split
from recbench.tasks.exchange.table_readers import RecognisedTables
from recbench.tasks.spec import Negatives, PublishedData, PublishedForm, TaskSpec, Waiver, exact_number
from recbench.tasks.task import Task
from recbench.toml_file import TomlKind

OTHER_SEPARATORS = (b",", b";", b"|")
LIGHTGCN = Layout(form=Form.ADJACENCY)
OTHER_FILES = "Other files of a split: recbench task import pairs --help"
EXPORT_FILE = TomlKind("spec of an exported task", OTHER_FILES, OTHER_FILES, parse_float=exact_number)


class _Exported(BaseModel):
    """The spec file of an export.

    Attributes:
        files: The name of each file in the folder.
        task: The task's spec.
    """

    files: SplitFiles
    task: dict[str, Any]


def import_split(
    name: str,
    form: PublishedForm,
    files: SplitFiles,
    rule: Negatives,
    layout: Layout = PLAIN,
    waivers: frozenset[Waiver] = frozenset(),
    uniform: UniformNegatives | None = None,
) -> Task:
    """Reads a split into a verified task.

    Args:
        name: The task's name.
        form: Whose form the files have, of ``PublishedData``.
        files: The files.
        rule: How to draw the negatives that are not published.
        layout: How train, test and validation are laid out.
        waivers: Rules that published candidates may break.
        uniform: Whether the published negatives are uniform, as declared; None to test them.

    Raises:
        RecbenchError: A file cannot be read, the files do not belong together, or a rule without a waiver is broken.
    """
    if layout.form is Form.ADJACENCY:
        for path in (files.train, files.test):
            _check_blanks(path)
    return assemble_drawn(name, form, read_split(files, RecognisedTables(layout)), rule, waivers, uniform)


def _check_blanks(path: Path) -> None:
    """Checks that a file of lists is not separated by something else than blanks: it would be read as users only.

    Raises:
        RecbenchError: It is.
    """
    if not path.is_file():
        return
    with readable(path):
        lines = read_head(TextSource(path)).lines()
    marks = [mark for mark in OTHER_SEPARATORS if all(mark in line for line in lines)]
    if lines and marks and not any(len(line.split()) > 1 for line in lines):
        shown, mark = lines[0].decode("utf-8", "replace"), marks[0].decode()
        raise RecbenchError(
            f"{path}: the items of a user are not separated by blanks; the first line is {shown[:SHOWN]!r}.",
            f"A line is a user and the items of this user: tr {mark!r} ' ' < {shell_word(path)} > lists.txt\n"
            "If a line is one user and one item: recbench task import pairs --help",
        )


def import_folder(name: str, folder: Path) -> Task:
    """Reads what ``export`` wrote; the digest must be the one of the exported task.

    Raises:
        RecbenchError: The folder is not an export, lacks a file, names one outside of it, or the files were changed.
    """
    check_no_file_above(folder, "Give the folder that recbench task export wrote.")
    spec_file = inside(folder, Path(SPEC_NAME))
    exported = EXPORT_FILE.load(spec_file, _Exported)
    spec = EXPORT_FILE.check(exported.task | {"name": name}, TaskSpec, str(spec_file))
    if not isinstance(spec.dataset, PublishedData):
        # Else the imported task would name a file of this machine, and be built from it later.
        raise RecbenchError(
            f"{spec_file} is not the spec of an exported task: its dataset is {spec.dataset.source!r}.", OTHER_FILES
        )
    files = exported.files.inside(folder)
    return assemble(spec, read_split(files, ExportedTables(), spec.negatives.count))
