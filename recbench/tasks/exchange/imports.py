"""Imports of published splits from tables, whatever program or paper they come from."""

import tomllib
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from recbench.data.readers.layout import PLAIN, Form, Layout
from recbench.errors import RecbenchError
from recbench.tasks.exchange.export import SPEC_NAME
from recbench.tasks.exchange.published_split import PUBLISHED, assemble, without_positives
from recbench.tasks.exchange.split_files import SplitFiles, read_split
from recbench.tasks.spec import Negatives, PublishedData, PublishedNegatives, TaskSpec, Waiver
from recbench.tasks.task import Task

LIGHTGCN = Layout(form=Form.ADJACENCY)


def import_split(
    name: str,
    form: str,
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
    rows = read_split(files, layout)
    negatives: Negatives | PublishedNegatives = rule
    if rows.negatives is not None:
        kept = without_positives(rows.negatives, rows.test.items, waivers, str(files.candidates))
        rows = replace(rows, negatives=kept)
        negatives = PublishedNegatives(method="published", count=kept.shape[1])
    spec = TaskSpec(
        name=name,
        description="Published split and candidates" if files.candidates else "Published split, candidates drawn",
        dataset=PublishedData(source="published", form=form),
        split=PUBLISHED,
        negatives=negatives,
        waivers=tuple(sorted(waivers)),
    )
    return assemble(spec, rows)


def import_folder(name: str, folder: Path) -> Task:
    """Reads what ``export`` wrote; the digest must be the one of the exported task.

    Raises:
        RecbenchError: The folder is not an export, lacks a file, or the files were changed.
    """
    path = folder / SPEC_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        spec = TaskSpec.model_validate(document["task"] | {"name": name})
        files = SplitFiles(**{part: folder / file for part, file in document["files"].items()})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, ValidationError) as error:
        reason = "its spec is not one" if isinstance(error, ValidationError) else error
        raise RecbenchError(
            f"{folder} is not a folder that 'recbench task export' wrote: {path}: {reason}.",
            "Other files of a split: recbench task import pairs --help",
        ) from error
    return assemble(spec, read_split(files, width=spec.negatives.count))
