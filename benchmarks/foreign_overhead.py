"""What it costs to train a framework's model through recbench, not in a script of the framework's own.

    recbench env create cornac                    # each framework that should take part; implicit, irspack
    python -m benchmarks.foreign_overhead --task ml-100k

The whole program: in a round these take turns, one thread each: a script that uses the framework alone, in the same
environment and with the same hyper-parameters; ``recbench run`` of the same model; and ``recbench run`` of
``popularity``, which shows what recbench itself needs to start, to read the task and to print the table. The script
trains on the same rows, scores the same candidates and counts HR@10.

The training: in each round, the script and recbench each have a new process of the environment, and train new models in
turns, many times. The script's clock is around the framework's ``fit`` alone; recbench's is that of its records. The
ratio of a round is the median over its pairs of fits: two processes that run the same code differ in speed for all of
their life, so more pairs are no substitute for more rounds.
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


def train_on_request(model: str, folder: Path) -> None:
    """Trains a new model for each line of the standard input, and prints the seconds."""
    data = read_data(model, folder)
    with os.fdopen(os.dup(1), "w") as answers, Path(os.devnull).open("w", encoding="utf-8") as nothing:
        # Frameworks print.
        os.dup2(nothing.fileno(), 1)
        for _ in sys.stdin:
            fit, _ = SCRIPTS[model][0](data)
            began = time.perf_counter()
            fit()
            print(time.perf_counter() - began, file=answers, flush=True)


def run_script(model: str, folder: Path) -> None:
    """Trains and scores as a script of the framework would, and writes its HR@10."""
    data = read_data(model, folder)
    fit, score = SCRIPTS[model][0](data)
    fit()
    ranks = np.empty(len(data["case_users"]), dtype=np.int64)
    candidates = np.column_stack([data["positives"], data["negatives"]])
    for case, user in enumerate(data["case_users"].tolist()):
        scores = np.asarray(score(user))[candidates[case][candidates[case] >= 0]]
        ranks[case] = 1 + (scores[1:] > scores[0]).sum()
    (folder / "hr.json").write_text(json.dumps(float((ranks <= 10).mean())), encoding="utf-8")


def read_data(model: str, folder: Path) -> dict[str, Any]:
    """Returns the train rows, the candidates and the model's hyper-parameters."""
    with np.load(folder / "data.npz", allow_pickle=False) as arrays:
        return dict(arrays) | {"parameters": SCRIPTS[model][1]}


def main() -> None:
    """Runs all models in turns, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="ml-100k")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fits", type=int, default=20, help="pairs of fits in a round")
    parser.add_argument("--script", nargs=2, metavar=("MODEL", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--train", nargs=2, metavar=("MODEL", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.script or options.train:
        model, folder_name = options.script or options.train
        (run_script if options.script else train_on_request)(model, Path(folder_name))
        return
    from recbench.foreign.environments import environment_python
    from recbench.trials.machine import library_settings

    os.environ.update(library_settings(1))
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
                own_hr = json.loads((folder / "hr.json").read_text(encoding="utf-8"))
                output = folder / f"{model.partition(':')[0]}-{number}"
                run, printed = seconds_of(recbench_run(model, options.task, output))
                result = json.loads(printed)["results"][0]
                ratio = throughput_ratio(model, str(interpreters[model]), options.task, folder, options.fits)
                hr = result["metrics"]["hr@10"]["mean"]
                rounds.append((model, script, run, run - base, ratio, own_hr, hr))
    print(table(rounds))  # noqa: T201


def throughput_ratio(model: str, interpreter: str, task_name: str, folder: Path, fits: int) -> float:
    """Returns the throughput of recbench divided by that of the script: the median over pairs of fits."""
    from recbench.registry.hyperparameters import import_and_configure
    from recbench.registry.observation import Observation
    from recbench.registry.requested import request_models
    from recbench.tasks.lookup import load_task
    from recbench.trials.clock import TimedContext

    train = load_task(task_name).train_set()
    model_class = import_and_configure(request_models([model])[0], Observation()).model_class

    def through_recbench() -> float:
        trained, context = model_class(**SCRIPTS[model][1]), TimedContext(0, 1)
        trained.warm_up(train, context)
        trained.on_the_way = context.set_back
        context.start()
        trained.fit(train, context)
        context.finish()
        return context.seconds

    command = [interpreter, __file__, "--train", model, str(folder)]
    ratios = np.empty(fits)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as script:
        assert script.stdin is not None
        assert script.stdout is not None

        def alone() -> float:
            print("train", file=script.stdin, flush=True)
            return float(script.stdout.readline())

        # What the first fit of a process loads is not of interest.
        alone(), through_recbench()
        for number in range(fits):
            # Each is the first one of a pair as often as the other.
            order = [alone, through_recbench] if number % 2 else [through_recbench, alone]
            seconds = {fit: fit() for fit in order}
            ratios[number] = seconds[alone] / seconds[through_recbench]
        script.stdin.close()
    return float(np.median(ratios))


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
    began = time.perf_counter()
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return time.perf_counter() - began, ended.stdout


def table(rounds: list[tuple[Any, ...]]) -> str:
    """Returns the table, in Markdown, with medians over the rounds and their spread."""
    headers = ["model", "script s", "recbench run s", "run - script", "run - script - run of popularity"]
    headers += ["throughput, recbench / script", "95 % of its mean", "HR@10 of script, run"]
    lines = [f"| {' | '.join(headers)} |", "|---" * len(headers) + "|"]
    for model in dict.fromkeys(row[0] for row in rounds):
        _, script, run, trial, ratio, own_hr, hr = zip(*(row for row in rounds if row[0] == model), strict=True)
        more = [whole - own for whole, own in zip(run, script, strict=True)]
        trial_more = [part - own for part, own in zip(trial, script, strict=True)]
        cells = [
            model,
            f"{statistics.median(script):.2f}",
            f"{statistics.median(run):.2f}",
            spread(more),
            spread(trial_more),
            spread(ratio, 3),
            "{:.3f} to {:.3f}".format(*interval_of_mean(ratio)),
            f"{statistics.median(own_hr):.4f}, {statistics.median(hr):.4f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def interval_of_mean(values: Any) -> tuple[float, float]:
    """Returns the 95 % confidence interval of the mean, by Student's t."""
    from scipy.stats import t

    interval = t.interval(0.95, len(values) - 1, np.mean(values), np.std(values, ddof=1) / len(values) ** 0.5)
    return float(interval[0]), float(interval[1])


def spread(values: Any, digits: int = 2) -> str:
    """Returns the median, and the lowest and the highest value."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


if __name__ == "__main__":
    main()
