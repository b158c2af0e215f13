"""``recbench leaderboard``: the records of one task as a page."""

from pathlib import Path
from typing import Annotated

import typer

from recbench.cli.shared.pages import write_or_check
from recbench.errors import RecbenchError

PUBLISHED = Path("results/published")
PAGES = Path("results")


def leaderboard(
    run: Annotated[str, typer.Argument(help="A folder of records of one task.", show_default=False)],
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What the models were tuned to.", show_default="models/settings/TASK.toml, if there"
        ),
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What others published.", show_default=f"{PUBLISHED}/TASK.toml, if there"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The page.", show_default=f"{PAGES}/TASK.md")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if the page is not current.")] = False,
) -> None:
    """Write a page from the records of a run.

    It has the table, the pairs of models that cannot be told apart, what was published on the task, how the
    hyper-parameters were found, and the commands that make it.

    Examples:
      recbench leaderboard results/leaderboards/ml-100k
      recbench leaderboard results/runs --published my-paper.toml -o page.md

    Exit codes: 0 written or current, 1 not current, 2 bad input, 4 no records.
    """
    from recbench.records.published_results import load_published
    from recbench.records.selection import read_records
    from recbench.records.tuned_settings import load, settings_path
    from recbench.reports.pages.leaderboard import LeaderboardSources
    from recbench.reports.pages.leaderboard import leaderboard as render
    from recbench.tuning.spaces import own_spaces_path, read_spaces

    trials = read_records(run).trials
    task = trials[0].record.task
    settings = settings or _if_there(settings_path(task.name))
    published = published or _if_there(PUBLISHED / f"{task.name}.toml")
    sources = LeaderboardSources(
        place=run,
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
    path = output or PAGES / f"{task.name}.md"
    write_or_check(render(sources), path, f"recbench leaderboard {run}", check=check)


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None
