"""How to cite recbench, and the dataset of a task."""

import os
from dataclasses import dataclass

from recbench import __version__
from recbench.data.bibliography import plain_text
from recbench.data.catalogue import citations, find_dataset
from recbench.tasks.lookup import find_task, load_task
from recbench.tasks.spec import CatalogueData, PublishedData, SyntheticData, TaskSpec

RECBENCH = f"""@misc{{recbench,
  author       = {{{{The recbench authors}}}},
  title        = {{recbench: A benchmark harness for implicit-feedback recommenders}},
  howpublished = {{Software, version {__version__}}},
  year         = {{2026}}
}}"""
PUBLISHED_SPLITS = {"ncf": "he2017ncf", "lightgcn": "he2020lightgcn"}
"""The papers with which splits were published, by the form of their files."""


@dataclass(frozen=True, slots=True)
class Citation:
    """What to cite, and how.

    Attributes:
        subject: What it is.
        bibtex: The BibTeX entry; None if recbench knows none.
        text: The reference as plain text, or why there is none.
    """

    subject: str
    bibtex: str | None
    text: str


def cite(task: str | os.PathLike[str] | None = None) -> tuple[Citation, ...]:
    """Returns how to cite recbench, and the dataset of a task.

    Args:
        task: Name or spec file of the task; None for recbench only.

    Raises:
        RecbenchError: There is no such task.

    Examples:
        >>> [citation.subject for citation in cite("ml-100k-loo")]
        ['recbench', 'MovieLens 100K, the dataset of ml-100k-loo']
    """
    software = Citation("recbench", RECBENCH, plain_text(RECBENCH))
    if task is None:
        return (software,)
    return (software, _of_dataset(find_task(task).spec or load_task(task).spec))


def _of_dataset(spec: TaskSpec) -> Citation:
    subject = f"the dataset of {spec.name}"
    match spec.dataset:
        case CatalogueData(name=name):
            dataset = find_dataset(name)
            entry = citations()[dataset.citation]
            return Citation(f"{dataset.title}, {subject}", entry, plain_text(entry))
        case PublishedData(form=form) if form in PUBLISHED_SPLITS:
            entry = citations()[PUBLISHED_SPLITS[form]]
            return Citation(f"the published split {spec.name}", entry, plain_text(entry))
        case SyntheticData():
            return Citation(subject, None, "recbench generates this dataset; cite recbench.")
        case _:
            return Citation(subject, None, "recbench does not know where these rows come from; cite their source.")
