"""Past commits in the history: each is trained in a work tree, and its lines stand where the commit stands."""

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field, replace

from recbench.experiments.commit_trials import CommitTrials, check_models
from recbench.experiments.execution import Execution
from recbench.experiments.revision_runs import RevisionRun, StoppedError
from recbench.experiments.run import check_seeds
from recbench.experiments.track import append_new, check_history
from recbench.git_ranges import Commit
from recbench.records import history
from recbench.records.finished_trial import FinishedTrial
from recbench.records.results_folder import history_file


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """What to train.

    Attributes:
        commits: The commits, the oldest first.
        models: The models as a command line names them.
        seeds: The seeds.
        trials: How each commit is trained.
        jobs: How many commits are trained at a time.
        execution: Where and within which limits.
    """

    commits: Sequence[Commit]
    models: Sequence[str]
    seeds: range
    trials: CommitTrials
    jobs: int = 1
    execution: Execution = field(default_factory=Execution)

    def __post_init__(self) -> None:
        check_models(self.models)
        check_seeds(self.seeds)
        # On a cluster, the machines of the workers count.
        if self.execution.cluster is None:
            replace(self.execution, jobs=self.jobs).check()


@dataclass(frozen=True, slots=True)
class FilledCommit:
    """What became of a commit.

    Attributes:
        commit: The commit.
        models: The models that were trained now, and the trials of each that are done.
        was_finished: Whether the history had all of its lines.
        n_lines: Lines that were added.
        n_trained: Trials that ran; the others have the code of another commit.
        problems: Why models have no figures, by model.
        seconds: How long it took.
    """

    commit: Commit
    models: Mapping[str, Sequence[FinishedTrial]] = field(default_factory=dict)
    was_finished: bool = False
    n_lines: int = 0
    n_trained: int = 0
    problems: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def n_trials(self) -> int:
        """Trials that are done, also those that were kept."""
        return sum(map(len, self.models.values()))


Report = Callable[[FilledCommit], None]


def backfill(request: BackfillRequest, report: Report = lambda _: None) -> list[FilledCommit]:
    """Trains the commits whose lines the history lacks, and adds these lines commit by commit.

    A commit that cannot be trained does not end the backfill. After an interruption, the same request trains only what
    is missing.

    Args:
        request: What to train.
        report: Is called with each commit when it is finished.

    Returns:
        The commits in their order.

    Raises:
        RecbenchError: The history is damaged or cannot be written.
        GitError: Git cannot be run.
    """
    check_history()
    missing = missing_trials(request)
    filled = {}
    for commit in request.commits:
        if commit.sha not in missing:
            filled[commit.sha] = FilledCommit(commit, was_finished=True)
            report(filled[commit.sha])
    pending = [commit for commit in request.commits if commit.sha in missing]
    with closing(_trained(pending, missing, request)) as trained:
        for commit, run in trained:
            filled[commit.sha] = _filled(commit, run)
            report(filled[commit.sha])
    return [filled[commit.sha] for commit in request.commits]


def missing_trials(request: BackfillRequest) -> dict[str, list[str]]:
    """Returns the models that the history lacks a seed of, for each commit that lacks any."""
    lines = history.read() if history_file().exists() else ()
    present = {(line.sha, line.backfilled, line.seed) for line in lines if is_of_request(line, request)}
    return {
        commit.sha: models
        for commit in request.commits
        if (
            models := [
                model
                for model in request.models
                if any((commit.sha, model, seed) not in present for seed in request.seeds)
            ]
        )
    }


def is_of_request(line: history.Accepted, request: BackfillRequest) -> bool:
    """Whether a line of the history is one that a request, for any commits, adds."""
    conditions = (request.trials.task.digest, request.execution.threads, request.execution.device)
    return (
        line.backfilled in request.models
        and line.seed in request.seeds
        and (line.digest, line.threads, line.device) == conditions
    )


def _trained(
    commits: Sequence[Commit], models: Mapping[str, Sequence[str]], request: BackfillRequest
) -> Generator[tuple[Commit, RevisionRun], None, None]:
    """Yields each commit when it has been trained.

    Each thread trains neighbours one after the other: the model's code is often the same.
    """
    stop, n_jobs = request.trials.stop, max(min(request.jobs, len(commits)), 1)
    share = -(-len(commits) // n_jobs) if commits else 1
    done: dict[str, Future[RevisionRun]] = {commit.sha: Future() for commit in commits}
    with ThreadPoolExecutor(n_jobs) as pool:
        try:
            for start in range(0, len(commits), share):
                pool.submit(_train_neighbours, commits[start : start + share], models, request, done)
            names = {future: commit for commit in commits for future in (done[commit.sha],)}
            for future in as_completed(names):
                yield names[future], future.result()
        finally:
            stop.set()


def _train_neighbours(
    commits: Sequence[Commit],
    models: Mapping[str, Sequence[str]],
    request: BackfillRequest,
    done: Mapping[str, "Future[RevisionRun]"],
) -> None:
    before: list[str] = []
    for commit in commits:
        future = done[commit.sha]
        try:
            future.set_result(request.trials.train(commit.sha, models[commit.sha], request.seeds, before[-1:]))
        except StoppedError as error:
            future.set_exception(error)
            return
        # Whatever it is, the thread that waits for the result raises it.
        except BaseException as error:  # noqa: BLE001
            future.set_exception(error)
            return
        if request.trials.folder(commit.sha).is_dir():
            before.append(commit.sha)


def _filled(commit: Commit, run: RevisionRun) -> FilledCommit:
    lines = [
        history.Accepted.of(trial, "", commit.moment, is_run=True).model_copy(
            update={"sha": commit.sha, "is_dirty": False, "backfilled": model}
        )
        for model, trials in run.by_model.items()
        for trial in trials
    ]
    n_lines = append_new(lines)
    return FilledCommit(commit, run.by_model, False, n_lines, run.n_trained(commit.sha), run.problems, run.seconds)
