"""``compare`` and ``gate`` as a user or a pipeline meets them: streams, exit codes, errors."""

import json
import re
import subprocess
import sys

import pytest

from recbench.records.schema import Status, TaskIdentity
from tests.examples import a_trial, some_trials, write

OTHER = TaskIdentity(name="toy", digest="sha256:" + "cd" * 32)


@pytest.fixture
def runs(tmp_path):
    """Folders of records, by what they are against ``base``."""
    write(tmp_path / "base", some_trials("bpr", 0.5))
    write(tmp_path / "same", some_trials("bpr", 0.5))
    write(tmp_path / "worse", some_trials("bpr", 0.42))
    write(tmp_path / "unsure", some_trials("bpr", 0.495, luck=1))
    write(tmp_path / "other", some_trials("bpr", task=OTHER))
    write(tmp_path / "failed", some_trials("bpr", seeds=2), [a_trial("bpr", 2, status=Status.FAILED, error="no")])
    write(tmp_path / "missing", some_trials("ncf"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "strict.toml").write_text("strict = true\n")
    return tmp_path


ENDS = {
    "same": (["same"], 0, "Gate passed. Unchanged: bpr."),
    "worse": (["worse"], 1, "Gate FAILED: bpr HR@10 regressed, from 0."),
    "inconclusive": (["unsure"], 0, "Gate passed. Inconclusive: bpr."),
    "inconclusive, strictly": (["unsure", "--strict"], 1, "Gate FAILED: bpr HR@10 inconclusive"),
    "inconclusive, strictly by policy": (
        ["unsure", "--policy", "strict.toml"],
        1,
        "Gate FAILED: bpr HR@10 inconclusive",
    ),
    "a model failed": (["failed"], 3, "Gate FAILED: bpr failed: seed 2 failed: no"),
    "another task": (["other"], 4, "different tasks: BASE toy sha256:abababababab, CURRENT toy sha256:cdcdcdcdcdcd"),
    "nothing in common": (["missing"], 4, "no model of CURRENT could be compared with BASE"),
}


@pytest.mark.parametrize(("arguments", "code", "message"), ENDS.values(), ids=ENDS)
def test_how_a_gate_ends(recbench, runs, arguments, code, message):
    done = recbench("gate", "base", *arguments)
    assert (done.returncode, done.stderr) == (code, "")
    assert message in done.stdout
    document = json.loads(recbench("gate", "base", *arguments, "--json").stdout)
    assert document["exit_code"] == code
    assert (document["reasons"] == []) == (code == 0)


def test_a_gate_before_anything_was_accepted(recbench, runs):
    done = recbench("gate", "main", "same")
    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout.startswith(
        "No baseline yet, so nothing was compared: main has no records.\n\nTo accept this run"
    )


def test_a_slow_loss_is_seen_by_an_older_base(recbench, runs):
    """Each step is within what may be chance; both together are not."""
    assert recbench("gate", "unsure", "same").returncode == 0
    done = recbench("gate", "same", "base", "--against", "unsure")
    assert done.returncode == 0
    assert done.stdout.count("Gate passed") == 2
    assert recbench("gate", "same", "worse", "--against", "base").returncode == 1
    assert recbench("gate", "worse", "same", "--against", "other").returncode == 4
    assert recbench("gate", "base", "same", "--against", "nothing").returncode == 4
    document = json.loads(recbench("gate", "base", "same", "--against", "worse", "--json").stdout)
    assert (document["outcome"], document["exit_code"], len(document["gates"])) == ("passed", 0, 2)


def test_compare_tells_and_does_not_judge(recbench, runs):
    done = recbench("compare", "base", "worse", "--metrics", "hr", "--k", "5")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Regressed: bpr (HR@5 -0.0")
    assert "NDCG" not in done.stdout
    assert "Again: recbench compare base worse --k 5 --metrics hr" in done.stdout
    assert recbench("compare", "base", "other").returncode == 4
    document = json.loads(recbench("compare", "base", "worse", "--json").stdout)
    assert document["schema"] == 1
    assert document["results"][0]["metrics"]["hr@10"]["verdict"] == "regressed"


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("markdown", "<!-- recbench:gate:toy -->"),
        ("csv", "task,digest,model"),
        ("latex", "% Gate"),
        ("json", "{"),
    ],
)
def test_formats(recbench, runs, form, start):
    assert recbench("gate", "base", "same", "--format", form).stdout.startswith(start)


