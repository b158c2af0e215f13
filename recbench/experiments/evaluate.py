"""Evaluation of scores that were computed elsewhere: in a file, in a DataFrame, or by a function."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbench.data.published_files import checksum
from recbench.data.readers.layout import PLAIN, Layout
from recbench.errors import RecbenchError
from recbench.escaping.shell import shell_command
from recbench.evaluation.ranking import ScoreError
from recbench.experiments.cut_offs import check_lists
from recbench.experiments.results import Run
from recbench.experiments.task_source import task_source
from recbench.experiments.track import check_history, track
from recbench.path_checks import check_no_file_above
from recbench.protocol import FloatArray, Int32Array, Recommender, TrainContext, TrainSet
from recbench.records.finished_trial import FinishedTrial
from recbench.records.replacement import are_equal
from recbench.records.schema import SCORES_OF_FILE, ParameterValue
from recbench.records.store import OTHER_FOLDER, new_one, save
from recbench.tasks.spec import NAME_PATTERN
from recbench.tasks.task import Task
from recbench.trials.file_scores import read_scores
from recbench.trials.revision import of_unknown_files
from recbench.trials.score_file import score_trial

if TYPE_CHECKING:
    import pandas as pd

Scores = Callable[[Int32Array, Int32Array], FloatArray]
"""Takes users int32[n] and items int32[n, c], the task's indices; returns float[n, c], a higher score for a better
item."""


class _Function:
    """A function as a model that has nothing to learn."""

    def __init__(self, function: Scores) -> None:
        self._function = function

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Does nothing."""

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Calls the function."""
        return self._function(users, items)


def evaluate(
    task: Task | str | os.PathLike[str],
    scores: "str | os.PathLike[str] | pd.DataFrame | Scores | Recommender",
    *,
    name: str,
    seed: int = 0,
    ks: tuple[int, ...] = (10,),
    ranked: bool = False,
    missing_last: bool = False,
    layout: Layout = PLAIN,
    output: Path | None = None,
    force: bool = False,
    track_result: bool = False,
) -> Run:
    """Ranks the test cases of a task by scores that were computed elsewhere.

    Args:
        task: A task, its name, or the path of a spec file.
        scores: A file or a DataFrame with one (user, item, score) a row and original ids; or a function or a trained
            model that scores the task's indices, see ``Scores``.
        name: Name of the model in tables.
        seed: The seed that it was trained with.
        ks: Cut-offs.
        ranked: For rows: lists of items, of each user the best first, without scores.
        missing_last: For rows: put candidates without a score last, tied, instead of an error.
        layout: For rows: which columns to read.
        output: Folder for the record; None to store nothing.
        force: Whether to replace a record of the same name and seed with another result.
        track_result: Whether to append the result to the project's history.

    Raises:
        RecbenchError: The name cannot be used, the rows cannot be read or lack candidates, the scores cannot be ranked,
            or the folder has a record of the same name and seed with another result.
    """
    if output is not None:
        check_no_file_above(output, OTHER_FOLDER)
    if track_result:
        check_history()
    if not isinstance(name, str) or not re.fullmatch(NAME_PATTERN, name):
        raise RecbenchError(
            f"{name!r} cannot be the name of a model.", "Use letters, digits, dots, dashes, underscores."
        )
    loaded = task_source(task).task
    check_lists(loaded, ks, None, full=False)
    model, source, facts = _scorer(scores, loaded, layout, ranked=ranked, missing_last=missing_last)
    try:
        record, ranks = score_trial(loaded, model, source, facts, name, seed, ks)
    except ScoreError as error:
        raise RecbenchError(f"{name}: {error}.", "Return one finite score for each pair: float[n, c].") from error
    if isinstance(model, _Function):
        record = of_unknown_files(record, f"{source} were ranked: the files of its code are not known")
    if output is None:
        stored = FinishedTrial.in_memory(record, ranks, name)
    else:
        stored = save(record, ranks, output, new_one if force else _same_or_refused)
    if track_result:
        track([stored])
    return Run((stored,), loaded, ks, folder=output)


def _same_or_refused(present: FinishedTrial | None, new: FinishedTrial) -> FinishedTrial:
    """Returns the new trial if no other result is lost when it is stored.

    Raises:
        RecbenchError: The folder has a record of the same name, seed and kind of source, with other ranks.
    """
    record, path = new.record, Path(new.place)
    before, after = present and present.candidate_ranks, new.candidate_ranks
    if not path.exists() or (before and after and are_equal(before, after)):
        return new
    raise RecbenchError(
        f"{path} holds another result of {record.model!r}, seed {record.seed}, on {record.task.name}.",
        "Choose another name, seed or folder (--name, --seed, -o), or replace the record with --force "
        "(Python: force=True).",
    )


def _scorer(
    scores: Any, task: Task, layout: Layout, *, ranked: bool, missing_last: bool
) -> tuple[Recommender, str, dict[str, ParameterValue]]:
    """Returns a model that answers with the scores, where they come from, and what else to record."""
    if isinstance(scores, str | os.PathLike):
        path = Path(scores)
        model = read_scores(path, task, layout, ranked=ranked, missing_last=missing_last)
        options = _options(layout, ranked=ranked, missing_last=missing_last)
        facts: dict[str, ParameterValue] = {"file": path.name, "file_sha256": checksum(path, "sha256")}
        return model, SCORES_OF_FILE, facts | ({"options": options} if options else {})
    if isinstance(scores, type):
        raise RecbenchError(
            f"{scores.__name__} is a class, not a trained model.",
            f"Train and rank it: recbench.run({scores.__name__}, task). Or pass a trained model.",
        )
    if callable(getattr(scores, "score", None)):
        return _Function(scores.score), f"scores of {type(scores).__name__}", {}
    if callable(scores):
        return _Function(scores), f"scores of the function {getattr(scores, '__name__', 'without a name')}", {}
    return read_scores(scores, task, layout, ranked=ranked, missing_last=missing_last), "scores of a DataFrame", {}


def _options(layout: Layout, *, ranked: bool, missing_last: bool) -> str:
    """Returns the options of ``recbench score-file`` that read a file in the same way."""
    words = ["--ranked"] * ranked + ["--missing-last"] * missing_last
    columns = {"--user-column": layout.user, "--item-column": layout.item, "--score-column": layout.rating}
    for option, value in {**columns, "--separator": layout.separator}.items():
        words += [option, value] if value else []
    return shell_command(words)
