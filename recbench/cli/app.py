"""The program ``recbench``. Verbs import what they need when they run, so that ``--help`` answers at once."""

import os
import sys
from typing import Final

import typer

from recbench.cli import (
    ab,
    backfill,
    baseline,
    bisect,
    cite,
    clean,
    compare,
    data,
    doctor,
    export,
    gate,
    history,
    leaderboard,
    list_models,
    plot,
    report,
    run,
    score_file,
    selftest,
    site,
    sweep,
    task,
    tune,
)
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
from recbench.records.interruption import forget_interruption
from recbench.requirements import install_command, package_of
from recbench.system_errors import system_error
from recbench.unexpected_errors import end_unexpectedly

COMPLETION: Final = "_RECBENCH_COMPLETE"
"""The variable with which a shell asks for the completion of a command line."""

HELP = """Compare implicit-feedback recommenders on one frozen task, with one clock.

Example: recbench run --models popularity,bpr --task synthetic
"""

app = Verbs(name="recbench", help=HELP, add_completion=True, rich_markup_mode="rich")
app.command("run")(run.run)
app.command("tune")(tune.tune)
app.command("sweep")(sweep.sweep)
app.command("plot")(plot.plot)
app.command("report")(report.report)
app.command("site")(site.site)
app.command("compare")(compare.compare)
app.command("gate")(gate.gate)
app.command("ab")(ab.ab)
app.command("score-file")(score_file.score_file)
app.command("export")(export.export)
app.command("list")(list_models.list_models)
app.add_typer(task.app, name="task")
app.add_typer(data.app, name="data")
app.add_typer(baseline.app, name="baseline")
app.command("leaderboard")(leaderboard.leaderboard)
app.command("history")(history.history)
app.command("backfill")(backfill.backfill)
app.command("bisect")(bisect.bisect)
app.command("selftest")(selftest.selftest)
app.command("cite")(cite.cite)
app.command("clean")(clean.clean)
app.command("doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
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
        app(prog_name="recbench")
    except SystemExit as ended:
        if ended.code == 1 and isinstance(ended.__context__, BrokenPipeError):
            # The reader of a help has seen enough. Typer would end the program with 1.
            discard_output()
            sys.exit(ExitCode.OK)
        raise
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except RecbenchError as error:
        fail(error)
    except ModuleNotFoundError as error:
        package = package_of((error.name or "").partition(".")[0])
        if package is None:
            end_unexpectedly(error)
        fail(
            RecbenchError(
                f"This command needs {package}, which is not installed.", f"Install it: {install_command([package])}"
            )
        )
    # Of any class, for libraries wrap the system's errors into errors of their own.
    except Exception as error:  # noqa: BLE001 - the last place where it can be told
        if COMPLETION in os.environ:
            # The shell would put a traceback into the command line that is being typed.
            sys.exit(ExitCode.BAD_INPUT)
        refused = system_error(error)
        if refused is None:
            end_unexpectedly(error)
        fail(refused)
    finally:
        forget_interruption()
