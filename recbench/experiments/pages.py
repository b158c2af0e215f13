"""Pages made from records: the leaderboard of a task, and the accepted baselines."""

from pathlib import Path

from recbench.errors import RecbenchError
from recbench.experiments.defaults import PUBLISHED_FOLDER
from recbench.records.finished_trial import FinishedTrial
from recbench.records.published_results import load_published
from recbench.records.selection import read_records
from recbench.records.tuned_settings import load, settings_path
from recbench.reports.pages.baselines import baselines_page
from recbench.reports.pages.leaderboard import LeaderboardSources, leaderboard
from recbench.tuning.spaces import own_spaces_path, read_spaces


def leaderboard_page(records: str, settings: Path | None = None, published: Path | None = None) -> tuple[str, str]:
    """Renders the leaderboard of the task of some records.

    Args:
        records: A folder of records of one task.
        settings: The tuned settings; None for those that come with the models, if they know the task.
        published: What others published; None for ``results/published/TASK.toml``, if it exists.

    Returns:
        The name of the task, and the page in Markdown.

    Raises:
        RecbenchError: A file cannot be read, or is about another task.
        NothingToCompareError: There are no records.
    """
    trials = read_records(records).trials
    task = trials[0].record.task
    settings = settings or _existing(settings_path(task.name))
    published = published or _existing(PUBLISHED_FOLDER / f"{task.name}.toml")
    sources = LeaderboardSources(
        place=records,
        trials=trials,
        settings=load(settings) if settings else None,
        published=load_published(published) if published else None,
        spaces=read_spaces(own_spaces_path()),
    )
    for path, digest in (
        (settings, sources.settings.task.digest if sources.settings else ""),
        (published, sources.published.digest if sources.published else ""),
    ):
        if path and digest != task.digest:
            raise RecbenchError(
                f"{path} is about another task, of digest {digest}; the records are of {task.digest}.",
                "Give the file for this task, or build the task that the file is about.",
            )
    return task.name, leaderboard(sources)


def accepted_page(label: str) -> str:
    """Renders the accepted records of a label as one table per task, in Markdown.

    Args:
        label: Such as ``main``.

    Raises:
        RecbenchError: There is no such label, or a record cannot be read.
    """
    tasks: dict[str, list[FinishedTrial]] = {}
    for trial in read_records(label).trials:
        tasks.setdefault(trial.record.task.name, []).append(trial)
    return baselines_page(tasks, label)


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None
