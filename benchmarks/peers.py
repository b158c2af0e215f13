"""bpr against the packages that people would use instead: ratios of speed, quality, and time to the same quality.

    python benchmarks/peers.py                     # five rounds, every contest whose task is there
    python benchmarks/peers.py --task ml-100k --rounds 9
    pip install --group peers                      # for Cornac

Each run is a ``recbench run`` in a process of its own. Contenders take turns within a round, so that a machine whose
speed drifts slows them all; ratios are formed within rounds. Round n trains with seed n.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from statistics import fmean, median
from typing import Annotated, Any

import typer
from tabulate import tabulate

from recbench.operating_system.processor import available_cores
from recbench.tasks.lookup import task_names

CONTESTS = Path(__file__).with_suffix(".toml")


@dataclass
class Contender:
    """One row of the table.

    Attributes:
        name: What it is called.
        model: As ``recbench run --models`` takes it.
        params: Its hyper-parameters.
        peer: Whether it is one of those to measure against.
        needs: The package that must be installed.
        runs: For each number of threads, the results of its rounds.
    """

    name: str
    model: str
    params: dict[str, Any]
    peer: bool = False
    needs: str | None = None
    runs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def run(self, task: str, threads: int, seed: int, more: list[str] | None = None) -> dict[str, Any]:
        """Runs one trial in a process of its own; returns its result."""
        called = self.model.rpartition(":")[2]
        settings = [text for name, value in self.params.items() for text in ("--param", f"{called}.{name}={value}")]
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "recbench", "run", "--models", self.model, "--task", task, "--json"]
            command += ["--threads", str(threads), "--seeds", "1", "--seed", str(seed), "-o", folder, *settings]
            done = subprocess.run([*command, *(more or [])], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{self.name} failed:\n{done.stderr}")
        result: dict[str, Any] = json.loads(done.stdout)["results"][0]
        return result

    def speeds(self, threads: int) -> list[float]:
        """Train interactions a second, a value a round."""
        return [run["interactions_per_second"]["mean"] for run in self.runs[threads]]

    @property
    def best_threads(self) -> int:
        """The number of threads with the higher median speed."""
        return max(self.runs, key=lambda threads: median(self.speeds(threads)))

    def metric(self, name: str) -> float:
        """Its mean over the rounds."""
        return fmean(run["metrics"][name]["mean"] for run in self.runs[self.best_threads])


def main(
    task: Annotated[list[str] | None, typer.Option(help="Only these tasks; may be repeated.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; five or more are worth quoting.")] = 5,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="JSON file for all figures.")] = None,
) -> None:
    """Measures and prints one table a contest."""
    everything = {}
    for contest in tomllib.loads(CONTESTS.read_text(encoding="utf-8"))["contest"]:
        if contest["task"] not in (task or [contest["task"]]):
            continue
        if contest["task"] not in task_names():
            typer.echo(f"Left out, for there is no task {contest['task']}: {contest['title']}", err=True)
            continue
        contenders = [Contender(**values) for values in contest["contenders"]]
        for absent in [contender for contender in contenders if contender.needs and find_spec(contender.needs) is None]:
            typer.echo(f"Left out, for it is not installed: {absent.name}", err=True)
            contenders.remove(absent)
        measure_speed(contest["task"], contenders, rounds)
        target = max(contender.metric("hr@10") for contender in contenders if contender.peer)
        times = measure_time_to(target, contest["task"], contenders, rounds)
        typer.echo(f"\n{contest['title']}, {rounds} rounds\n\n{table(contenders, target, times)}")
        everything[contest["task"]] = {
            contender.name: {"runs": contender.runs, "seconds_to_hr": {"hr": target, "seconds": times[contender.name]}}
            for contender in contenders
        }
    if output is not None:
        output.write_text(json.dumps(everything, indent=1), encoding="utf-8")


def measure_speed(task: str, contenders: list[Contender], rounds: int) -> None:
    """Runs everyone with one thread and with all cores, round after round."""
    choices = sorted({1, available_cores()})
    for seed, threads, contender in product(range(rounds), choices, contenders):
        typer.echo(f"round {seed + 1} of {rounds}: {contender.name}, threads {threads}", err=True)
        contender.runs.setdefault(threads, []).append(contender.run(task, threads, seed))


def measure_time_to(
    target: float, task: str, contenders: list[Contender], rounds: int
) -> dict[str, list[float | None]]:
    """Returns for each contender, a value a round, the seconds of training until HR@10 was ``target``."""
    times: dict[str, list[float | None]] = {competitor.name: [] for competitor in contenders}
    for seed, contender in product(range(rounds), contenders):
        typer.echo(f"time to HR@10 {target:.4f}, round {seed + 1} of {rounds}: {contender.name}", err=True)
        run = contender.run(task, contender.best_threads, seed, ["--curve", "all", "--reach", str(target)])
        reached = run["time_to_quality"]["seconds_to_target"]
        times[contender.name].append(reached and reached["mean"])
    return times


def table(contenders: list[Contender], target: float, times: dict[str, list[float | None]]) -> str:
    """Returns the table, in Markdown."""
    best = max((peer for peer in contenders if peer.peer), key=lambda peer: median(peer.speeds(peer.best_threads)))
    to_beat = best.speeds(best.best_threads)
    rows = []
    for contender in contenders:
        speeds = contender.speeds(contender.best_threads)
        ratios = [own / other for own, other in zip(speeds, to_beat, strict=True)]
        reached = [seconds for seconds in times[contender.name] if seconds is not None]
        rows.append(
            [
                contender.name,
                contender.best_threads,
                f"{median(speeds) / 1e6:.1f}",
                f"{min(speeds) / 1e6:.1f} to {max(speeds) / 1e6:.1f}",
                f"{median(ratios):.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
                f"{contender.metric('hr@10'):.4f}",
                f"{contender.metric('ndcg@10'):.4f}",
                f"{median(reached):.2f} ({len(reached)} of {len(times[contender.name])})" if reached else "never",
            ]
        )
    headers = ["", "threads", "M interactions/s", "spread", f"times {best.name}", "spread", "HR@10", "NDCG@10"]
    return tabulate(rows, [*headers, f"s to HR@10 {target:.4f} (rounds)"], tablefmt="pipe", disable_numparse=True)


if __name__ == "__main__":
    typer.run(main)
