"""The functions that Dask calls on a worker. It finds them by name, so recbench must be installed there."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from recbench.errors import RecbenchError
from recbench.runners.dask import remote_trials
from recbench.runners.dask.remote_trials import Delivery, RemoteResult, RemoteTrial, UnusableWorkerError
from recbench.system_errors import UnreadableError, system_error
from recbench.trials.events import Event

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _tells_what_the_system_refuses(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Passes on what this worker's system refuses as an error that the run tells from a lost connection."""

    @functools.wraps(function)
    def called(*arguments: Arguments.args, **settings: Arguments.kwargs) -> Result:
        try:
            return function(*arguments, **settings)
        except UnreadableError as error:
            raise UnusableWorkerError(error.message, error.hint) from None
        except RecbenchError as error:
            cause = None if error.__cause__ is None else system_error(error.__cause__)
            if cause is None:
                raise
            raise UnusableWorkerError(error.message, error.hint) from None
        except (OSError, MemoryError) as error:
            refused = system_error(error)
            message, hint = (refused.message, refused.hint) if refused else (f"{type(error).__name__}: {error}.", "")
            raise UnusableWorkerError(message, hint) from None

    return called


@_tells_what_the_system_refuses
def claim_task(digest: str, name: str) -> Delivery:
    """See ``recbench.runners.dask.remote_trials.claim_task``."""
    return remote_trials.claim_task(digest, name)


@_tells_what_the_system_refuses
def receive_part(digest: str, name: str, part: bytes, offset: int) -> None:
    """See ``recbench.runners.dask.remote_trials.receive_part``."""
    remote_trials.receive_part(digest, name, part, offset)


@_tells_what_the_system_refuses
def install_task(digest: str, name: str) -> None:
    """See ``recbench.runners.dask.remote_trials.install_task``."""
    remote_trials.install_task(digest, name)


@_tells_what_the_system_refuses
def run_trial(job: RemoteTrial, topic: str) -> RemoteResult | None:
    """See ``recbench.runners.dask.remote_trials.run_remote``.

    Args:
        job: The trial.
        topic: Where the trial's events are sent to.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def wanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is not None and state.state in ("executing", "long-running")

    def notify(event: Event) -> None:
        worker.log_event(topic, (key, event.to_json()))

    return remote_trials.run_remote(job, wanted, notify)
