"""Trials per second of a run on a cluster whose trials take no time, and the memory of both sides.

    python benchmarks/simulated_workers.py --workers 1,8,64 --trials 640

All workers are threads of one process, connected through the loopback interface. A trial only sleeps and returns a
record that was made before, so that what is measured is the scheduler of Dask and the run's own part: which worker gets
which trial, the messages, the log and the record. A real trial also starts a process, which the worker's machine pays
for. The last column extrapolates to 10,000 trials. Shown too: how often the task was sent to the host of the workers.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_TRIALS = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="1,8,64", help="numbers of workers, comma-separated")
    parser.add_argument("--trials", type=int, default=640)
    parser.add_argument("--seconds", type=float, default=0.0, help="how long a trial sleeps")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--client", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(arguments.serve, arguments.seconds))
        return
    if arguments.client:
        client(arguments.client[0], int(arguments.client[1]), arguments.trials)
        return
    print(  # noqa: T201
        "| workers | trials | s | trials/s | run's CPU s | run's peak MiB | workers' MiB | task sent "
        "| 10,000 trials, s |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    for n_workers in map(int, arguments.workers.split(",")):
        print(measure(n_workers, arguments.trials, arguments.seconds), flush=True)  # noqa: T201


def measure(n_workers: int, n_trials: int, seconds: float) -> str:
    """Returns a row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        home = {**os.environ, "RECBENCH_HOME": str(Path(folder, "home"))}
        words = [sys.executable, __file__, "--seconds", str(seconds), "--serve", str(n_workers)]
        server = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=home,
            cwd=folder,
        )
        assert server.stdin is not None
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        words = [sys.executable, __file__, "--trials", str(n_trials), "--client", address, str(n_workers)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, cwd=folder, check=True)
        run_figures = json.loads(done.stdout.splitlines()[-1])
        worker_figures = json.loads(server.communicate("\n")[0].splitlines()[-1])
    rate = n_trials / run_figures["seconds"]
    return (
        f"| {n_workers} | {n_trials:,} | {run_figures['seconds']:.1f} | {rate:.0f} | {run_figures['cpu']:.1f} "
        f"| {run_figures['mib']:.0f} | {worker_figures['mib']:.0f} | {worker_figures['sent']} | {N_TRIALS / rate:.0f} |"
    )


async def serve(n_workers: int, seconds: float) -> None:
    """Runs a scheduler and its workers until a line comes in; their trials return what is in the file ``result``."""
    from distributed import Scheduler, Worker

    from recbench.runners.dask import remote_trials, tasks

    sent: list[str] = []
    install = remote_trials.install_task

    def run_remote(job: remote_trials.RemoteTrial, _wanted: object, _notify: object) -> remote_trials.RemoteResult:
        time.sleep(seconds)
        content = json.loads(Path("record.json").read_text(encoding="utf-8")) | {"seed": job.trial.seed}
        return remote_trials.RemoteResult(json.dumps(content), Path("ranks.npz").read_bytes(), b"")

    def install_task(digest: str, name: str) -> None:
        sent.append(digest)
        install(digest, name)

    remote_trials.run_remote = run_remote
    remote_trials.install_task = install_task
    assert tasks.remote_trials is remote_trials
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        workers = [Worker(scheduler.address, nthreads=1, dashboard=False) for _ in range(n_workers)]
        await asyncio.gather(*workers)
        print(scheduler.address, flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps({"mib": peak_mib(), "sent": len(sent)}), flush=True)  # noqa: T201
    os._exit(0)


def client(address: str, n_workers: int, n_trials: int) -> None:
    """Runs the trials on the workers, and prints the seconds and its own memory as JSON."""
    from recbench.records.ranks_file import ranks_to_bytes
    from recbench.registry.requested import request_models
    from recbench.runners.base import Assignment
    from recbench.runners.dask.cluster import Cluster
    from recbench.runners.processes.local import LocalProcesses
    from recbench.tasks import task_file
    from recbench.tasks.lookup import load_task
    from recbench.trials.conditions import Conditions
    from recbench.trials.identity import TaskFacts
    from recbench.trials.planned import PlannedTrial

    task = load_task("synthetic")
    task_file.save(task, Path("s.task"))
    local = LocalProcesses(Assignment(Path("s.task"), TaskFacts.of(task), Conditions()), ignore)
    (model,) = local.configure(request_models(["popularity"]))
    ((_, outcome),) = local.run([PlannedTrial(model, 0)], Path())
    local.close()
    assert outcome.ranks is not None
    Path("ranks.npz").write_bytes(ranks_to_bytes(outcome.ranks))
    Path("record.json").write_text(outcome.record.to_json(), encoding="utf-8")
    cluster = Cluster(Assignment(Path("s.task"), TaskFacts.of(task), Conditions(), address=address), ignore)
    while len(cluster._connection.workers(wait=True)) < n_workers:
        time.sleep(0.1)
    began, cpu = time.perf_counter(), time.process_time()
    trials = (PlannedTrial(model, seed) for seed in range(n_trials))
    n_done = sum(outcome.is_final for _, outcome in cluster.run(trials, Path()))
    assert n_done == n_trials
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu, "mib": peak_mib()}))  # noqa: T201
    cluster.close()


def ignore(_: object) -> None:
    """Takes an event of a trial and does nothing."""


def peak_mib() -> float:
    """Returns the peak memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
