"""``recbench selftest`` as a user meets it."""

import json
import re

import pytest

from recbench.registry.requested import request_models
from recbench.selftest.check import Check
from recbench.selftest.model_process import ENDS, ModelProcess
from recbench.tasks import task_file

OWN_MODELS = '''
import contextlib
import os
import time

import numpy as np


class Good:
    """Scores by popularity."""

    def __init__(self, power: float = 1.0):
        self.power = power

    def fit(self, train, context):
        print("chatter of the model")
        self.counts = np.bincount(train.items, minlength=train.n_items).astype(np.float64) ** self.power

    def score(self, users, items):
        print("more chatter")
        return self.counts[items]


class Leaks(Good):
    def score(self, users, items):
        scores = super().score(users, items)
        return scores / scores.sum(axis=1, keepdims=True)


class Exits(Good):
    def fit(self, train, context):
        os._exit(0)


class ExitsInScore(Good):
    def score(self, users, items):
        os._exit(0)


class Killed(Good):
    def fit(self, train, context):
        os.kill(os.getpid(), 9)


class Hangs(Good):
    def fit(self, train, context):
        time.sleep(60)


class Writes(Good):
    def fit(self, train, context):
        super().fit(train, context)
        for descriptor in range(3, 30):
            with contextlib.suppress(OSError):
                os.write(descriptor, b"{}\\n")


class Forks(Good):
    def fit(self, train, context):
        super().fit(train, context)
        os.fork()


class NeedsAValue(Good):
    def __init__(self, power: float):
        self.power = power
'''


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own.py").write_text(OWN_MODELS)
    return "own.py"


def test_the_harness_alone(recbench):
    done = recbench("selftest", "--task", "synthetic")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"Harness, on task synthetic sha256:[0-9a-f]{12}", lines[0])
    assert "[ok]   a constant scorer gets k / (n + 1) — HR@10 0.099010, exact for each of 600 cases" in lines
    assert re.search(r"over 4,800 independent draws; exact interval, missed with probability 1e-06: 0\.", done.stdout)
    assert lines[-1] == "15 ok, 0 failed, 0 skipped"
    assert "Known answers on synthetic" in done.stderr


def test_a_model_that_keeps_its_contract(recbench, own):
    done = recbench("selftest", "--task", "synthetic", "--models", f"{own}:Good", "--param", "Good.power=0.5")
    assert done.returncode == 0, done.stdout
    assert "Model Good" in done.stdout.splitlines()
    assert "[skip] warming up changes nothing — the model has no warm_up()" in done.stdout
    assert done.stdout.splitlines()[-1] == "30 ok, 0 failed, 5 skipped"
    assert "Good: the same fit again ..." in done.stderr
    assert "chatter" not in done.stdout + done.stderr


def test_a_model_that_leaks_is_named_and_ends_with_1(recbench, own):
    done = recbench("selftest", "--task", "synthetic", "--models", "popularity", "--models", f"{own}:Leaks", "--json")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert set(document) == {"schema", "task", "threads", "summary", "checks"}
    assert (document["schema"], document["task"]["name"], document["threads"]) == (1, "synthetic", 1)
    assert [check["model"] for check in document["checks"]] == [None] * 15 + ["popularity"] * 20 + ["Leaks"] * 20
    (failed,) = (check for check in document["checks"] if check["state"] == "failed")
    assert (failed["model"], failed["name"]) == ("Leaks", "scores do not depend on the other candidates in the call")
    assert re.search(r"user index \d+, item index \d+ has the score .* when it is the only candidate", failed["detail"])
    summary = document["summary"]
    assert (summary["failed"], summary["passed"]) == (1, False)
    assert summary["ok"] + summary["skipped"] + 1 == len(document["checks"])
    text = recbench("selftest", "--task", "synthetic", "--models", f"{own}:Leaks")
    assert text.returncode == 1
    assert "[FAIL] scores do not depend on the other candidates in the call — user index" in text.stdout


