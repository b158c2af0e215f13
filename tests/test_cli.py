"""The program as a user meets it: what goes to which stream, and how it ends."""

import csv
import io
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from recbench.cli.app import COMMANDS, app

OWN_MODELS = '''
import os
import numpy as np


class MostPopular:
    """Ten lines are enough."""

    def fit(self, train, context):
        print("chatter on standard output")
        os.write(2, b"chatter past sys.stderr\\n")
        self.counts = np.bincount(train.items, minlength=train.n_items)

    def score(self, users, items):
        return self.counts[items].astype(np.float32)


class NotANumber(MostPopular):
    def score(self, users, items):
        return np.full(items.shape, np.nan)


class Raises(MostPopular):
    def fit(self, train, context):
        raise MemoryError("no room")


class NoCatalogue(MostPopular):
    def score_all(self, users):
        raise RuntimeError("not today")


class Slow(MostPopular):
    def fit(self, train, context):
        import time

        if context.seed == 1:
            time.sleep(60)
        super().fit(train, context)
'''


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own.py").write_text(OWN_MODELS)
    return "own.py"


def test_help_lists_every_verb_and_examples(recbench):
    done = recbench("--help")
    assert done.returncode == 0
    verbs = ("run", "tune", "sweep", "plot", "compare", "gate", "baseline", "history", "list", "task", "data")
    for verb in (*verbs, "selftest", "doctor"):
        assert verb in done.stdout
    text = recbench("run", "--help").stdout
    assert "recbench run --models bpr,ncf" in text
    assert (
        "Exit codes: 0 all trials done, 2 bad input, 3 a model failed, 4 nothing to collect, 130 interrupted, 143"
        in text
    )


