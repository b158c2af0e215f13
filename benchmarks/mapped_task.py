"""Seconds and memory until a trial has its train rows, from a task file.

    python benchmarks/task_scale.py --rows 25           # says how large such tasks are, and how long they take to build
    python benchmarks/mapped_task.py FILE.task --rounds 3

Each round is a process of its own. ``own memory`` is what the process holds beside the file (RssAnon): the system
cannot give it to others. Pages of the file (RssFile) are shared by all processes that map it, and the system
can drop them. Linux only.
"""

import argparse
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

KINDS = {"RssAnon": "own memory", "RssFile": "of the file", "VmHWM": "peak"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a task file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(measure(arguments.file))  # noqa: T201
        return
    columns = ["load s", "train set s", "popularity fit s", *(f"{name}, MiB" for name in KINDS.values())]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)  # noqa: T201
    for _ in range(arguments.rounds):
        subprocess.run([sys.executable, __file__, str(arguments.file), "--worker"], check=True)


def measure(file: Path) -> str:
    """Returns a row of the table."""
    from recbench.tasks import task_file
    from recbench_models.popularity import Popularity

    times = [time.perf_counter()]
    task = task_file.load(file)
    times.append(time.perf_counter())
    train = task.train_set()
    times.append(time.perf_counter())
    context = SimpleNamespace(seed=0, threads=1, device="cpu", end_epoch=lambda: True, report=lambda: None)
    Popularity().fit(train, context)
    times.append(time.perf_counter())
    seconds = [f"{end - begin:.3f}" for begin, end in pairwise(times)]
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return f"| {' | '.join([*seconds, *(f'{int(status[kind].split()[0]) // 1024:,}' for kind in KINDS)])} |"


if __name__ == "__main__":
    main()
