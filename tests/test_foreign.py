"""Models in another interpreter: the same ranks, the same record, and errors for all that can go wrong there."""

import json
import os
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.foreign import connection, host, proxy
from recbench.foreign.connection import Connection
from recbench.foreign.interpreter import find_interpreter
from recbench.records.ranks_file import ranks_to_bytes
from recbench.records.schema import Record, Status
from recbench.records.sources import CHANGED
from recbench.registry.foreign_names import split_interpreter
from recbench.registry.hyperparameters import import_and_configure
from recbench.registry.models import find_model
from recbench.registry.observation import Observation
from recbench.registry.requested import request_models
from recbench.tasks.task import Task
from recbench.trials.clock import TimedContext
from recbench.trials.conditions import Conditions
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.trial import run_trial
from tests.command_line import CommandLine
from tests.conftest import ROOT

FILE = ROOT / "tests" / "foreign_models.py"


def configured(model):
    (requested,) = request_models([model])
    return import_and_configure(requested, Observation())


def trial(task: Task, configuration, **conditions):
    return run_trial(task, configuration, 1, Conditions(**conditions), lambda event: None)


def test_the_way_of_messages_is_taken_off_the_clock(monkeypatch):
    now, taken = [0.0], []
    monkeypatch.setattr(proxy, "perf_counter", lambda: now[0])
    way = proxy._Way(taken.append)
    for paused, at, seconds, expected in (
        (0, 1.0005, 1.0, 0.0005),
        (5, 7.0015, 2.0, 0.001),
        # Only a part of a long way, and nothing of it later.
        (0, 8.5, 3.0, proxy.MOST_ON_THE_WAY),
        (0, 9.5, 4.0, 0.0),
        # It began while the other process was slow to say when the last pass ended.
        (0, 10.4, 5.0, 0.0),
    ):
        with way.paused():
            now[0] += paused
        now[0] = at
        way.arrived(seconds)
        assert taken.pop() == pytest.approx(expected, abs=1e-12)


def test_a_trial_takes_the_way_of_its_messages_off_its_clock(synthetic_task, monkeypatch):
    taken = []
    monkeypatch.setattr(TimedContext, "set_back", lambda context, seconds: taken.append((context.epochs, seconds)))
    done = trial(synthetic_task, configured(f"{FILE}:Mine@{sys.executable}"))
    # The last one is the answer that the training is over.
    assert [epochs for epochs, _ in taken] == [*range(done.record.epochs), done.record.epochs]
    assert all(0 <= seconds <= proxy.MOST_ON_THE_WAY for _, seconds in taken)
    assert any(seconds > 0 for _, seconds in taken)


@pytest.fixture(scope="module")
def bad():
    configuration = configured(f"{FILE}:Bad@{sys.executable}")
    yield configuration
    configuration.model_class.connection.close()


def test_a_model_gives_the_same_ranks_and_record_in_both_interpreters(synthetic_task):
    for model in (f"{FILE}:Mine", "popularity"):
        here, there = configured(model), configured(f"{model}@{sys.executable}")
        assert (here.parameters, here.code_version) == (there.parameters, there.code_version)
        curve = CurveEpochs(every=1)
        own, foreign = (
            trial(synthetic_task, configuration, catalogue=True, curve=curve) for configuration in (here, there)
        )
        assert foreign.record.error is None
        assert ranks_to_bytes(own.ranks) == ranks_to_bytes(foreign.ranks)
        assert own.record.catalogue.metrics == foreign.record.catalogue.metrics
        same = ("task", "metrics", "epochs", "loss", "facts", "n_train", "protocol_version", "repeatable")
        for name in same:
            assert getattr(own.record, name) == getattr(foreign.record, name), name
        assert [point.metrics for point in own.record.curve] == [point.metrics for point in foreign.record.curve]
        environment = foreign.record.environment
        assert environment.interpreter == sys.executable
        assert environment.python == ".".join(map(str, sys.version_info[:3]))
        assert environment.packages["numpy"] == np.__version__
        assert "interpreter" not in own.record.to_json()
        assert foreign.record.process_peak_rss_bytes > own.record.process_peak_rss_bytes
        there.model_class.connection.close()


