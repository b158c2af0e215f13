"""How often ``recbench ab`` reports a change of throughput: without one, and with a planted slow-down.

    python benchmarks/ab_false_alarms.py

A small model of numpy is fitted in a process of its own each time, in the order A B B A: six pairs of the same code as
the control, then six pairs of the two revisions. The decision is that of ``recbench ab``. Half of the comparisons run
beside other processes on the same cores, which work and rest for random times.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tabulate import tabulate

from recbench.evaluation.paired_ratios import alternation, as_change, fewest_pairs, paired_ratio
from recbench.evaluation.paired_tests import holm
from recbench.experiments.defaults import AB_THROUGHPUT_DROP
from recbench.reports.compare.paired_throughput import decide_clocks, decide_ratio
from recbench.reports.compare.policy import Policy

N_USERS, N_ITEMS = 600, 400
VERDICTS = ("regressed", "improved", "unchanged", "inconclusive")
CLOCKS = ("wall time", "CPU time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=20, help="comparisons of each kind")
    parser.add_argument("--slower", type=float, default=0.2, help="share by which a fit takes longer")
    parser.add_argument("--seconds", type=float, default=0.3, help="CPU seconds of a fit, about")
    parser.add_argument("--others", type=int, default=2, help="other processes of the comparisons under load")
    parser.add_argument("--log", type=Path, help="a file that gets a line of JSON for each comparison")
    arguments = parser.parse_args()
    steps = steps_of(arguments.seconds)
    rows = []
    for load in (0, arguments.others):
        for slower in (0.0, arguments.slower):
            counts: dict[str, Counter[str]] = {name: Counter() for name in ("recbench ab", *CLOCKS)}
            noise: dict[str, list[float]] = {clock: [] for clock in CLOCKS}
            for _ in range(arguments.comparisons):
                with other_processes(load):
                    comparison = compare(steps, slower)
                counts["recbench ab"][comparison["verdict"]] += 1
                for clock in CLOCKS:
                    counts[clock][comparison[clock]["verdict"]] += 1
                    noise[clock].append(comparison[clock]["noise"])
                if arguments.log:
                    with arguments.log.open("a", encoding="utf-8") as log:
                        log.write(json.dumps({"load": load, "slower": slower, **comparison}) + "\n")
            for name, of_name in counts.items():
                typical = f"{np.median(noise[name]):.1%}" if name in noise else ""
                rows.append([load, f"{slower:.0%}", name, *(of_name[verdict] for verdict in VERDICTS), typical])
    headers = ["other processes", "slower by", "decided by", *VERDICTS, "noise of the control (median)"]
    print(tabulate(rows, headers, tablefmt="pipe", disable_numparse=True))  # noqa: T201


def steps_of(seconds: float) -> int:
    """Returns how many steps of a fit take these CPU seconds."""
    began = time.process_time()
    fit(20)
    return max(int(20 * seconds / (time.process_time() - began)), 1)


def fit(steps: int) -> None:
    """Does what models do: gathers of rows, products of matrices, and scatters."""
    rng = np.random.default_rng(0)
    users, items = rng.normal(size=(N_USERS, 32)), rng.normal(size=(N_ITEMS, 32))
    for _ in range(steps):
        rows, columns = rng.integers(0, N_USERS, 4096), rng.integers(0, N_ITEMS, 4096)
        error = 1 - np.einsum("ij,ij->i", users[rows], items[columns])
        np.add.at(users, rows, 1e-5 * error[:, None] * items[columns])
        items += 1e-6 * (users.T @ (users @ items.T)).T


def compare(steps: int, slower: float) -> dict:
    """Returns the verdicts of one comparison, its control first."""
    n = fewest_pairs()
    control, pairs = (log_ratios(steps, round(steps * (1 + share)), n) for share in (0.0, slower))
    ratios = {clock: paired_ratio(pairs[:, column], control[:, column]) for column, clock in enumerate(CLOCKS)}
    alpha = Policy().alpha
    by_clock = [
        decide_ratio(clock, ratio, p, AB_THROUGHPUT_DROP, alpha)
        for (clock, ratio), p in zip(ratios.items(), holm([paired.p for paired in ratios.values()]), strict=True)
    ]
    details = {
        decision.clock: {
            "verdict": decision.verdict.value,
            "change": as_change(decision.ratio.shift),
            "noise": as_change(decision.ratio.noise),
        }
        for decision in by_clock
    }
    return {"verdict": decide_clocks(by_clock).verdict, **details}


def log_ratios(first: int, second: int, n: int) -> np.ndarray:
    """Returns float64[n, 2], the logarithms of the speed of the second over the first, by wall time and by CPU time."""
    times = np.zeros((n, 2, 2))
    for pair, is_second in alternation(n):
        times[pair, int(is_second)] = timed_fit(second if is_second else first)
    return np.log(times[:, 0] / times[:, 1])


def timed_fit(steps: int) -> tuple[float, float]:
    """Returns wall seconds and CPU seconds of a fit in a process of its own."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_fit_and_send, args=(sender, steps))
    process.start()
    seconds = receiver.recv()
    process.join()
    return seconds


def _fit_and_send(sender, steps: int) -> None:
    fit(1)
    wall, cpu = time.perf_counter(), time.process_time()
    fit(steps)
    sender.send((time.perf_counter() - wall, time.process_time() - cpu))


@contextmanager
def other_processes(count: int) -> Iterator[None]:
    """Lets other processes work and rest on the same cores."""
    context = multiprocessing.get_context("fork")
    busy = [context.Process(target=_work_and_rest, args=(number,), daemon=True) for number in range(count)]
    for process in busy:
        process.start()
    try:
        yield
    finally:
        for process in busy:
            process.terminate()
            process.join()


def _work_and_rest(number: int) -> None:
    rng = np.random.default_rng([number, os.getpid()])
    while True:
        until = time.perf_counter() + rng.exponential(1.0)
        while time.perf_counter() < until:
            fit(1)
        time.sleep(rng.exponential(0.5))


if __name__ == "__main__":
    main()
