"""The line below a table that says what to do next. It is for people: only a terminal shows it."""

from pathlib import Path
from typing import TYPE_CHECKING

from recbench.cli.shared.terminal import emit
from recbench.escaping.file_names import file_name
from recbench.escaping.shell import shell_command

if TYPE_CHECKING:
    from recbench.experiments.comparison import Comparison
    from recbench.experiments.results import Run
    from recbench.experiments.tuning import Tuning
    from recbench.reports.compare.gate import GateOutcome
    from recbench.reports.screen import Screen

BASELINE = "main"
"""The label under which ``recbench baseline accept`` keeps records."""
SEEDS = 3


def emit_next_step(line: str, screen: "Screen | None") -> None:
    """Writes the line to the terminal of standard output, if there is one."""
    if screen is None:
        return
    from recbench.reports.screen import wrapped

    emit("\n" + "\n".join(wrapped(f"Next: {line}", screen)))


def after_run(run: "Run") -> str:
    """Returns what to do after a run: mend what failed, measure more seeds, and then compare or show the records."""
    if run.failed:
        return (
            "read the logs that are listed below, and run the same command again. It repeats only the missing trials."
        )
    seeds = {trial.record.seed for trial in run.trials}
    if len(seeds) < SEEDS:
        return f"add --seeds {SEEDS} to see how much figures vary between seeds."
    return after_records(run.folder or Path(), run.task.name)


def after_records(folder: Path, task: str) -> str:
    """Returns what to do with complete records: compare them with the accepted ones of their task, or look closer."""
    from recbench.records.results_folder import baselines_folder

    if (baselines_folder() / task / BASELINE).is_dir():
        return f"compare with the baseline: {shell_command(['recbench', 'compare', BASELINE, folder])}"
    command = shell_command(["recbench", "report", folder, "-o", f"{file_name(task)}.html"])
    return f"see pairs, costs and parameters on one page: {command}"


def after_comparison(comparison: "Comparison", base: str, current: str) -> str:
    """Returns what to do after a comparison: decide, if anything could be compared."""
    if comparison.nothing_compared:
        records = [trial.record for trial in comparison.base.trials]
        models = ",".join(dict.fromkeys(record.model for record in records))
        words = ["recbench", "run", "--task", records[0].task.name, "--models", models]
        return f"run the models of BASE on its task: {shell_command(words)}"
    return f"let the gate decide: {shell_command(['recbench', 'gate', base, current])}"


def after_gate(outcome: "GateOutcome", current: str) -> str:
    """Returns what to do after a gate, by its outcome."""
    from recbench.reports.compare.gate import GateOutcome

    match outcome:
        case GateOutcome.PASSED | GateOutcome.NO_BASELINE:
            return f"make it the new baseline: {shell_command(['recbench', 'baseline', 'accept', current])}"
        case GateOutcome.REJECTED:
            return "see the reasons above; more seeds give more certain verdicts, for example --seeds 10."
        case GateOutcome.FAILED:
            return "read the error above, correct the model, and run it again with the same command."
        case GateOutcome.NOT_COMPARABLE:
            return "run CURRENT with the task, models and seeds of BASE, then run the gate again."


def after_sweep(run: "Run", parameter: str) -> str:
    """Returns what to do after a sweep: choose a value by validation cases."""
    if run.failed:
        return (
            "read the logs that are listed below, and run the same command again. It repeats only the missing trials."
        )
    model = run.trials[0].record.model
    command = shell_command(["recbench", "tune", "--task", run.task.name, "--models", model])
    return f"choose {parameter} on validation cases: {command}"


def after_tuning(tuning: "Tuning", output: Path | None) -> str:
    """Returns what to do after a tuning: run with what was found, or look for longer."""
    if not tuning.settings:
        return "give a larger --budget. recbench keeps the finished trials."
    models, settings = ",".join(tuning.settings), "tuned" if output is None else str(output)
    words = ["recbench", "run", "--task", tuning.task["name"], "--models", models, "--settings", settings]
    return f"run with these settings: {shell_command(words)}"


def after_list() -> str:
    """Returns what to do with the list of models."""
    return f"see the hyper-parameters of a model: {shell_command(['recbench', 'list', 'bpr'])}"


def after_history() -> str:
    """Returns what to do with the history."""
    return f"see the accepted baselines: {shell_command(['recbench', 'baseline', 'list'])}"
