"""Imports of published splits from tables, whatever program or paper they come from."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from recbench.data.readers.layout import PLAIN, Form, Layout
from recbench.path_checks import check_no_file_above
from recbench.tasks.exchange.export import SPEC_NAME
from recbench.tasks.exchange.published_split import assemble, assemble_drawn
from recbench.tasks.exchange.split_files import SplitFiles, read_split
from recbench.tasks.spec import Negatives, PublishedForm, TaskSpec, Waiver, exact_number
from recbench.tasks.task import Task
from recbench.toml_file import TomlKind

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
) -> Task:
    """Reads a split into a verified task.

    Args:
        name: The task's name.
        form: Whose form the files have, of ``PublishedData``.
        files: The files.
        rule: How to draw the negatives that are not published.
        layout: How train, test and validation are laid out.
        waivers: Rules that published candidates may break.

    Raises:
        RecbenchError: A file cannot be read, the files do not belong together, or a rule without a waiver is broken.
    """
    return assemble_drawn(name, form, read_split(files, layout), rule, waivers, str(files.candidates))


def import_folder(name: str, folder: Path) -> Task:
    """Reads what ``export`` wrote; the digest must be the one of the exported task.

    Raises:
        RecbenchError: The folder is not an export, lacks a file, or the files were changed.
    """
    check_no_file_above(folder, "Give the folder that recbench task export wrote.")
    exported = EXPORT_FILE.load(folder / SPEC_NAME, _Exported)
    spec = EXPORT_FILE.check(exported.task | {"name": name}, TaskSpec, str(folder / SPEC_NAME))
    files = exported.files.inside(folder)
    return assemble(spec, read_split(files, width=spec.negatives.count))
