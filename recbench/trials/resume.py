"""Which trials need not be run, for their records are there."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recbench.errors import RecbenchError
from recbench.evaluation.metric_names import DEFAULT_METRICS, measures_at
from recbench.protocol import PROTOCOL_VERSION
from recbench.records import store
from recbench.records.consistency import check_consistency
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Record, Status, TaskIdentity
from recbench.records.sources import Sources
from recbench.registry.observation import MISSING, present_data, present_modules
from recbench.system_errors import UnreadableError
from recbench.tasks.task import Task
from recbench.trials.conditions import Conditions
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.planned import PlannedModel, PlannedTrial


def find(trial: PlannedTrial, task: Task, conditions: Conditions, folder: Path) -> FinishedTrial | None:
    """Returns the trial's record if it is there and answers what is asked for now; also that of a failed trial.

    It is of this task, model, parameters, seed, threads and device, of this version of the protocol, and of the model's
    present code: its modules, and the files that the trial read, have the same content now. If it is done, it has the
    whole catalogue, the points of the curve and the figures in use, if these are asked for. Ranks are stored, so that
    other cut-offs need no new trial: what follows from them is computed here. What is not asked for now is left out of
    the returned record, and stays on disk.

    A record that is damaged, or does not agree with its ranks, counts as none: the trial is run again.

    Raises:
        RecbenchError: The system does not let the record be read, so that it may be a good one.
    """
    identity = TaskIdentity(name=task.name, digest=task.digest)
    path = folder / f"{trial.stem(identity, conditions)}.json"
    try:
        record = store.load(path)
        if not is_current(record, trial):
            return None
        if record.status is not Status.DONE:
            return store.finished_trial(record, path)
        if not _has_all(record, conditions):
            return None
        finished_trial = store.finished_trial(record, path)
        check_consistency(finished_trial)
    except UnreadableError:
        raise
    except RecbenchError:
        return None
    ranks = finished_trial.candidate_ranks
    if ranks is None or not np.array_equal(ranks.users, task.test.users):
        return None
    changes: dict[str, object] = {}
    if set(record.ties_across_cut) != set(conditions.ks):
        # Here, for it loads what only few runs need.
        from recbench.trials import figures

        changes.update(figures.of_candidates(task, task.train_set(), ranks, conditions.ks))
        if record.catalogue is not None and finished_trial.full_ranks is not None:
            metrics = figures.values(finished_trial.full_ranks, conditions.ks)
            changes["catalogue"] = record.catalogue.model_copy(update={"metrics": metrics})
    if not conditions.catalogue:
        changes |= {"catalogue": None, "catalogue_error": None}
    if conditions.serving is None:
        changes |= {"serving": None, "serving_error": None}
    if conditions.curve is None:
        changes |= {"curve": (), "curve_error": None}
    return replace(finished_trial, record=record.model_copy(update=changes))


@dataclass(frozen=True, slots=True)
class FileChanges:
    """The files because of which records do not count any more.

    Attributes:
        changed: Those with other content.
        missing: Those that do not exist any more or cannot be read.
    """

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing)


def changed_files(trial: PlannedTrial, task: Task, conditions: Conditions, folder: Path) -> FileChanges:
    """Returns the files because of which the trial's record, if there is one, does not count any more."""
    identity = TaskIdentity(name=task.name, digest=task.digest)
    try:
        record = store.load(folder / f"{trial.stem(identity, conditions)}.json")
    except RecbenchError:
        # There is none, or it is damaged. ``find`` raises the errors of the system.
        return FileChanges()
    present = _present(record.sources, trial.model)
    differing = record.sources.differing(present)
    missing = tuple(path for path in differing if MISSING in (present.data.get(path), present.late_modules.get(path)))
    return FileChanges(tuple(path for path in differing if path not in missing), missing)


def is_current(record: Record, trial: PlannedTrial) -> bool:
    """Whether a record is of a trial, and of the code that the trial's model has now."""
    return (
        record.seed == trial.seed
        and record.parameters == trial.model.parameters
        and record.code_version is not None
        and record.code_version == _present(record.sources, trial.model).version(trial.model.code_version)
        and record.protocol_version == PROTOCOL_VERSION
    )


def _present(sources: Sources, model: PlannedModel) -> Sources:
    """Returns the sources of a trial that loads and reads the same files as an earlier one, as they are now."""
    return Sources(
        modules=model.sources.modules,
        named=model.sources.named,
        late_modules=present_modules(tuple(sources.late_modules), model.search_path),
        data=present_data(tuple(sources.data), str(Path.cwd())),
    )


def _has_all(record: Record, conditions: Conditions) -> bool:
    if conditions.catalogue and record.catalogue is None:
        return False
    if conditions.serving and not conditions.serving.is_covered_by(record.serving):
        return False
    return conditions.curve is None or _has_curve(record, conditions.curve, conditions.ks)


def _has_curve(record: Record, curve_epochs: CurveEpochs, ks: tuple[int, ...]) -> bool:
    names = {measure.name for measure in measures_at(DEFAULT_METRICS, ks)}
    points = {point.epoch for point in record.curve if names <= set(point.metrics)}
    if record.curve_error is not None:
        return record.epochs in points
    return (
        all(epoch in points for epoch in range(1, record.epochs + 1) if epoch in curve_epochs)
        and record.epochs in points
    )
