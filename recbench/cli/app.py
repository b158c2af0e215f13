"""The program ``recbench``. The module of a verb is imported when the verb is used, so that ``--help`` is fast."""

import os
import sys
from typing import Final, NoReturn

import typer

from recbench.cli.shared.interruption import exit_code
from recbench.cli.shared.later_commands import LaterCommand, LaterCommands
from recbench.cli.shared.terminal import (
    ExitCode,
    discard_output,
    emit,
    fail,
    open_standard_streams,
    report_output,
    show_log,
)
from recbench.cli.shared.verbs import Verbs
from recbench.errors import RecbenchError
from recbench.records.interruption import forget_interruption, interruptible, interruption_behind
from recbench.system_errors import system_error
from recbench.unexpected_errors import end_unexpectedly

COMPLETION: Final = "_RECBENCH_COMPLETE"
"""The variable with which a shell asks for the completion of a command line."""

HELP = """Compare implicit-feedback recommenders on one frozen task, with one clock.

Example: recbench run --models popularity,bpr --task synthetic
"""


COMMANDS: Final = {
    "run": LaterCommand(
        "recbench.cli.run:run",
        "Train each model on the task, rank the same candidates with each, and print the comparison.",
    ),
    "tune": LaterCommand(
        "recbench.cli.tune:tune",
        "Tune the hyper-parameters of each model on validation cases, with the same budget for each model.",
    ),
    "sweep": LaterCommand(
        "recbench.cli.sweep:sweep",
        "Train a model once per value of a hyper-parameter; compare quality, time and memory.",
    ),
    "suite": LaterCommand(
        "recbench.cli.suite:app",
        "Compare models over several tasks: one table, with confidence intervals over tasks and users.",
    ),
    "plot": LaterCommand(
        "recbench.cli.plot:plot",
        "Plot quality against speed, from the records of one task.",
    ),
    "report": LaterCommand(
        "recbench.cli.report:report",
        "Write one HTML page from records of any tasks. It needs no network and no other file.",
    ),
    "site": LaterCommand(
        "recbench.cli.site:site",
        "Write a web site: a report page for each run, the history of accepted baselines, "
        "and a feed of its regressions.",
    ),
    "compare": LaterCommand(
        "recbench.cli.compare:compare",
        "Compare two runs case by case: difference, interval, verdict for each model.",
    ),
    "gate": LaterCommand(
        "recbench.cli.gate:gate",
        "Compare two runs. The exit code says whether the second may replace the first.",
    ),
    "ab": LaterCommand(
        "recbench.cli.ab:ab",
        "Train two revisions of a git repository on this machine, and gate the second: quality and throughput.",
    ),
    "score-file": LaterCommand(
        "recbench.cli.score_file:score_file",
        "Evaluate scores or ranked lists of any program on a task, and store them as a record.",
    ),
    "export": LaterCommand(
        "recbench.cli.export:export",
        "Export records to experiment trackers, benchmark services, or a Parquet file.",
    ),
    "list": LaterCommand(
        "recbench.cli.list_models:list_models",
        "List the models and the packages that are missing, or the hyper-parameters of one model.",
    ),
    "leaderboard": LaterCommand(
        "recbench.cli.leaderboard:leaderboard",
        "Write a leaderboard page from the records of a run.",
    ),
    "history": LaterCommand(
        "recbench.cli.history:history",
        "Show the trend of accepted baselines and tracked runs, with a bar for the first metric of each.",
    ),
    "backfill": LaterCommand(
        "recbench.cli.backfill:backfill",
        "Train past commits in work trees, and add them to results/history.jsonl in the order of the commits.",
    ),
    "bisect": LaterCommand(
        "recbench.cli.bisect:bisect",
        "Find the commit at which a metric of a model fell, by a binary search over the first parents.",
    ),
    "selftest": LaterCommand(
        "recbench.cli.selftest:selftest",
        "Check the harness against known answers on a task, and models against their contract.",
    ),
    "cite": LaterCommand(
        "recbench.cli.cite:cite",
        "Print how to cite recbench and the dataset of a task, as plain text and BibTeX.",
    ),
    "clean": LaterCommand(
        "recbench.cli.clean:clean",
        "Remove tasks and datasets from the cache that were not used for some time.",
    ),
    "doctor": LaterCommand(
        "recbench.cli.doctor:doctor",
        "Show versions, threads, which models can run, where the cache is, and what this system cannot guarantee.",
    ),
    "env": LaterCommand(
        "recbench.cli.env:app",
        "Create, list, check and remove the environments of other frameworks.",
    ),
    "task": LaterCommand(
        "recbench.cli.task:app",
        "List, build, check, import, export and remove frozen tasks.",
    ),
    "data": LaterCommand(
        "recbench.cli.data:app",
        "List, fetch, inspect and remove datasets.",
    ),
    "baseline": LaterCommand(
        "recbench.cli.baseline:app",
        "Accept, list and release the records that later runs are compared with.",
    ),
}
"""The verbs and groups of verbs, in the order of the help; each with the first paragraph of its own help."""


class Program(LaterCommands):
    """All commands of the program."""

    later = COMMANDS


app = Verbs(name="recbench", help=HELP, cls=Program, add_completion=True, rich_markup_mode="rich")


def _version(is_given: bool) -> None:
    if is_given:
        import recbench

        with report_output(only_prints=True):
            emit(recbench.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_version, is_eager=True),
) -> None:
    pass


def main() -> None:
    """Runs the command line. Errors that the user can mend end it with exit code 2 or 4, and any others with 70."""
    open_standard_streams()
    show_log()
    try:
        with interruptible():
            _run()
    # A second one, which came while the message about the first one or about an error was printed.
    except KeyboardInterrupt as interruption:
        sys.exit(exit_code(interruption))
    finally:
        forget_interruption()


def _run() -> None:
    try:
        app(prog_name="recbench")
    except SystemExit as ended:
        if ended.code == 1 and isinstance(ended.__context__, BrokenPipeError):
            # The reader of a help has seen enough. Typer would end the program with 1.
            discard_output()
            sys.exit(ExitCode.OK)
        interruption = interruption_behind(ended)
        if ended.code == ExitCode.INTERRUPTED and interruption is not None:
            # Typer has taken SIGTERM for Ctrl-C.
            sys.exit(exit_code(interruption))
        raise
    # Of any class, for libraries replace errors, those of the system among them, by errors of their own.
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - the last place where it can be told
        interruption = interruption_behind(error)
        if interruption is not None:
            sys.exit(exit_code(interruption))
        _end_with(error)


def _end_with(error: BaseException) -> NoReturn:
    if isinstance(error, RecbenchError):
        fail(error)
    if isinstance(error, ModuleNotFoundError):
        # Here, so that --help is fast.
        from recbench.requirements import install_command, package_of

        package = package_of((error.name or "").partition(".")[0])
        if package is None:
            end_unexpectedly(error)
        fail(
            RecbenchError(
                f"This command needs {package}, which is not installed.", f"Install it: {install_command([package])}"
            )
        )
    if COMPLETION in os.environ:
        # The shell would put a traceback into the command line that is being typed.
        sys.exit(ExitCode.BAD_INPUT)
    refused = system_error(error)
    if refused is None:
        end_unexpectedly(error)
    fail(refused)
