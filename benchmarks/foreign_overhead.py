"""What it costs to train a framework's model through recbench, not in a script of the framework's own.

    recbench env create cornac                    # each framework that should take part; implicit, irspack
    python -m benchmarks.foreign_overhead --task ml-100k

In a round these take turns, one thread each: a script that uses the framework alone, in the same environment and with
the same hyper-parameters; ``recbench run`` of the same model; and ``recbench run`` of ``popularity``, which shows what
recbench itself needs to start, to read the task and to print the table. The script trains on the same rows, scores the
same candidates and counts HR@10. Its clocks of the training are around the framework's ``fit`` alone; CPU time depends
less on other programs than time does.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np


def cornac(data: dict[str, Any]) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """``cornac.models.BPR`` as its documentation uses it."""
    from cornac.data import Dataset
    from cornac.models import BPR

    ones = np.ones(len(data["users"]))
    numbers = [{number: number for number in range(int(data[kind]))} for kind in ("n_users", "n_items")]
    rows = Dataset(len(numbers[0]), len(numbers[1]), *numbers, (data["users"], data["items"], ones), seed=0)
    model = BPR(**data["parameters"], seed=0, num_threads=1)
    return lambda: model.fit(rows), lambda user: model.score(user)


def implicit(data: dict[str, Any]) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """``implicit.als.AlternatingLeastSquares``."""
    from implicit.cpu.als import AlternatingLeastSquares

    rows = _matrix(data, np.float32)
    model = AlternatingLeastSquares(**data["parameters"], num_threads=1, random_state=0)
    return lambda: model.fit(rows, show_progress=False), lambda user: model.user_factors[user] @ model.item_factors.T


def irspack(data: dict[str, Any]) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """``irspack.recommenders.IALSRecommender``."""
    from irspack.recommenders import IALSRecommender

    model = IALSRecommender(_matrix(data, np.float64), **data["parameters"], n_threads=1, random_seed=0)
    return model.learn, lambda user: model.get_score(np.array([user]))[0]


def _matrix(data: dict[str, Any], dtype: Any) -> Any:
    from scipy.sparse import csr_matrix

    ones = np.ones(len(data["users"]), dtype=dtype)
    return csr_matrix((ones, (data["users"], data["items"])), shape=(int(data["n_users"]), int(data["n_items"])))


SCRIPTS: Final[dict[str, tuple[Callable[[dict[str, Any]], Any], dict[str, Any]]]] = {
    "cornac:BPR": (cornac, {"k": 64, "max_iter": 20, "learning_rate": 0.05, "lambda_reg": 0.01}),
    "implicit:AlternatingLeastSquares": (implicit, {"factors": 64, "iterations": 15}),
    "irspack:IALSRecommender": (irspack, {"n_components": 64, "train_epochs": 16, "alpha0": 0.5, "reg": 0.005}),
}


def run_script(model: str, folder: Path) -> None:
    """Trains and scores as a script of the framework would, and writes its figures."""
    with np.load(folder / "data.npz", allow_pickle=False) as arrays:
        data: dict[str, Any] = dict(arrays) | {"parameters": SCRIPTS[model][1]}
    fit, score = SCRIPTS[model][0](data)
    began, cpu_began = time.perf_counter(), time.process_time()
    fit()
    figures = {"fit": time.perf_counter() - began, "cpu": time.process_time() - cpu_began}
    ranks = np.empty(len(data["case_users"]), dtype=np.int64)
    candidates = np.column_stack([data["positives"], data["negatives"]])
    for case, user in enumerate(data["case_users"].tolist()):
        scores = np.asarray(score(user))[candidates[case][candidates[case] >= 0]]
        ranks[case] = 1 + (scores[1:] > scores[0]).sum()
    figures["hr"] = float((ranks <= 10).mean())
    (folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")


def main() -> None:
    """Runs all models in turns, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="ml-100k")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--script", nargs=2, metavar=("MODEL", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.script:
        run_script(options.script[0], Path(options.script[1]))
        return
    from recbench.foreign.environments import environment_python

    interpreters = {model: environment_python(model.partition(":")[0]) for model in SCRIPTS}
    models = [model for model, python in interpreters.items() if python is not None]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(options.task, folder / "data.npz")
        rounds = []
        for number in range(options.rounds):
            base, _ = seconds_of(recbench_run("popularity", options.task, folder / f"popularity-{number}"))
            for model in models:
                print(f"round {number + 1} of {options.rounds}: {model}", file=sys.stderr)  # noqa: T201
                script, _ = seconds_of([str(interpreters[model]), __file__, "--script", model, name])
                own = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
                output = folder / f"{model.partition(':')[0]}-{number}"
                run, printed = seconds_of(recbench_run(model, options.task, output))
                result = json.loads(printed)["results"][0]
                speeds = [own["fit"] / result["fit_seconds"]["mean"], own["cpu"] / result["fit_cpu_seconds"]["mean"]]
                hr = result["metrics"]["hr@10"]["mean"]
                rounds.append((model, script, run, run - base, *speeds, own["hr"], hr))
    print(table(rounds))  # noqa: T201


def write_data(task_name: str, file: Path) -> None:
    """Writes the train rows and the candidates of a task."""
    from recbench.tasks.lookup import load_task

    task = load_task(task_name)
    np.savez(
        file,
        n_users=task.n_users,
        n_items=task.n_items,
        users=task.users,
        items=task.items,
        case_users=task.test.users,
        positives=task.test.items,
        negatives=task.test.negatives,
    )


def recbench_run(model: str, task: str, output: Path) -> list[str]:
    """Returns the command that trains a model once with recbench."""
    command = [sys.executable, "-m", "recbench", "run", "--models", model, "--task", task, "--seeds", "1", "--json"]
    parameters = SCRIPTS[model][1] if model in SCRIPTS else {}
    return [*command, *(f"--param={name}={value}" for name, value in parameters.items()), "--output", str(output)]


def seconds_of(command: list[str]) -> tuple[float, str]:
    """Runs a command; returns its seconds and what it printed."""
    from recbench.trials.machine import library_settings

    began = time.perf_counter()
    environment = {**os.environ, **library_settings(1)}
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return time.perf_counter() - began, ended.stdout


def table(rounds: list[tuple[Any, ...]]) -> str:
    """Returns the table, in Markdown, with medians over the rounds and their spread."""
    headers = ["model", "script s", "recbench run s", "run - script", "run - script - run of popularity"]
    headers += ["throughput, run / script", "the same by CPU time", "HR@10 of script, run"]
    lines = [f"| {' | '.join(headers)} |", "|---" * len(headers) + "|"]
    for model in dict.fromkeys(row[0] for row in rounds):
        _, script, run, trial, speed, cpu_speed, own_hr, hr = zip(
            *(row for row in rounds if row[0] == model), strict=True
        )
        more = [whole - own for whole, own in zip(run, script, strict=True)]
        trial_more = [part - own for part, own in zip(trial, script, strict=True)]
        cells = [
            model,
            f"{statistics.median(script):.2f}",
            f"{statistics.median(run):.2f}",
            spread(more),
            spread(trial_more),
            spread(speed, 3),
            spread(cpu_speed, 3),
            f"{statistics.median(own_hr):.4f}, {statistics.median(hr):.4f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(values: Any, digits: int = 2) -> str:
    """Returns the median, and the lowest and the highest value."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


if __name__ == "__main__":
    main()
