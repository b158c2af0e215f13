"""What a runner is, and the one table that finds runners by name.

A new runner is one module: a class with the three methods of ``Runner`` and the constructor of ``RunnerClass``, and a
line in ``RUNNERS``.
"""

import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from recbench.errors import RecbenchError, shortened, unknown_name
from recbench.path_checks import check_working_folder
from recbench.registry.requested import RequestedModel
from recbench.registry.user_modules import check_not_importing
from recbench.runners.limits import Limits
from recbench.trials.conditions import Conditions, TrialOutcome
from recbench.trials.events import IsWanted, Notify
from recbench.trials.identity import TaskFacts
from recbench.trials.planned import PlannedModel, PlannedTrial

RUNNERS = {
    "in-process": "recbench.runners.in_process:InProcess",
    "processes": "recbench.runners.processes.local:LocalProcesses",
    "dask": "recbench.runners.dask.cluster:Cluster",
}
"""The runners by name. They are imported when they are used: some need packages that are extras."""

SCHEMES = {"tcp": "dask", "tls": "dask", "ucx": "dask", "inproc": "dask"}
"""Which runner serves the cluster at an address, by the scheme of the address."""


HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.%]{2,60}\]")
HOST_AND_PORT = re.compile(rf"(?P<host>{HOST.pattern}):(?P<port>[0-9]{{1,5}})/?")


@dataclass(frozen=True, slots=True)
class Assignment:
    """What all trials of a run have in common.

    Attributes:
        task_file: The frozen task.
        task: What a record says about the task.
        conditions: What the trials are run under.
        limits: What ends a trial.
        concurrent: How many trials run at a time on this machine.
        folder: The working folder of the trials' processes; None for that of this process.
        address: Address of a cluster's scheduler, for a runner that needs one.
    """

    task_file: Path
    task: TaskFacts
    conditions: Conditions
    limits: Limits = field(default_factory=Limits)
    concurrent: int = 1
    folder: Path | None = None
    address: str | None = None


class Runner(Protocol):
    """Where trials run: processes of this machine, this process, or a cluster."""

    def configure(self, models: Sequence[RequestedModel]) -> list[PlannedModel]:
        """Imports every model and lets it check its hyper-parameters, before anything is trained."""
        ...

    def run(self, trials: Iterable[PlannedTrial], folder: Path) -> Iterator[tuple[PlannedTrial, TrialOutcome]]:
        """Runs the trials, writes their logs into the folder, and yields each outcome when its trial ends.

        Before a full ranking, a trial may also yield an outcome that is not final.

        A trial is taken from ``trials`` when there is room for it, so that earlier outcomes can decide which trial
        comes next.
        """
        ...

    def close(self) -> None:
        """Ends the trials that still run."""
        ...


class RunnerClass(Protocol):
    """How every runner is made."""

    def __call__(self, assignment: Assignment, notify: Notify, is_wanted: IsWanted) -> Runner:
        """Returns a runner of trials on this assignment."""
        ...


def runner_name(cluster: str | None = None, *, in_process: bool = False) -> str:
    """Returns the name of the runner for what a user asks for.

    Args:
        cluster: Address of a cluster; None for this machine.
        in_process: Whether the trials run in this process.

    Raises:
        RecbenchError: The scheme of the address is unknown, or it names no host and port.
    """
    if cluster is None:
        return "in-process" if in_process else "processes"
    scheme, separator, place = cluster.partition("://")
    if separator and scheme not in SCHEMES:
        raise unknown_name("scheme of a cluster's address", scheme, SCHEMES, "For example: --cluster tcp://HOST:8786")
    if scheme != "inproc":
        _check_host_and_port(cluster, place if separator else cluster)
    return SCHEMES[scheme] if separator else "dask"


def _check_host_and_port(address: str, place: str) -> None:
    match = HOST_AND_PORT.fullmatch(place)
    if match is not None and 0 < int(match["port"]) < 2**16:
        return
    shown = shortened(address, 80)
    host = match["host"] if match is not None else place if HOST.fullmatch(place) else "HOST"
    what = "names no port" if HOST.fullmatch(place) else "is not the address of a host and a port"
    raise RecbenchError(
        f"--cluster {shown!r} {what}.",
        f"Give the address that the scheduler prints. Its usual port is 8786: --cluster tcp://{host}:8786",
    )


def create_runner(name: str, assignment: Assignment, notify: Notify, is_wanted: IsWanted) -> Runner:
    """Makes the runner of that name.

    Args:
        name: A name in ``RUNNERS``.
        assignment: What the trials are run on.
        notify: Receives the events of all trials.
        is_wanted: Whether a trial should continue.

    Raises:
        RecbenchError: There is no such runner, or it cannot be used; a model's module starts a run when it is imported;
            or the working folder was removed.
    """
    check_not_importing()
    check_working_folder()
    if name not in RUNNERS:
        raise unknown_name("runner", name, RUNNERS)
    module, _, class_name = RUNNERS[name].partition(":")
    runner_class: RunnerClass = getattr(importlib.import_module(module), class_name)
    return runner_class(assignment, notify, is_wanted)


def check_in_process(limits: Limits, jobs: int, cluster: str | None) -> None:
    """Checks that nothing is asked for that needs a process for each trial.

    Raises:
        RecbenchError: A limit, several jobs or a cluster is asked for.
    """
    if jobs > 1 or limits != Limits() or cluster is not None:
        raise RecbenchError(
            "--jobs, --timeout, --max-memory and --cluster need a process for each trial.", "Leave --in-process out."
        )