BAD = {
    "the same folder": (["base", "base"], 2, "BASE and CURRENT are the same records"),
    "the same folder by another name": (["base", "./same/../base"], 2, "BASE and CURRENT are the same records"),
    "an empty folder": (["base", "empty"], 4, "There are no records in empty"),
    "an empty baseline": (["empty", "base"], 4, "There are no records in empty"),
    "nothing of that name": (["mian", "same"], 2, "Unknown records 'mian'. Did you mean: main?"),
    "no repository": (["HEAD:base", "same"], 2, "not in a git repository"),
    "no policy": (["base", "same", "--policy", "none.toml"], 2, "Cannot read the policy none.toml"),
    "a broken policy": (["base", "same", "--policy", "broken.toml"], 2, "flor: Extra inputs are not permitted"),
    "a truncated record": (["base", "truncated"], 2, "is not a record"),
    "missing ranks": (["base", "ranksless"], 2, "are missing"),
    "an inconsistent record": (["base", "edited"], 2, "metrics.hr@10.mean is 0.9, but its ranks give 0.4"),
    "a newer record": (["base", "newer"], 2, "Update recbench"),
    "a field that is not one": (["base", "misspelt"], 2, "sead: Extra inputs"),
}


@pytest.fixture
def broken(runs):
    def changed(name, change):
        path = next(write(runs / name, some_trials("bpr", seeds=1)).glob("*.json"))
        path.write_text(change(path.read_text()))
        return path

    write(runs / "results" / "baselines" / "toy" / "main", some_trials("bpr", seeds=1))
    (runs / "broken.toml").write_text("flor = 1\n")
    changed("truncated", lambda text: text[:-30])
    changed("ranksless", lambda text: text).with_suffix(".npz").unlink()
    changed("edited", lambda text: re.sub(r'("hr@10": \{\s*"mean": )[0-9.]+', r"\g<1>0.9", text))
    changed("newer", lambda text: text.replace('"schema": 1', '"schema": 2'))
    changed("misspelt", lambda text: text.replace('"seed"', '"sead": 1, "seed"'))
    return runs


@pytest.mark.parametrize(("arguments", "code", "message"), BAD.values(), ids=BAD)
def test_bad_input(recbench, broken, arguments, code, message):
    done = recbench("gate", *arguments, GIT_CEILING_DIRECTORIES=str(broken.parent))
    assert done.returncode == code
    assert message in re.sub(r"\s+", " ", done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_baseline_in_a_git_revision(recbench, runs):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init"], ["add", "base"], ["commit", "-m", "x"]):
        subprocess.run(["git", *identity, *arguments], cwd=runs, check=True, capture_output=True)
    assert recbench("gate", "HEAD:base", "worse").returncode == 1
    assert recbench("gate", "HEAD:base", "same").returncode == 0
    assert recbench("gate", "HEAD:elsewhere", "same").returncode == 4
    assert "git knows no revision 'nowhere'" in recbench("gate", "nowhere:base", "same").stderr


TIMINGS = {
    "machine_info": {"release": "6"},
    "benchmarks": [{"fullname": "b[x]", "stats": {"median": 0.5}, "extra_info": {}}],
}


def test_timings(recbench, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(TIMINGS))
    faster = {"fullname": "b[x]", "stats": {"median": 0.25}, "extra_info": {"interactions_per_second": 2e6}}
    (tmp_path / "b.json").write_text(json.dumps({**TIMINGS, "benchmarks": [faster]}))
    done = recbench("compare", "--timings", "a.json", "b.json")
    assert done.returncode == 0
    assert re.search(r"b\[x\] +0.5 +0.25 +0.50 +2,000,000", done.stdout)
    document = json.loads(recbench("compare", "--timings", "a.json", "b.json", "--json").stdout)
    assert document["benchmarks"][0]["ratio"] == 0.5


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (None, 2, "Cannot read the timings"),
        ("{", 2, "is not JSON"),
        ('{"benchmarks": [{"fullname": "b"}]}', 2, "benchmarks.0.stats: Field required"),
        ('{"benchmarks": []}', 4, "There are no benchmarks"),
    ],
)
def test_timings_that_cannot_be_read(recbench, tmp_path, content, code, message):
    (tmp_path / "a.json").write_text(json.dumps(TIMINGS))
    if content is not None:
        (tmp_path / "b.json").write_text(content)
    done = recbench("compare", "--timings", "a.json", "b.json")
    assert done.returncode == code
    assert message in done.stderr


def test_options_that_do_not_go_together(recbench, tmp_path):
    done = recbench("compare", "--timings", "a.json", "b.json", "--k", "5")
    assert done.returncode == 2
    assert "--k, --metrics and --task belong to records" in done.stderr


def test_comparing_imports_no_framework(runs, monkeypatch):
    monkeypatch.chdir(runs)
    code = (
        "import sys; from recbench.cli.app import main\n"
        "sys.argv = ['recbench', 'gate', 'base', 'same']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = ('tensorflow', 'keras', 'implicit', 'pandas', 'scipy', 'recbench_models')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
