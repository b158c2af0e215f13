"""A site of all results of a project, which any static host can serve."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from recbench.errors import NothingToCompareError
from recbench.escaping.file_names import file_name
from recbench.experiments.report import accepted_lines, command_names, expanded, suite_reports
from recbench.output_files import OutputFile
from recbench.records.results_folder import results_folder
from recbench.records.selection import RecordSet, read_with_problems
from recbench.records.suite_layout import is_suite, record_folders
from recbench.registry.source_defaults import source_defaults
from recbench.reports.html.report_page import PageSources
from recbench.reports.html.site import site_pages


@dataclass(frozen=True, slots=True)
class Site:
    """A rendered site.

    Attributes:
        files: The content of each file, by its path in the site.
        runs: The records that it shows.
        warnings: What is missing on its pages, and why.
    """

    files: dict[str, str]
    runs: tuple[RecordSet, ...]
    warnings: tuple[str, ...]

    def write(self, folder: Path, *, force: bool = False) -> None:
        """Writes all files, or none if one of them must not be replaced.

        Args:
            folder: Made if it does not exist.
            force: Whether to replace files that recbench did not write, or that were edited.

        Raises:
            RecbenchError: A file is there that recbench did not write, or the folder cannot be written.
        """
        outputs = {name: OutputFile(folder / name, force) for name in self.files}
        for output in outputs.values():
            output.check()
        for name, output in outputs.items():
            output.write(self.files[name].encode("utf-8", "backslashreplace"))


def render_site(runs: Sequence[str] = ()) -> Site:
    """Renders the pages of runs, the history, and the feed.

    Args:
        runs: See ``render_report``; a page for each. Without any, all folders of records in the project's results.

    Raises:
        RecbenchError: A record cannot be read.
        NothingToCompareError: There are no records.
    """
    chosen_runs = expanded(runs) or pages_of(results_folder())
    if not chosen_runs:
        raise NothingToCompareError(
            f"There are no records in {results_folder()}.",
            "Records are written by: recbench run --models ... -o FOLDER",
        )
    history, damaged = accepted_lines()
    names = command_names()
    pages: dict[str, PageSources] = {}
    warnings = list(damaged)
    for run in chosen_runs:
        records = read_with_problems(run)
        warnings += records.problems
        defaults = source_defaults(trial.record.reference for trial in records.trials)
        suites, problems = suite_reports([run], None)
        warnings += problems
        page = PageSources([records], None, history, names, (*records.problems, *problems), defaults, suites)
        pages[_unused(_page_name(run), pages)] = page
    runs_shown = tuple(record_set for page in pages.values() for record_set in page.runs)
    return Site(site_pages(pages, history), runs_shown, tuple(warnings))


def pages_of(folder: Path) -> list[str]:
    """Returns what has a page in a folder of results: each folder of records, and each suite as one."""
    paths = {path.parent if is_suite(path.parent) else path for path in record_folders(folder)}
    return sorted(path.as_posix() for path in paths)


def _unused(name: str, pages: Container[str]) -> str:
    """Returns the name, with a number if another page has it."""
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(page_name for page_name in names if page_name not in pages)


def _page_name(place: str) -> str:
    """Returns the name of a run's page.

    >>> _page_name("results/leaderboards/ml-100k"), _page_name("../runs/")
    ('leaderboards-ml-100k', 'runs')
    """
    segments = [segment for segment in place.replace(":", "/").split("/") if segment not in ("", ".", "..", "results")]
    return file_name("-".join(segments) or "results")
