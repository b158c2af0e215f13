"""The functions that Dask calls on a worker. It finds them by name, so recbench must be installed there."""

from recbench.runners.dask import remote_trials
from recbench.runners.dask.remote_trials import RemoteResult, RemoteTrial, has_task, install_task, receive_part
from recbench.trials.events import Event

__all__ = ["has_task", "install_task", "receive_part", "run_trial"]


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
