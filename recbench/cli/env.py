"""``recbench env``: the environments of other frameworks."""

from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.cache_sizes import megabytes
from recbench.cli.shared.completion import environment_name
from recbench.cli.shared.output_options import AsJson, Quiet
from recbench.cli.shared.tables import emit_prose, emit_table
from recbench.cli.shared.terminal import ExitCode, emit, emit_json
from recbench.cli.shared.verbs import Verbs
from recbench.progress.console import write_message

if TYPE_CHECKING:
    from recbench.cli.shared.environment_document_types import (
        CheckedEnvironmentsDocument,
        CreatedEnvironmentDocument,
        EnvironmentDocument,
        EnvironmentsDocument,
        RemovedEnvironmentDocument,
    )
    from recbench.experiments.environments import FrameworkEnvironment

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A name of 'recbench env list'.", autocompletion=environment_name)
]

app = Verbs(help="Create, list, check and remove the environments of other frameworks.")


@app.command()
def create(
    name: Name,
    python: Annotated[
        str | None,
        typer.Option(
            metavar="PYTHON",
            help="Python program or virtual environment to create it with.",
            show_default="this Python if the framework supports it, else another one",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Create the environment of a framework in the cache folder, and check it with a trial.

    The packages and their versions are those of a lock file of recbench. uv installs them if it is installed, else pip.
    An environment that exists is created again. It takes from seconds to minutes, and up to 6 GB with CUDA packages.

    Examples:
      recbench env create cornac
      recbench env create recbole --python python3.11

    Exit codes: 0 created, 2 bad input, no network, a lock file that cannot be resolved, or a failed check.
    """
    from recbench.experiments import environments

    made, check = environments.create(name, python, _say_nothing if quiet else write_message)
    if as_json:
        document: CreatedEnvironmentDocument = {"schema": 1, "environment": _document(made), "check_hr": check.hr}
        emit_json(document)
        return
    emit_prose(
        f"Created the environment {name}: {name} {made.lock.version}, Python {made.python}, "
        f"{megabytes(made.n_bytes)} MB, {made.seconds:.0f} s with {made.installer}.\n"
        f"Checked: {check.model} has HR@10 {check.hr:.4f} on synthetic, and popularity has the same ranks as in this "
        "Python.\n"
        f"Use it: recbench run --models {check.model},popularity"
    )


@app.command("list")
def list_environments(as_json: AsJson = False) -> None:
    """List the environments, and whether they exist.

    Examples:
      recbench env list
    """
    from recbench.experiments import environments

    listed = environments.environments()
    if as_json:
        document: EnvironmentsDocument = {
            "schema": 1,
            "environments": [_document(environment) for environment in listed],
        }
        emit_json(document)
        return
    rows = [
        [
            environment.lock.name,
            environment.lock.version,
            environment.state.value,
            environment.python or environment.lock.python,
            megabytes(environment.n_bytes) if environment.n_bytes else "",
            environment.lock.check.partition(":epochs=")[0],
        ]
        for environment in listed
    ]
    emit_table(rows, ["environment", "version", "state", "Python", "MB", "a model of it"])


@app.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove an environment from the cache folder. Records of its models stay.

    Examples:
      recbench env remove recbole
    """
    from recbench.experiments import environments

    removed = environments.remove(name)
    is_removed = removed.state is not environments.State.MISSING
    if as_json:
        document: RemovedEnvironmentDocument = {
            "schema": 1,
            "name": name,
            "removed": is_removed,
            "bytes": removed.n_bytes,
        }
        emit_json(document)
        return
    size = f", {megabytes(removed.n_bytes)} MB" if removed.n_bytes else ""
    emit(f"Removed the environment {name}{size}" if is_removed else f"There is no environment {name} to remove.")


@app.command()
def doctor(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="An environment.",
            show_default="all that exist",
            autocompletion=environment_name,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check environments: Python, the versions of packages, and a trial of the framework and of popularity.

    Examples:
      recbench env doctor
      recbench env doctor cornac

    Exit codes: 0 all can be used, 1 an environment cannot, or its packages are not those of its lock file.
    """
    from recbench.experiments import environments

    existing = [
        environment
        for environment in environments.environments()
        if environment.state is not environments.State.MISSING
    ]
    names = [environment.lock.name for environment in existing] if name is None else [name]
    checks = {name: environments.check(name) for name in names}
    if as_json:
        document: CheckedEnvironmentsDocument = {
            "schema": 1,
            "environments": [
                {"name": name, "model": check.model, "check_hr": check.hr, "problems": list(check.problems)}
                for name, check in checks.items()
            ],
        }
        emit_json(document)
    elif checks:
        rows = [
            [name, check.model, "" if check.hr is None else f"{check.hr:.4f}", "; ".join(check.problems) or "ok"]
            for name, check in checks.items()
        ]
        emit_table(rows, ["environment", "model", "HR@10", "result"])
        for broken in [name for name, check in checks.items() if check.problems]:
            write_message(f"Create it again: recbench env create {broken}")
    else:
        emit("No environment has been created. Create one: recbench env create NAME")
    if any(check.problems for check in checks.values()):
        raise typer.Exit(ExitCode.CHECK_FAILED)


def _say_nothing(line: str) -> None:
    pass


def _document(environment: "FrameworkEnvironment") -> "EnvironmentDocument":
    return {
        "name": environment.lock.name,
        "version": environment.lock.version,
        "state": environment.state.value,
        "python": environment.python,
        "versions_of_python": environment.lock.python,
        "bytes": environment.n_bytes,
        "seconds": environment.seconds,
        "installer": environment.installer,
        "folder": str(environment.folder),
        "check": environment.lock.check,
    }
