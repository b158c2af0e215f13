"""CPU seconds until the program answers, and until a trial can begin.

    python benchmarks/start_times.py --rounds 9

Each round runs every command once, in a process of its own, so that a slow phase of the machine is in all of them.
Shown are the median over the rounds, the ratio to ``import typer, rich`` within a round, and the spread of both. It is
CPU time, not wall time, because that depends less on other programs. The line "trial" is what the process of a trial
imports of the harness before the model, numpy included. The last two lines show what the model ``bpr`` imports, and
what TensorFlow imports without ``models/tensorflow_alone.py``.
"""

import argparse
import resource
import statistics
import subprocess
import sys

BASE = "import typer, rich"
HARNESS = (
    "from recbench.runners.processes import messages; from recbench.registry import hyperparameters, observation; "
    "from recbench.records import store; from recbench.tasks import task_file; "
    "from recbench.trials import machine, trial"
)
COMMANDS = {
    BASE: ["-c", BASE],
    "recbench --help": ["-m", "recbench", "--help"],
    "recbench run --help": ["-m", "recbench", "run", "--help"],
    "recbench task build --help": ["-m", "recbench", "task", "build", "--help"],
    "import numpy": ["-c", "import numpy"],
    "trial": ["-c", HARNESS],
    "import recbench_models.bpr": ["-c", "import recbench, recbench_models.bpr"],
    "import tensorflow": ["-c", "import tensorflow"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = [{name: cpu_seconds(words) for name, words in COMMANDS.items()} for _ in range(parser.parse_args().rounds)]
    print("| command | CPU seconds | spread | ratio | spread |\n|---|---|---|---|---|")  # noqa: T201
    for name in COMMANDS:
        seconds, ratios = [timings[name] for timings in rounds], [timings[name] / timings[BASE] for timings in rounds]
        print(  # noqa: T201
            f"| {name} | {statistics.median(seconds):.3f} | {min(seconds):.3f} to {max(seconds):.3f} "
            f"| {statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |"
        )


def cpu_seconds(words: list[str]) -> float:
    """Returns the CPU seconds of a Python process, children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    main()