def test_a_model_whose_process_does_not_come_to_the_end_has_failed(recbench, own):
    """Whatever happens to one model, the others are checked."""
    how = {
        "Exits": "its process ended with exit code 0 in step 'fit', before the checks were over",
        "ExitsInScore": "its process ended with exit code 0 in step 'fit', before the checks were over",
        "Killed": "its process ended with SIGKILL in step 'fit', before the checks were over",
        "Writes": "what its process sent in step 'fit' cannot be read",
    }
    models = ",".join(f"{own}:{name}" for name in (*how, "Forks"))
    done = recbench("selftest", "--task", "synthetic", "--models", models, "--json")
    assert done.returncode == 1, done.stderr
    checks = json.loads(done.stdout)["checks"]
    failed = {check["model"]: check["detail"] for check in checks if check["state"] == "failed"}
    assert failed == how
    assert {check["name"] for check in checks if check["state"] == "failed"} == {ENDS}
    assert len([check for check in checks if check["model"] == "Forks"]) == 20


def test_a_model_that_hangs_is_ended(recbench, own, tmp_path, synthetic_task):
    task_file.save(synthetic_task, tmp_path / "s.task")
    process = ModelProcess(*request_models([f"{tmp_path / own}:Hangs"]), threads=1, seconds=60.0)
    try:
        process.await_import()
        process.seconds = 0.3
        *_, last = process.checks(synthetic_task, tmp_path / "s.task", lambda name: None)
    finally:
        process.end()
    assert last == Check(ENDS, False, "step 'fit' took longer than 0.3 s (--timeout)")
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(60)\n")
    done = recbench("selftest", "--task", "synthetic", "--models", "slow.py:Model", "--timeout", "0.1")
    assert done.returncode == 2
    assert "Model 'Model' cannot be checked: step 'import' took longer than 0.1 s (--timeout)." in done.stderr


def test_a_parameter_without_default_fails_its_check_only_if_it_has_a_value(recbench, own):
    done = recbench("selftest", "--task", "synthetic", "--models", f"{own}:NeedsAValue")
    assert done.returncode == 1
    assert "[FAIL] every hyper-parameter has a default — no default: power" in done.stdout
    assert done.stdout.splitlines()[-1] == "15 ok, 1 failed, 19 skipped"
    given = recbench(
        "selftest", "--task", "synthetic", "--models", f"{own}:NeedsAValue", "--param", "NeedsAValue.power=1"
    )
    assert re.search(r"^\d+ ok, 1 failed, 5 skipped$", given.stdout, re.MULTILINE)


BAD = {
    "no such task": (["--task", "synthetik"], "Did you mean: synthetic"),
    "no such model": (["--task", "synthetic", "--models", "populariti"], "Did you mean: popularity"),
    "no such file": (["--task", "synthetic", "--models", "none.py:Model"], "there is no file none.py"),
    "no such parameter": (
        ["--task", "synthetic", "--models", "own.py:Good", "--param", "Good.powr=2"],
        "Did you mean: power",
    ),
    "a parameter of a model that takes no part": (
        ["--task", "synthetic", "--param", "bpr.factors=2"],
        "Unknown model in --param 'bpr'",
    ),
    "a value that does not fit": (
        ["--task", "synthetic", "--models", "own.py:Good", "--param", "Good.power=high"],
        "Good.power=high: Input should be",
    ),
    "more threads than cores": (["--threads", "4096"], "may use"),
    "an unknown option": (["--modells", "bpr"], "Did you mean: --models?"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_input_ends_with_2_and_checks_nothing(recbench, own, arguments, message):
    done = recbench("selftest", *arguments)
    assert done.returncode == 2
    assert message in re.sub(r"\s+", " ", done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_help_says_how_it_ends(recbench):
    text = recbench("selftest", "--help").stdout
    assert "recbench selftest --task ml-100k-loo --models bpr --param bpr.epochs=2" in text
    assert "Exit codes: 0 nothing failed, 1 a check failed, 2 bad input, 130 interrupted." in text


def test_a_builtin_model_with_a_framework(recbench):
    done = recbench("selftest", "--task", "synthetic", "--models", "implicit-bpr", "--param", "implicit-bpr.epochs=2")
    assert done.returncode == 0, done.stdout
    assert "[ok]   it stops when end_epoch() says so — after 1 of 2 epochs" in done.stdout
