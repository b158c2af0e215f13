"""Pages made from records: the leaderboard of a task, and the accepted baselines."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recbench.errors import RecbenchError
from recbench.escaping.file_names import file_name
from recbench.evaluation.metric import Measure
from recbench.experiments.defaults import PUBLISHED_FOLDER
from recbench.output_files import UNSEALED, seal
from recbench.records.finished_trial import FinishedTrial
from recbench.records.published_results import Published, load_published
from recbench.records.schema import ParameterValue, TaskIdentity, class_identity
from recbench.records.selection import read_records
from recbench.records.tuned_settings import TunedSettings, find_settings, load
from recbench.registry.models import known_models
from recbench.registry.source_defaults import source_defaults
from recbench.reports.formats import Format
from recbench.reports.pages.baselines import baselines_page
from recbench.reports.pages.leaderboard import LeaderboardSources, leaderboard
from recbench.reports.pages.leaderboard_latex import leaderboard_latex
from recbench.text_encoding import readable
from recbench.tuning.spaces import own_spaces


@dataclass(frozen=True, slots=True)
class LeaderboardPage:
    """A rendered leaderboard.

    Attributes:
        task: The name of the task.
        text: The page in Markdown.
        warnings: What is left out of it, and why.
    """

    task: str
    text: str
    warnings: tuple[str, ...] = ()


def leaderboard_page(
    records: str,
    settings: Path | None = None,
    published: Path | None = None,
    measures: tuple[Measure, ...] | None = None,
    options: Sequence[str] = (),
    form: Format = Format.MARKDOWN,
) -> LeaderboardPage:
    """Renders the leaderboard of the task of some records.

    Args:
        records: A folder of records of one task.
        settings: The tuned settings; None for those of the project, and those that come with the models, as far as they
            are for this task.
        published: What others published; None for ``results/published/TASK.toml``, if it exists and is for this task.
        measures: The metrics of the table, which lists the models by the first; None for the default ones.
        options: The other options of the command that makes the page, as words.
        form: Markdown, or LaTeX for the tables alone.

    Raises:
        RecbenchError: A file cannot be read, or a given file is for another task.
        NothingToCompareError: There are no records.
    """
    trials = read_records(records).trials
    task = trials[0].record.task
    tuned, settings_warnings = _settings_for(task, settings)
    results, published_warnings = _published_for(task, published)
    sources = LeaderboardSources(
        place=records,
        trials=trials,
        settings=tuned,
        published=results,
        spaces=own_spaces(),
        names={class_identity(reference.recorded): name for name, reference in known_models().items()},
        measures=measures,
        defaults=_defaults(trials),
        options=options,
    )
    warnings = settings_warnings + published_warnings
    if form is Format.LATEX:
        return LeaderboardPage(task.name, _sealed(f"% {UNSEALED}\n{leaderboard_latex(sources)}"), warnings)
    return LeaderboardPage(task.name, _marked(leaderboard(sources)), warnings)


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
    defaults = _defaults([trial for trials in tasks.values() for trial in trials])
    return _marked(baselines_page(tasks, label, defaults))


def _defaults(trials: Sequence[FinishedTrial]) -> dict[str, dict[str, ParameterValue]]:
    return source_defaults(trial.record.reference for trial in trials)


def _settings_for(task: TaskIdentity, given: Path | None) -> tuple[TunedSettings | None, tuple[str, ...]]:
    """Reads the tuned settings of a task, and refuses those of another.

    Returns:
        The settings, if there are any; and a warning for each file of that name that is for another task.

    Raises:
        RecbenchError: A file cannot be read, or the given file is for another task.
    """
    files = {str(given): load(given)} if given else find_settings(task.name)
    warnings = []
    for where, settings in files.items():
        if settings.task.digest == task.digest:
            continue
        problem = _other_task(where, "tuned settings", settings.task.digest, task)
        if given:
            raise RecbenchError(problem, "Give the file for the task of the records, or leave out --settings.")
        warnings.append(f"{problem} They are left out. To show settings for this task: --settings FILE.")
    return _merged([settings for settings in files.values() if settings.task.digest == task.digest]), tuple(warnings)


def _published_for(task: TaskIdentity, given: Path | None) -> tuple[Published | None, tuple[str, ...]]:
    """Reads the published results of a task, and refuses those of another.

    Returns:
        The results, if there are any; and a warning if the file of that name is for another task.

    Raises:
        RecbenchError: The file cannot be read, or the given file is for another task.
    """
    path = given or PUBLISHED_FOLDER / f"{file_name(task.name)}.toml"
    if given is None and not path.is_file():
        return None, ()
    published = load_published(path)
    if published.digest == task.digest:
        return published, ()
    problem = _other_task(path, "published results", published.digest, task)
    build = f" Or build the task of that file: {'; '.join(published.build)}" if published.build else ""
    if given:
        raise RecbenchError(problem, f"Give the file for the task of the records, or leave out --published.{build}")
    return None, (f"{problem} They are left out. To show results for this task: --published FILE.{build}",)


def _other_task(where: str | Path, content: str, digest: str, task: TaskIdentity) -> str:
    return f"{where} holds {content} for the task {digest}; the records are of {task.digest}."


def _marked(page: str) -> str:
    return _sealed(f"<!-- {UNSEALED} -->\n{page}")


def _sealed(text: str) -> str:
    return seal(readable(text))


def _merged(files: Sequence[TunedSettings]) -> TunedSettings | None:
    """Returns the settings of all models; those of an earlier file take precedence."""
    models = {name: model for settings in reversed(files) for name, model in settings.models.items()}
    return files[0].model_copy(update={"models": models}) if files else None
