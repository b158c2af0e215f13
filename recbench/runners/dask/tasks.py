"""The functions that Dask calls on a worker. It finds them by name, so recbench must be installed there."""

from typing import Any

from recbench.runners.dask import remote_trials
from recbench.runners.dask.remote_trials import RemoteResult, RemoteTrial, accept, has_task, receive

__all__ = ["accept", "has_task", "receive", "run_trial"]


def run_trial(job: RemoteTrial, topic: str) -> RemoteResult | None:
    """See ``recbench.runners.dask.remote_trials.run_remote``.

    Args:
        job: The trial.
        topic: Where to tell how it goes.
    """
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def wanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is not None and state.state in ("executing", "long-running")

    def send(method: str, *arguments: Any) -> None:
        worker.log_event(topic, (key, method, arguments))

    return remote_trials.run_remote(job, wanted, send)
