"""Where trials run and within which limits: the same options for run, sweep and tune."""

import logging
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, TypeAdapter

from recbench.arguments import Positive, PositiveNumber, read_argument
from recbench.device import Device
from recbench.errors import RecbenchError
from recbench.experiments.task_source import TaskSource
from recbench.installations import other_installations
from recbench.operating_system.processor import available_cores
from recbench.requirements import running_folder
from recbench.runners.base import Assignment, Runner, check_in_process, create_runner, runner_name
from recbench.runners.limits import Limits, parse_size
from recbench.trials.conditions import Conditions
from recbench.trials.events import IsWanted, Notify, always

log = logging.getLogger(__name__)


def _bytes(size: object) -> object:
    return parse_size(size) if isinstance(size, str) else size


_TYPES: dict[str, tuple[TypeAdapter[Any], str]] = {
    "threads": (TypeAdapter(Positive), "threads=1"),
    "device": (TypeAdapter(Device), 'device="cpu"'),
    "jobs": (TypeAdapter(Positive), "jobs=2"),
    "timeout": (TypeAdapter(PositiveNumber | None), "timeout=600, in seconds"),
    "max_memory": (TypeAdapter(Annotated[Positive | None, BeforeValidator(_bytes)]), 'max_memory="4GiB"'),
    "cluster": (TypeAdapter(str | None), 'cluster="tcp://HOST:8786"'),
    "in_process": (TypeAdapter(bool), "in_process=True"),
}
"""The type of each option, and an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Where trials run and within which limits.

    Attributes:
        threads: Threads of each trial. One thread gives the same ranks every time, bit for bit.
        device: What to train on; ``auto`` is a GPU where there is one.
        jobs: Trials at a time on this machine.
        timeout: Seconds after which a trial ends; None for no limit.
        max_memory: Memory at which a trial ends, in bytes or as text such as ``"4GiB"``; None for no limit.
        cluster: Address of a Dask scheduler, such as ``tcp://HOST:8786``; None for this machine.
        in_process: Whether all trials run in this process, for a debugger.
    """

    threads: int = 1
    device: Device = "auto"
    jobs: int = 1
    timeout: float | None = None
    max_memory: int | str | None = None
    cluster: str | None = None
    in_process: bool = False

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Returns the options of a Python program, checked one by one.

        Raises:
            RecbenchError: An option is of another type or out of range.
        """
        return cls(
            **{
                name: read_argument(name, kind, options[name], f"For example: {example}")
                for name, (kind, example) in _TYPES.items()
                if name in options
            }
        )

    @property
    def limits(self) -> Limits:
        """The limits of each trial."""
        size = self.max_memory
        return Limits(self.timeout, parse_size(size) if isinstance(size, str) else size)

    def check(self) -> None:
        """Checks the options against each other and against this machine, before anything is loaded.

        Raises:
            RecbenchError: They contradict each other, or this machine has fewer cores.
        """
        if self.threads < 1 or self.jobs < 1:
            raise RecbenchError("The number of threads and of jobs must be at least 1.", "For example: threads=1")
        runner_name(self.cluster)
        if self.in_process:
            check_in_process(self.limits, self.jobs, self.cluster)
        if self.cluster is None:
            _check_cores(self.threads, self.jobs)
        elif self.jobs > 1:
            raise RecbenchError(
                "Each worker of a cluster runs one trial at a time.", "Leave --jobs out; start more workers."
            )

    def start(self, source: TaskSource, conditions: Conditions, notify: Notify, is_wanted: IsWanted = always) -> Runner:
        """Makes the runner of trials on a task.

        Args:
            source: The task and its file.
            conditions: What the trials are run under.
            notify: Receives the events of all trials.
            is_wanted: Whether a trial should continue.

        Raises:
            RecbenchError: The cluster cannot be reached, or the packages of the runner are not installed.
        """
        for other in other_installations():
            log.warning("Warning: recbench runs from %s; another one is in %s.", running_folder(), other)
        limits = self.limits
        conditions = replace(conditions, memory_limit=limits.memory_bytes)
        assignment = Assignment(source.path, source.facts, conditions, limits, self.jobs, address=self.cluster)
        return create_runner(runner_name(self.cluster, in_process=self.in_process), assignment, notify, is_wanted)


def _check_cores(threads: int, jobs: int) -> None:
    """Checks that all trials that run at a time have cores of their own.

    Raises:
        RecbenchError: There are fewer.
    """
    cores = available_cores()
    if threads > cores:
        raise RecbenchError(
            f"--threads {threads}, but this process may use {cores} cores: timings would be meaningless.",
            f"Use at most --threads {cores}.",
        )
    if jobs * threads > cores:
        raise RecbenchError(
            f"--jobs {jobs} with --threads {threads} need {jobs * threads} cores, and this process may use {cores}: "
            "trials would slow each other down.",
            f"Use at most --jobs {cores // threads}.",
        )
