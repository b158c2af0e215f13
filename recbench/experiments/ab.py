"""Two revisions on one machine: their trials alternate, after a control in which the base alternates with itself."""

import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.evaluation.paired_ratios import alternation
from recbench.experiments.ab_progress import ABProgress
from recbench.experiments.ab_revisions import changed_files, find_revision
from recbench.experiments.ab_state import ABIdentity, ABState, Pair, Stage
from recbench.experiments.comparison import compare_sets
from recbench.experiments.defaults import AB_THROUGHPUT_DROP
from recbench.experiments.gates import Gate
from recbench.experiments.own_environments import own_environment
from recbench.experiments.run import check_seeds
from recbench.experiments.task_source import TaskSource, task_source
from recbench.experiments.tree_programs import RefusedError, document_from_tree, protocol_version
from recbench.git_history import SHORT, commit_of
from recbench.git_work_trees import WorkTree, work_tree
from recbench.progress.choice import Progress
from recbench.progress.console import animated
from recbench.protocol import PROTOCOL_VERSION
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Status
from recbench.records.selection import RecordSet, read_records
from recbench.records.store import finished_trial, load
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.document import paired_speed_document, record_set_document
from recbench.reports.compare.document_types import ABDocument
from recbench.reports.compare.paired_throughput import Control, PairedSpeed, decide_paired_speed
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.throughput import SpeedDecision
from recbench.temporary_files import remove_leftovers, temporary_folder

log = logging.getLogger(__name__)

BASE: Final = "base"
HEAD: Final = "head"
CONTROL: Final = ("control-first", "control-second")


@dataclass(frozen=True, slots=True, kw_only=True)
class ABRequest:
    """What to compare.

    Attributes:
        base: A revision of git.
        head: The revision that may replace it.
        models: The models, as a command line names them. Their files are those of each revision.
        seeds: The seeds; each is a pair of trials.
        task: A name of a task, or a spec file of the user's checkout; the same for both revisions.
        options: Further options of ``recbench run`` for every trial, such as ``("--threads", "2")``.
        own_environments: Whether each revision is installed in an environment of its own.
        output: Folder of the records; None to remove them after the comparison.
        command: What prints the same again.
    """

    base: str
    head: str
    models: Sequence[str]
    seeds: range
    task: str
    options: Sequence[str] = ()
    own_environments: bool = False
    output: Path | None = None
    command: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ABResult:
    """What the two revisions gave.

    Attributes:
        base: The records of the base.
        head: The records of the head.
        control: Those of the base against itself.
        command: What prints the same again.
    """

    base: RecordSet
    head: RecordSet
    control: Control
    command: str
    speeds: dict[str, list[PairedSpeed]] = field(default_factory=dict)

    def gate(self, limits: Policy, *, strict: bool = False, allow: Mapping[str, str] | None = None) -> Gate:
        """Decides as ``recbench gate`` does, with throughput by pairs of trials.

        Args:
            limits: The limits. If they do not set ``throughput_drop``, it is ``AB_THROUGHPUT_DROP``.
            strict: Whether ``inconclusive`` fails the gate too.
            allow: Regressions that are intended: the reason of each, by ``MODEL:METRIC``; None for none.

        Raises:
            RecbenchError: An intended regression is of an unknown model or metric.
        """
        used = ab_limits(limits).model_copy(update={"strict": limits.strict or strict})

        def decide_speeds(models: Sequence[Compared]) -> list[SpeedDecision | None]:
            decided = decide_paired_speed(models, self.control, used)
            self.speeds.update({model.label: by_clock for model, (_, by_clock) in zip(models, decided, strict=True)})
            return [decision for decision, _ in decided]

        return compare_sets(self.base, self.head).decide(used, allow or {}, self.command, decide_speeds)


def ab_limits(limits: Policy) -> Policy:
    """Returns the limits with the drop of throughput that can be seen where trials alternate on one machine."""
    if "throughput_drop" in limits.model_fields_set:
        return limits
    return limits.model_copy(update={"throughput_drop": AB_THROUGHPUT_DROP})


