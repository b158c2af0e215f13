"""What ``recbench sweep`` does once its options are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recbench.cli.shared.interruption import Tally
from recbench.cli.shared.terminal import emit, emit_json
from recbench.errors import RecbenchError
from recbench.experiments.run import check_cores
from recbench.experiments.train import Reuse, exit_if_failed, train
from recbench.progress.console import animated, messages
from recbench.progress.run import AnimatedProgress, PlainProgress
from recbench.registry.models import find_model
from recbench.registry.requested import RequestedModel
from recbench.reports.plots.figures import check_picture
from recbench.runners.limits import Limits
from recbench.runners.processes.local import LocalProcesses
from recbench.runners.processes.supervision import Assignment
from recbench.tasks.lookup import find_task, load_task
from recbench.trials.conditions import Conditions
from recbench.trials.identity import TaskFacts
from recbench.trials.machine import revision
from recbench.trials.planned import PlannedModel, plan_trials


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """The options of ``recbench sweep``; see there.

    Attributes:
        model: Its name, as it was given.
        name: The hyper-parameter.
        values: Texts of its values.
        others: Texts of other hyper-parameters.
        task: A task's name, or a spec file.
        seeds: All of them.
        conditions: What trials are run under.
        force: Whether to repeat trials whose records are there.
        output: Folder of the records.
        plot: Where to draw it, if anywhere.
        as_json: Whether to print a document.
    """

    model: str
    name: str
    values: Sequence[str]
    others: dict[str, str]
    task: str
    seeds: range
    conditions: Conditions
    force: bool
    output: Path
    plot: Path | None
    as_json: bool


def sweep_and_report(request: SweepRequest, tally: Tally) -> None:
    """Runs the trials, and prints what came of each value.

    Raises:
        RecbenchError: Bad input, or a file that cannot be written.
        typer.Exit: A trial failed.
    """
    check_cores(request.conditions.threads, jobs=1)
    if request.plot is not None:
        check_picture(request.plot)
    reference = find_model(request.model)
    wanted = [
        RequestedModel(reference, {**request.others, request.name: text}, f"{request.name}={text}")
        for text in request.values
    ]
    task = load_task(request.task, progressbar=animated())
    observer = AnimatedProgress() if animated() else PlainProgress()
    conditions = request.conditions.in_revision(revision())
    runner = LocalProcesses(
        Assignment(find_task(request.task).path, TaskFacts.of(task), conditions, Limits()), observer
    )
    try:
        configured = runner.configure(wanted)
        _check_distinct(request.name, configured)
        reuse = Reuse.REPEAT if request.force else Reuse.KEEP
        trials = plan_trials(configured, request.seeds)
        stored = train(runner, trials, task, conditions, request.output, observer, tally, reuse)
    finally:
        runner.close()
        observer.close()

    from recbench.reports.run.run_report import run_report
    from recbench.reports.sweep.plot import draw_sweep
    from recbench.reports.sweep.points import sweep_document
    from recbench.reports.sweep.table import sweep_table

    report = run_report(task.summary(), stored, stored[0].record.environment, conditions.ks)
    if request.as_json:
        emit_json(sweep_document(report, request.name))
    else:
        emit(sweep_table(report, request.name))
    messages().print(f"Records: {request.output}", style="dim", markup=False)
    if request.plot is not None:
        messages().print(f"Drawn: {draw_sweep(report, request.name, request.plot)}", style="dim", markup=False)
    exit_if_failed(stored)


def _check_distinct(name: str, configured: Sequence[PlannedModel]) -> None:
    """Checks that no value was written in two ways, such as 0.1 and 0.10."""
    values = [one.parameters[name] for one in configured]
    for place, value in enumerate(values):
        if value in values[:place]:
            raise RecbenchError(
                f"--param {name}: {configured[place].requested.texts[name]} is a value that is there already.",
                "Give each value once.",
            )