def test_a_process_of_its_own_and_the_command_line(capfd, monkeypatch, tmp_path):
    out = tmp_path / "out"
    done = CommandLine(capfd, monkeypatch)(
        "run", "--task", "synthetic", "--models", f"{FILE}:Mine@{sys.executable}", "--seeds", "1", "-o", str(out)
    )
    assert done.code == 0, done.err
    (file,) = out.glob("*.json")
    record = Record.model_validate_json(file.read_bytes())
    assert record.status is Status.DONE
    assert record.reference == f"{FILE}:Mine@{sys.executable}"
    (log,) = (out / "logs").glob("*.log")
    assert "this goes to the log\nand this\n" in log.read_text()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("raise", "KeyError: 'missing'"),
        ("nan", "FloatingPointError: the training loss after epoch 1 is nan"),
        ("objects", "TypeError: score() returned Python objects"),
        ("shape", "score() returned the shape (600, 100) for cases 0 to 599, expected (600, 101)"),
        ("stdin", None),
        ("group", "ExceptionGroup: two of them"),
    ],
)
def test_what_a_model_does_wrong_is_the_error_that_it_is_here(bad, synthetic_task, how, message):
    # One process serves all of them.
    record = trial(synthetic_task, replace(bad, arguments={"how": how})).record
    assert (record.error or "").startswith(message or "")
    assert (record.error is None) == (message is None)


def test_a_file_that_is_changed_after_the_model_read_it_is_recorded_as_changed(synthetic_task, tmp_path, monkeypatch):
    # Files in the system's temporary folder are no input.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "weights.csv").write_text("1")
    os.utime(tmp_path / "weights.csv", (0, 0))
    model = f"{FILE}:Bad@{sys.executable}:how=reads {tmp_path / 'weights.csv'}"
    data = trial(synthetic_task, configured(model)).record.sources.data
    assert [content for path, content in data.items() if path.endswith("weights.csv")] == [CHANGED]


def test_a_model_may_keep_its_context_and_report_while_it_scores(synthetic_task):
    model = f"{FILE}:Bad:how=late"
    foreign = f"{FILE}:Bad@{sys.executable}:how=late"
    records = [trial(synthetic_task, configured(name), catalogue=True).record for name in (model, foreign)]
    assert [record.error for record in records] == [None, None]
    assert [record.facts["said"] for record in records] == ["late", "late"]
    # Epochs outside of training do not count; a model without any has trained for one.
    assert [record.epochs for record in records] == [1, 1]


NOT_RUN = """
import contextlib

import numpy as np


class Future:
    def __await__(self):
        yield


class Generator:
    def fit(self, train, context):
        yield

    def score(self, users, items):
        return np.zeros(items.shape)


class Coroutine(Generator):
    async def fit(self, train, context):
        pass


class WarmUp(Generator):
    async def warm_up(self, train, context):
        yield


class Awaitable(Generator):
    def fit(self, train, context):
        return Future()


class Catches(Generator):
    def fit(self, train, context):
        for loss in (0.5, float("inf"), float("nan")):
            with contextlib.suppress(Exception):
                context.end_epoch(loss)
"""


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("Generator", "TypeError: fit() returned a generator and has not run"),
        ("Coroutine", "TypeError: fit() returned a coroutine and has not run"),
        ("WarmUp", "TypeError: warm_up() returned an async generator and has not run"),
        ("Awaitable", "TypeError: fit() returned a Future and has not run"),
        ("Catches", "FloatingPointError: the training loss after epoch 2 is inf"),
    ],
)
def test_training_that_has_not_run_or_has_diverged_is_the_same_error_in_both_interpreters(
    synthetic_task, tmp_path, model, message
):
    file = tmp_path / "net.py"
    file.write_text(NOT_RUN)
    here, there = (configured(f"{file}:{model}{interpreter}") for interpreter in ("", f"@{sys.executable}"))
    own, foreign = (trial(synthetic_task, configuration).record for configuration in (here, there))
    there.model_class.connection.close()
    assert own.status is Status.FAILED
    assert own.error.startswith(message)
    assert foreign.error == own.error