def ab(request: ABRequest, progress: Progress) -> ABResult:
    """Trains both revisions, and returns their records.

    Args:
        request: What to compare.
        progress: Follows the trials.

    Raises:
        RecbenchError: A revision is unknown, its work tree cannot be made, its project cannot be installed, or it
            cannot train a model.
        NothingToCompareError: The revisions follow other protocols, or make other tasks.
    """
    commits = {BASE: find_revision(request.base, "BASE"), HEAD: find_revision(request.head, "HEAD")}
    if commits[BASE] == commits[HEAD]:
        raise RecbenchError(
            f"BASE and HEAD are the same commit, {commits[BASE][:SHORT]}: {request.base} and {request.head}.",
            "Commit the change first, or give an earlier BASE: recbench ab HEAD~1 HEAD --models ...",
        )
    if commits[HEAD] == commit_of("HEAD") and (changed := changed_files()):
        log.warning("Warning: the comparison ignores uncommitted changes: %s.", changed)
    check_seeds(request.seeds)
    source = task_source(request.task, progressbar=animated())
    with ExitStack() as stack:
        folder = stack.enter_context(_records_folder(request.output))
        identity = ABIdentity(
            base=commits[BASE],
            head=commits[HEAD],
            task=source.task.digest,
            models=tuple(request.models),
            options=tuple(request.options),
            own_environments=request.own_environments,
        )
        state = ABState.of(folder, identity)
        if left := state.left(request.seeds):
            sides = {
                side: stack.enter_context(_side(commit, request, name))
                for side, commit, name in ((BASE, commits[BASE], request.base), (HEAD, commits[HEAD], request.head))
            }
            _check(sides, request)
            state.save()
            _train(sides, request, source, state, left, progress)
        base, head, first, second = (_read(folder / name, request.seeds) for name in (BASE, HEAD, *CONTROL))
    return ABResult(
        _of_commit(base, request.base, commits[BASE]),
        _of_commit(head, request.head, commits[HEAD]),
        Control(first, second),
        request.command,
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """A revision that can train.

    Attributes:
        name: What the user calls it, and its commit.
        tree: Its work tree.
        python: The Python of its environment.
    """

    name: str
    tree: WorkTree
    python: str


@contextmanager
def _side(commit: str, request: ABRequest, revision: str) -> Iterator[_Side]:
    name = revision if commit.startswith(revision) else f"{revision} ({commit[:SHORT]})"
    with ExitStack() as stack:
        tree = stack.enter_context(work_tree(commit))
        python = stack.enter_context(own_environment(tree)) if request.own_environments else sys.executable
        yield _Side(name, tree, python)


def _check(sides: Mapping[str, _Side], request: ABRequest) -> None:
    """Checks that both revisions can train all models, before any of them is trained.

    Raises:
        RecbenchError: One cannot.
        NothingToCompareError: One follows another version of the protocol.
    """
    for side in sides.values():
        try:
            version = protocol_version(side.tree)
        except RefusedError as error:
            raise _cannot_train(side, error) from error
        if version not in (None, PROTOCOL_VERSION):
            raise NothingToCompareError(
                f"{side.name} follows protocol version {version}, and this recbench version {PROTOCOL_VERSION}: "
                "their records cannot be compared.",
                "Compare revisions of one protocol version.",
            )
        _document(side, request, ",".join(request.models), ["--dry-run"])


def _document(
    side: _Side, request: ABRequest, models: str, more: Sequence[str], watch: Callable[[], None] | None = None
) -> Mapping[str, Any]:
    task = str(Path(request.task).absolute()) if Path(request.task).is_file() else request.task
    words = ["run", "--models", models, "--task", task, *request.options, "--quiet", "--json", *more]
    try:
        return document_from_tree(side.tree, words, side.python, watch)
    except RefusedError as error:
        raise _cannot_train(side, error) from error


def _cannot_train(side: _Side, error: RefusedError) -> RecbenchError:
    return RecbenchError(
        f"The revision {side.name} cannot train: {error.why}",
        "Leave out models that one of the revisions does not have. If it needs other packages: --own-environments",
    )


def _train(
    sides: Mapping[str, _Side],
    request: ABRequest,
    source: TaskSource,
    state: ABState,
    left: Sequence[Pair],
    progress: Progress,
) -> None:
    """Trains the pairs that are left, and notes each that is complete.

    Raises:
        RecbenchError: A revision cannot train a model.
        NothingToCompareError: A model fails in the control, or the revisions make other tasks.
    """
    n_done, n_train = len(state.done), source.task.n_train
    shown = ABProgress(progress, left, sides[BASE].name, sides[HEAD].name, n_done=n_done, n_train=n_train)
    failed: Pair | None = None
    good: Counter[Pair] = Counter()
    for number, is_second in alternation(len(left)):
        pair, turn = left[number], int(is_second)
        if failed is not None and failed.model == pair.model and failed != pair:
            # The gate fails whatever the other seeds give.
            continue
        is_control = pair.stage is Stage.CONTROL
        side = sides[HEAD if is_second and not is_control else BASE]
        folder = state.folder / (CONTROL if is_control else (BASE, HEAD))[turn]
        shown.started(pair, turn)
        trial = _trial(side, request, pair, folder, shown.tick)
        _check_record(trial, pair, side, source)
        shown.ended(pair, turn, trial)
        good[pair] += trial.record.status is Status.DONE
        if good[pair] == 2:
            state.add(pair)
        elif trial.record.status is not Status.DONE and side is sides[HEAD]:
            failed = pair


def _trial(side: _Side, request: ABRequest, pair: Pair, folder: Path, watch: Callable[[], None]) -> FinishedTrial:
    """Trains one model with one seed, also if an interrupted comparison has left its record behind."""
    options = ["--seeds", "1", "--seed", str(pair.seed), "--output", str(folder.absolute()), "--force"]
    document = _document(side, request, pair.model, options, watch)
    try:
        (place,) = (Path(place) for result in document["results"] for place in result["records"])
    except (KeyError, TypeError, ValueError):
        raise RecbenchError(
            f"The recbench of {side.name} prints a document in an unknown format.",
            "It may be too old, or newer than this one: compare revisions that are nearer to each other.",
        ) from None
    return finished_trial(load(place), place)


def _check_record(trial: FinishedTrial, pair: Pair, side: _Side, source: TaskSource) -> None:
    record = trial.record
    if record.task.digest != source.task.digest:
        raise NothingToCompareError(
            f"{side.name} makes another task {record.task.name}: {record.task.digest[:19]}, and the present recbench "
            f"{source.task.digest[:19]}.",
            "Compare on a task that both revisions make in the same way.",
        )
    if record.status is not Status.DONE and pair.stage is Stage.CONTROL:
        raise NothingToCompareError(
            f"{pair.model} {record.status} at {side.name}, with seed {pair.seed}: {record.error}",
            "Give a BASE that can train it, or leave it out.",
        )


@contextmanager
def _records_folder(output: Path | None) -> Iterator[Path]:
    if output is not None:
        yield output
        return
    parent = Path(tempfile.gettempdir())
    remove_leftovers(parent)
    with temporary_folder(parent) as folder:
        yield folder


def _read(folder: Path, seeds: Sequence[int]) -> RecordSet:
    """Reads the records of these seeds with their ranks, for their folder may be a temporary one.

    The folder may hold other seeds, also half a pair, if more seeds were asked for before.
    """
    record_set = read_records(f"./{folder}" if not folder.is_absolute() else str(folder))
    trials = (
        FinishedTrial.in_memory(trial.record, trial.ranks, trial.place)
        for trial in record_set.trials
        if trial.record.seed in seeds
    )
    return replace(record_set, trials=tuple(trials))


def _of_commit(records: RecordSet, name: str, commit: str) -> RecordSet:
    """Returns the records under the name of their revision, as if its commit held them."""
    return replace(records, text=name, locations=frozenset(f"{commit}:{place}" for place in records.locations))


def ab_document(result: ABResult, gate: Gate) -> ABDocument:
    """Returns the JSON document of ``recbench ab``: that of the gate, and the figures of the pairs."""
    return {
        **gate.document(),
        "control": [record_set_document(record_set) for record_set in (result.control.first, result.control.second)],
        "pairs": [
            paired_speed_document(model.model, model.label, speed)
            for model in gate.report.decided.comparison.models
            for speed in result.speeds.get(model.label, ())
        ],
    }
