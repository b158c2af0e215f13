"""The options of the verbs that train commits in work trees."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.execution_options import PANEL
from recbench.git_history import SHORT
from recbench.git_ranges import SHOWN
from recbench.progress.console import write_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OwnEnvironments = Annotated[
    bool,
    typer.Option(
        "--own-environments",
        rich_help_panel=PANEL,
        help="Install the project of each revision in an environment of its own, on top of the installed packages.",
    ),
]
CommitJobs = Annotated[
    int,
    typer.Option(
        min=1,
        rich_help_panel=PANEL,
        help="Number of commits to train at the same time, each on --threads cores of its own, or on a cluster.",
    ),
]


def write_problems(problems: "Iterable[tuple[str, Mapping[str, str]]]") -> None:
    """Writes which commits lack figures and why: commits in a row with the same reason together.

    Args:
        problems: Hashes of commits, the oldest first, each with the reasons by model.
    """
    groups: list[tuple[str, str, list[str]]] = []
    for commit, reasons in problems:
        for model, reason in reasons.items():
            # The same reason in the words of each commit.
            general = re.sub(rf"([Tt]he commit )?{commit[:SHORT]}", "the commit", reason)
            same = next((group for group in groups if group[:2] == (model, general)), None)
            if same is None:
                groups.append((model, general, [commit[:SHOWN]]))
            else:
                same[2].append(commit[:SHOWN])
    for model, reason, commits in groups:
        which = commits[0] if len(commits) == 1 else f"{len(commits)} commits, {commits[0]} to {commits[-1]}"
        write_message(f"No figures of {model} at {which}: {reason}", "yellow")
