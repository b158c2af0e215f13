"""Runs the trials of the search. It can be killed at any time; run again, it goes on."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.defaults import trial_results
from benchmarks.defaults.configurations import Parameters, configurations, defaults
from benchmarks.defaults.datasets import Dataset
from benchmarks.defaults.regret import best_values, values_of
from benchmarks.defaults.trial_results import (
    Result,
    append_result,
    configuration_key,
    newest,
    read_results,
    results_path,
)
from recbench.experiments.execution import Execution
from recbench.records.schema import ParameterValue, Record, Status
from recbench.registry.models import find_model
from recbench.registry.parameter_values import as_text
from recbench.registry.requested import RequestedModel
from recbench.trials.conditions import Conditions
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.events import ignore
from recbench.trials.planned import PlannedModel, PlannedTrial
from recbench.tuning.objective import EPOCHS, Objective
from recbench.tuning.spaces import Space, own_spaces_path, read_spaces

SCORED_EPOCHS = frozenset({1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256})
"""A trial is also scored after these epochs: each gives the value of a configuration with fewer epochs."""
METRIC = Objective().name
SEED = 0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What every model gets.

    Attributes:
        configurations: Configurations on the datasets of stage 1, the defaults included.
        finalists: Configurations on the datasets of stage 2, the defaults included.
        seconds: Seconds of trials on one dataset; no trial starts after them.
        execution: Where the trials run, and how long a single trial may take.
    """

    configurations: int
    finalists: int
    seconds: float
    execution: Execution = field(default_factory=Execution)


def search(
    models: Sequence[str], datasets: Sequence[Dataset], effort: Effort, say: Say, folder: Path = trial_results.FOLDER
) -> None:
    """Runs all trials that have no result yet, model by model, and stores each result.

    Args:
        models: Names of models.
        datasets: The datasets, those of stage 1 first.
        effort: What every model gets.
        say: Receives one line for each trial.
        folder: Of the results.

    Raises:
        RecbenchError: There is no such model or dataset, or a file cannot be read or written.
    """
    spaces = read_spaces(own_spaces_path())
    for model in models:
        space = spaces[model].parameters if model in spaces else {}
        for dataset in datasets:
            _search_one(model, space, dataset, datasets, effort, say, results_path(model, folder))


def _search_one(
    model: str,
    space: Space,
    dataset: Dataset,
    datasets: Sequence[Dataset],
    effort: Effort,
    say: Say,
    path: Path,
) -> None:
    source = dataset.validation_source()
    digest = source.facts.identity.digest
    execution = effort.execution
    conditions = Conditions(execution.threads, execution.device, curve=CurveEpochs(chosen=SCORED_EPOCHS))
    present = read_results(path)
    if dataset.stage == 1:
        candidates = configurations(model, space, defaults(model), effort.configurations)
    else:
        first = [other.name for other in datasets if other.stage == 1]
        small = [trial for trial in newest(present) if trial.dataset in first]
        candidates = finalists(small, defaults(model), effort.finalists)
    own = [trial for trial in present if (trial.dataset, trial.digest) == (dataset.name, digest)]
    spent = [sum(trial.seconds for trial in own)]
    known = {trial.key for trial in own}
    missing = [parameters for parameters in candidates if configuration_key(parameters) not in known]

    if not missing:
        return

    def trials(default: PlannedModel) -> Iterator[PlannedTrial]:
        for number, parameters in enumerate(missing):
            if spent[0] >= effort.seconds:
                left = len(missing) - number
                say(f"{model} on {dataset.name}: {effort.seconds:g} s are over, trials not run: {left}")
                return
            yield _planned(default, parameters, number)

    runner = execution.start(source, conditions, ignore)
    try:
        (default,) = runner.configure([RequestedModel(find_model(model))])
        with tempfile.TemporaryDirectory(prefix="recbench-defaults-") as logs:
            for planned, outcome in runner.run(trials(default), Path(logs)):
                result = _result(dataset, digest, planned, outcome.record, execution.timeout)
                spent[0] += result.seconds
                append_result(path, result)
                say(_line(result))
    finally:
        runner.close()


def finalists(present: Sequence[Result], default: Mapping[str, ParameterValue], count: int) -> list[Parameters]:
    """Returns the configurations for stage 2: the defaults, then those of the smallest mean regret in stage 1.

    A trial counts as its best number of epochs, the same on all datasets. Only configurations with a value on every
    dataset count.

    Args:
        present: Results of stage 1.
        default: The model's defaults.
        count: How many.
    """
    values = values_of(present)
    best = best_values(values)
    regret: dict[str, float] = {}
    parameters = {trial.key: dict(trial.parameters) for trial in present}
    for result in present:
        for key, _ in result.values():
            if values[key].keys() == best.keys():
                mean = sum(best[name] - value for name, value in values[key].items()) / len(best)
                regret[result.key] = min(mean, regret.get(result.key, mean))
    ordered = sorted(regret, key=lambda key: (regret[key], key))
    own = configuration_key(dict(default))
    return [dict(default), *(parameters[key] for key in ordered if key != own)][:count]


def _planned(default: PlannedModel, parameters: Parameters, number: int) -> PlannedTrial:
    changed = {name: as_text(value) for name, value in parameters.items() if value != default.parameters[name]}
    requested = RequestedModel(default.reference, changed)
    return PlannedTrial(PlannedModel(requested, parameters, default.code_version), SEED, number)


def _result(dataset: Dataset, digest: str, planned: PlannedTrial, record: Record, timeout: float | None) -> Result:
    seconds = (record.fit_seconds or 0.0) + (record.warm_up_seconds or 0.0) + (record.score_seconds or 0.0)
    if record.status is Status.TIMED_OUT and timeout is not None:
        # Such a record has no times.
        seconds = timeout
    return Result(
        dataset=dataset.name,
        digest=digest,
        model=planned.model.name,
        parameters=planned.model.parameters,
        status=record.status.value,
        error=(record.error or "").partition("\n")[0][:200],
        points=points(record) if record.status is Status.DONE else {},
        seconds=round(seconds, 3),
        code_version=planned.model.code_version,
    )


def points(record: Record) -> dict[int, float]:
    """Returns the value by number of epochs; the last is that of the trial itself.

    Passes beyond the parameter ``epochs`` came before it, such as a pre-training: see ``recbench.tuning.objective``.
    """
    last = round(record.metrics[METRIC].mean, 5)
    asked = record.parameters.get(EPOCHS)
    if isinstance(asked, bool) or not isinstance(asked, int) or len(record.curve) == 1:
        return {asked if isinstance(asked, int) else record.epochs: last}
    before = max(record.epochs - asked, 0)
    earlier = {point.epoch - before: point.metrics[METRIC] for point in record.curve if point.epoch > before}
    return {epochs: round(value, 5) for epochs, value in sorted(earlier.items()) if epochs < asked} | {asked: last}


def _line(result: Result) -> str:
    values = list(result.points.values())
    ended = f"{METRIC} {values[-1]:.4f}" if values else f"{result.status}: {result.error}"
    return f"{result.model} on {result.dataset}: {ended}, {result.seconds:.1f} s, {result.key}"