def test_a_list_of_commands_imports_none_and_shows_the_help_of_each():
    # The summaries are written twice: in the verb, and where the verb need not be imported.
    program = typer.main.get_command(app)
    assert program.list_commands(None) == list(COMMANDS)
    for name, command in program.commands.items():
        assert COMMANDS[name].summary == command.help.split("\n\n")[0]
        assert command.name == name
    code = (
        "import sys; from recbench.cli.app import main\n"
        "sys.argv = ['recbench', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([m for m in sys.modules if m.count('.') == 2 and m.startswith('recbench.cli.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == str(["recbench.cli.shared", "recbench.cli.app"])


def test_the_renderer_of_help_gets_what_it_has_not_imported_when_it_needs_it():
    code = (
        "import sys; from recbench.cli.shared.help_renderer import import_renderer; import_renderer()\n"
        "from typer import rich_utils\n"
        "before = [name for name in ('rich.markdown', 'rich.traceback') if name in sys.modules]\n"
        "made = rich_utils.Markdown('text'), rich_utils.Traceback.from_exception(ValueError, ValueError('x'), None)\n"
        "print(before, [type(one).__module__ for one in made])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] ['rich.markdown', 'rich.traceback']\n"


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["task", "list"], ["list", "bpr"]])
def test_looking_around_imports_no_framework(arguments):
    code = (
        "import sys; from recbench.cli.app import main\n"
        f"sys.argv = ['recbench', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('tensorflow', 'keras', 'implicit', 'pandas', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_run_prints_one_table_and_keeps_its_records(recbench, tmp_path):
    done = recbench("run", "--models", "popularity,random", "--task", "synthetic", "--seeds", "2", "--k", "1,10")
    assert done.returncode == 0, done.stderr
    header = done.stdout.splitlines()[3]
    assert re.split(r"\s{2,}", header) == [
        *("model", "HR@1", "95 %", "NDCG@1", "95 %", "HR@10", "95 %", "NDCG@10", "95 %"),
        *("interactions/s", "fit s", "epochs", "status"),
    ]
    assert "[4/4] random, seed 1: HR@1" in done.stderr
    records = sorted((tmp_path / "results" / "runs").glob("*.json"))
    assert len(records) == 4
    assert all(path.with_suffix(".npz").exists() for path in records)
    assert "\x1b" not in done.stdout + done.stderr


def test_json_is_one_document_of_the_documented_form(recbench, tmp_path):
    done = recbench("run", "--models", "popularity", "--task", "synthetic", "--seeds", "2", "--seed", "7", "--json")
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert {"name", "digest", "n_users", "n_items", "n_train", "n_cases", "n_negatives"} <= set(document["task"])
    (result,) = document["results"]
    assert (result["model"], result["status"], result["seeds"], result["epochs"]) == ("popularity", "done", [7, 8], 1)
    assert set(result["metrics"]) == {"hr@10", "ndcg@10", "mrr", "auc"}
    standing = {"interval", "best", "level_with_best", "below_popularity"}
    assert set(result["metrics"]["hr@10"]) == {"mean", "sd", "values", *standing}
    # A perfect model has too little of NDCG@10.
    bias = {name: measure["bias"] for name, measure in document["correction"]["measures"].items()}
    assert set(result["corrected"]) == {"hr@10"}
    assert bias["ndcg@10"] < -0.1 < bias["hr@10"]
    (record, _) = (json.loads((tmp_path / place).read_text()) for place in result["records"])
    assert (record["uniform_negatives"], record["correction_bias"]) == ("yes", pytest.approx(bias))
    assert record["corrected"]["hr@10"] == result["corrected"]["hr@10"]["values"][0]
    assert result["full"] == {}
    assert document["pairs"] == []
    assert result["interactions_per_second"]["mean"] > 0
    assert len(result["records"]) == 2
    shown = json.loads(recbench("task", "show", "synthetic", "--json").stdout)
    assert shown["task"] == document["task"]


def test_the_whole_catalogue_stands_beside_the_sample(recbench):
    base = ("run", "--models", "popularity,random", "--task", "synthetic", "--seeds", "2")
    document = json.loads(recbench(*base, "--full", "--json").stdout)
    for result in document["results"]:
        assert set(result["full"]) == {
            "hr@10",
            "ndcg@10",
            "mrr",
            "auc",
            "coverage",
            "gini",
            "exposure_gini",
            "popularity",
        }
        assert result["full"]["hr@10"]["mean"] < result["metrics"]["hr@10"]["mean"]
    assert [pair["metric"] for pair in document["pairs"]] == ["hr@10", "ndcg@10", "full-hr@10", "full-ndcg@10"]
    assert document["pairs"][0]["p_mcnemar"] is not None
    text = recbench(*base, "--more-metrics", "--pairs").stdout
    for words in (
        "full HR@10",
        "corrected NDCG@10 is missing",
        "coverage",
        "item's train",
        "popularity - random",
        "detectable",
    ):
        assert words in text


def test_a_catalogue_that_cannot_be_scored_is_told_by_the_exit_code_too(recbench, own):
    base = ("run", "--models", f"{own}:NoCatalogue", "--task", "synthetic", "--seeds", "1")
    done = recbench(*base, "--full", "--json")
    assert done.returncode == 3
    (result,) = json.loads(done.stdout)["results"]
    assert (result["status"], result["full"]) == ("done", {})
    assert "Log of NoCatalogue, seed 0: " in done.stderr
    # What has been asked for now is there.
    kept = recbench(*base)
    assert kept.returncode == 0, kept.stderr
    assert "1 of 1 trials are kept" in kept.stderr


def test_formats(recbench):
    base = ("run", "--models", "popularity", "--task", "synthetic", "--seeds", "1")
    assert "|:-----" in recbench(*base, "--format", "markdown").stdout
    assert recbench(*base, "--format", "csv").stdout.startswith("model,hr@10,")


def test_a_csv_has_every_metric_of_the_document(recbench):
    base = ("run", "--models", "popularity", "--task", "synthetic", "--seeds", "1", "--more-metrics")
    (result,) = json.loads(recbench(*base, "--json").stdout)["results"]
    done = recbench(*base, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    figures = {
        **{name: value["mean"] for name, value in result["metrics"].items()},
        **{f"full_{name}": value["mean"] for name, value in result["full"].items()},
        **{f"corrected_{name}": value["mean"] for name, value in result["corrected"].items()},
        **{
            f"hr_{name}_{number}": cohort["hr"]["mean"]
            for name, cohorts in result["cohorts"].items()
            for number, cohort in enumerate(cohorts, 1)
        },
        **{name: result[name]["mean"] for name in ("interactions_per_second", "fit_seconds", "fit_cpu_seconds")},
    }
    assert {name: float(row[name]) for name in figures} == figures
    assert len(figures) == 2 + 2 + 8 + 1 + 6 + 3
    assert recbench(*base, "--pairs", "--format", "csv").returncode == 2


def test_a_dry_run_trains_nothing(recbench, tmp_path):
    done = recbench("run", "--models", "popularity", "--task", "synthetic", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.count("popularity") == 3
    planned = json.loads(recbench("run", "--models", "popularity", "--task", "synthetic", "--dry-run", "--json").stdout)
    assert [trial["seed"] for trial in planned["plan"]] == [0, 1, 2]
    assert not (tmp_path / "results").exists()


def test_a_model_of_ones_own_and_its_chatter(recbench, own, tmp_path):
    done = recbench("run", "--models", f"popularity,{own}:MostPopular", "--task", "synthetic", "--json")
    assert done.returncode == 0, done.stderr
    popularity, most_popular = json.loads(done.stdout)["results"]
    assert popularity["metrics"] == most_popular["metrics"]
    assert "chatter" not in done.stderr
    logs = [path.read_text() for path in (tmp_path / "results" / "runs" / "logs").glob("*MostPopular*.log")]
    assert logs == ["chatter on standard output\nchatter past sys.stderr\n"] * 3


def test_a_model_that_fails_does_not_stop_the_others(recbench, own, tmp_path):
    models = f"{own}:NotANumber,{own}:Raises,popularity"
    done = recbench("run", "--models", models, "--task", "synthetic", "--seeds", "1")
    assert done.returncode == 3
    assert re.search(r"NotANumber .*failed", done.stdout)
    assert re.search(r"popularity .*done", done.stdout)
    assert "NotANumber, seed 0: score() returned nan for case 0 (user index 0, item index" in done.stdout
    assert "Raises, seed 0: MemoryError: no room" in done.stdout
    assert "Traceback (most recent" not in done.stderr
    logs = re.findall(r"Log of (\w+), seed 0: (\S+)", done.stderr)
    assert [name for name, _ in logs] == ["NotANumber", "Raises"]
    assert all("Traceback" in (tmp_path / path).read_text() for _, path in logs)


def test_an_interrupted_run_says_what_is_kept(own, tmp_path):
    command = [sys.executable, "-m", "recbench", "run", "--models", f"{own}:Slow", "--task", "synthetic"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs, and so a test run among them, ignore interruptions.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    folder = tmp_path / "results" / "runs"
    deadline = time.monotonic() + 60
    while not list(folder.glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "1 of 3 trials are kept" in messages
    assert "Traceback" not in messages
    assert len(list(folder.glob("*.json"))) == 1


BAD = {
    "more tables than CSV holds": (
        ["--models", "popularity", "--pairs", "--format", "csv"],
        "and --pairs adds another",
    ),
    "no such model": (["--models", "bprr"], "Unknown model 'bprr'. Did you mean: bpr"),
    "no such task": (["--models", "popularity", "--task", "synthetik"], "Did you mean: synthetic"),
    "no such spec": (["--models", "popularity", "--task", "x/y.toml"], "Cannot read the task spec"),
    "no model at all": (["--models", ","], "has no item"),
    "no such parameter": (
        ["--models", "implicit-bpr", "--task", "synthetic", "--param", "implicit-bpr.factor=3"],
        "Did you mean: factors",
    ),
    "a value out of range": (
        ["--models", "implicit-bpr", "--task", "synthetic", "--param", "implicit-bpr.factors=0"],
        "factors must be above 0, not 0",
    ),
    "a model that takes no part": (
        ["--models", "popularity", "--task", "synthetic", "--param", "bpr.factors=3"],
        "Unknown model in --param 'bpr'",
    ),
    "cut-offs that are not numbers": (["--models", "popularity", "--k", "ten"], "not a list of whole numbers"),
    "a cut-off beyond the candidates": (
        ["--models", "popularity", "--task", "synthetic", "--k", "102"],
        "more than the 101 candidates",
    ),
    "more threads than cores": (["--models", "popularity", "--threads", "4096"], "timings would be meaningless"),
    "epochs of a curve": (["--models", "popularity", "--curve", "often"], "--curve 'often' is not all, every:N"),
    "a target without a curve": (["--models", "popularity", "--reach", "0.4"], "--reach needs a learning curve"),
    "an unknown device": (["--models", "popularity", "--device", "tpu"], "Available: auto, cpu, gpu"),
    "an unknown option": (["--modles", "bpr"], "No such option of recbench run: --modles. Did you mean: --models?"),
    "no seeds": (["--models", "popularity", "--seeds", "0"], "--seeds '0' is not a whole number from 1 up"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_input_ends_with_2_and_writes_nothing(recbench, tmp_path, arguments, message):
    done = recbench("run", *arguments)
    assert done.returncode == 2
    assert message in re.sub(r"\s+", " ", done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_an_output_folder_that_cannot_be_written(recbench, tmp_path):
    (tmp_path / "taken").write_text("")
    done = recbench("run", "--models", "popularity", "--task", "synthetic", "-o", "taken/runs")
    assert done.returncode == 2
    assert "taken is a file, and a folder is expected" in done.stderr


def test_a_cache_that_cannot_be_written(recbench, tmp_path):
    (tmp_path / "taken").write_text("")
    done = recbench("task", "build", "synthetic", RECBENCH_HOME=str(tmp_path / "taken" / "home"))
    assert done.returncode == 2
    assert "taken is a file, and a folder is expected" in done.stderr
    assert "RECBENCH_HOME" in done.stderr


def test_odd_streams_and_folders(recbench, tmp_path):
    base = ("run", "--models", "popularity", "--task", "synthetic", "--seeds", "2")
    done = recbench(*base, "-o", "[/b]x", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "popularity" in done.stdout
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "logs").write_text("")
    done = recbench(*base, "-o", "odd")
    assert done.returncode == 2
    assert "Cannot write the log odd/logs/synthetic--popularity" in done.stderr


def test_no_network_and_no_mirror(recbench):
    done = recbench("run", "--models", "popularity", PIP_NO_INDEX="1", HTTPS_PROXY="http://127.0.0.1:9")
    assert done.returncode == 2
    assert "files.grouplens.org" in done.stderr
    assert "--task synthetic" in done.stderr
    assert "recbench data add ml-100k FILE" in done.stderr


def test_the_seed_task_end_to_end(recbench, fetched_home):
    done = recbench("run", "--models", "popularity", "--seeds", "1", "--json", RECBENCH_HOME=str(fetched_home))
    document = json.loads(done.stdout)
    assert document["task"]["name"] == "ml-100k"
    assert document["results"][0]["metrics"]["hr@10"]["mean"] == pytest.approx(0.206, abs=0.01)
    assert document["results"][0]["metrics"]["ndcg@10"]["mean"] == pytest.approx(0.106, abs=0.01)


def test_a_learning_curve(recbench):
    done = recbench("run", "--models", "als,popularity", "--task", "synthetic", "--seeds", "1", "--curve", "every:10",
                    "--reach", "0.3")  # fmt: skip
    assert done.returncode == 0, done.stderr
    header, _, als, popularity = done.stdout.splitlines()[3:7]
    assert "s to 99 % of HR    s to HR@10 0.3  status" in header
    assert re.search(r" 15 +\d+\.\d\d +\d+\.\d\d  done", als)
    assert popularity.endswith("never  done")


def test_a_gpu_that_is_not_there(recbench):
    done = recbench("run", "--models", "bpr", "--task", "synthetic", "--seeds", "1", "--device", "gpu",
                    CUDA_VISIBLE_DEVICES="-1")  # fmt: skip
    assert done.returncode == 3
    assert "a GPU is asked for, but TensorFlow finds none" in done.stdout


def test_all_models_end_to_end(recbench, tmp_path):
    """Every builtin model on a small task; the learners beat popularity, which beats chance."""
    models = ("bpr", "ncf", "implicit-bpr", "popularity", "random")
    done = recbench("run", "--models", ",".join(models), "--task", "synthetic", "--seeds", "1", "--json")
    assert done.returncode == 0, done.stderr
    hit_rates = {r["model"]: r["metrics"]["hr@10"]["mean"] for r in json.loads(done.stdout)["results"]}
    assert set(hit_rates) == set(models)
    assert hit_rates["random"] < 0.15 < hit_rates["popularity"]
    assert min(hit_rates[name] for name in ("bpr", "ncf", "implicit-bpr")) > hit_rates["popularity"]
    assert "tensorflow" not in done.stderr.lower().replace("importing", "")
    assert Path(tmp_path / "results" / "runs").exists()