def test_the_seconds_of_a_pass_include_its_loss_and_exclude_the_harness(monkeypatch):
    now = [0.0]
    sent = []

    class Lazy:
        def __float__(self):
            now[0] += 5.0
            return 0.5

    def serves():
        now[0] += 100.0
        raise host.StoppedByHarnessError

    harness = SimpleNamespace(send=sent.append, serve_until_answered=serves)
    monkeypatch.setattr(host, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    context = host.Context(harness, {"seed": 0, "threads": 1, "device": "auto"})
    now[0] += 1.0
    with pytest.raises(host.StoppedByHarnessError):
        context.end_epoch(Lazy())
    assert sent == [{"kind": "epoch", "loss": 0.5, "seconds": 6.0}]
    assert context.seconds == 6.0


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("crash", "ended with exit code 3"),
        ("stray", "sent b'\\x80"),
        ("pickle", "and not of numbers"),
        ("large", "an array of the shape (3000, 3000), which is larger than any answer"),
    ],
)
def test_what_is_no_answer_fails_the_trial(synthetic_task, how, message):
    outcome = trial(synthetic_task, configured(f"{FILE}:Bad@{sys.executable}:how={how}"))
    assert outcome.record.status is Status.FAILED
    assert message in outcome.record.error
    # Records are published, and a path tells about the machine.
    assert sys.executable not in outcome.record.error


def test_a_process_that_ends_in_the_full_ranking_leaves_the_memory_unknown(synthetic_task, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import os\nimport numpy as np\n\n\nclass Mine:\n"
        "    def fit(self, train, context):\n        self.counts = np.bincount(train.items)\n\n"
        "    def score(self, users, items):\n        return self.counts[items].astype(float)\n\n"
        "    def score_all(self, users):\n        os._exit(3)\n"
    )
    record = trial(synthetic_task, configured(f"{file}:Mine@{sys.executable}"), catalogue=True).record
    assert (record.status, record.catalogue, record.process_peak_rss_bytes) == (Status.DONE, None, None)
    assert "the process of the model's interpreter ended with exit code 3" in record.catalogue_error
    assert sys.executable not in record.catalogue_error


def script(tmp_path, text):
    file = tmp_path / "python"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


def hello(version=host.VERSION, python="3.12.0", problem=""):
    content = json.dumps({"kind": "hello", "version": version, "python": python, "problem": problem})
    return f"read token; echo \"$token\"'{content}'"


@pytest.mark.skipif(sys.platform == "win32", reason="the interpreters are scripts of a shell")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exit 0", "it does not run Python code"),
        ("echo python=3.8.2", "it is Python 3.8.2, and 3.9 or later is needed"),
        ("echo python=3.12.0", "it ended before it gave an answer"),
        ("exec sleep 60", "it gave no answer within"),
        ('read token; echo "${token}[1]"', "its answer cannot be read"),
        (hello(version=99), f"version 99 of recbench's protocol, and this is {host.VERSION}"),
        (hello(python="3.8.18"), "it is Python 3.8.18"),
        (hello(problem="ImportError: x"), "cannot import numpy: ImportError: x"),
    ],
)
def test_an_interpreter_that_does_not_serve(tmp_path, monkeypatch, text, message):
    monkeypatch.setattr(connection, "SECONDS_TO_START", 0.2)
    with pytest.raises(RecbenchError) as caught:
        Connection(script(tmp_path, text))
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter is a script of a shell")
def test_start_up_code_may_print(tmp_path):
    link = Connection(script(tmp_path, f'printf noise; exec {sys.executable} "$@"'))
    assert link.python
    link.close()


def test_a_virtual_environment_is_named_by_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert find_interpreter("venv") == find_interpreter("./venv") == str(python)


def test_interpreters_and_models_that_do_not_exist(tmp_path):
    with pytest.raises(RecbenchError, match="There is no interpreter /no/such"):
        find_model(f"{FILE}:Mine@/no/such/python")
    with pytest.raises(RecbenchError, match="Unknown model 'popularty'"):
        find_model(f"popularty@{sys.executable}")
    with pytest.raises(RecbenchError, match=r"is not a model: it has no method fit\(\)"):
        configured(f"{FILE}:NoModel@{sys.executable}")
    (tmp_path / "python").touch()
    with pytest.raises(RecbenchError, match="may not be run"):
        find_model(f"popularity@{tmp_path / 'python'}")
    assert split_interpreter("a@b/net.py:Net", ()) is None
