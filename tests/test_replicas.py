"""Replicas of a split: several frozen tasks of one spec, run together."""

import json

import pytest
from typer.testing import CliRunner

import recbench as rb
from recbench.cli.app import app
from recbench.errors import RecbenchError
from recbench.tasks.lookup import find_by_digest, find_task, load_task
from recbench.tasks.removal import remove_task
from recbench.tasks.replicas import load_replicas, what_varies

SPEC = """
name = "twice"
{more}
[dataset]
source = "synthetic"
n_users = 60
n_items = 40
density = 0.2
[split]
{split}
[negatives]
method = "uniform"
count = {count}
"""
RANDOM = 'method = "leave-one-out"\norder = "random"'
LATEST = 'method = "leave-one-out"\norder = "timestamp"'
BY_TIME = 'method = "global-time"\nfraction = 0.2'


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.setenv("RECBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def write(more="replicas = 2", split=RANDOM, count=10):
        (tmp_path / "twice.toml").write_text(SPEC.format(more=more, split=split, count=count))
        return "twice.toml"

    return write


def test_each_replica_is_a_task_with_a_digest_of_its_own(spec):
    tasks = load_replicas(spec())
    assert [task.name for task in tasks] == ["twice@0", "twice@1"]
    assert (tasks[0].test.items != tasks[1].test.items).any()
    assert what_varies(tasks[0].spec) == "the held-out rows and the negatives"
    assert load_task("twice.toml@1").digest == tasks[1].digest
    assert find_by_digest("twice@1", tasks[1].digest).digest == tasks[1].digest
    # Replica 0 is the task without replicas; a split by time varies in its negatives only.
    assert load_task(spec(more="")).digest == tasks[0].digest
    by_time = load_replicas(spec(split=BY_TIME))
    assert (by_time[0].test.items == by_time[1].test.items).all()
    assert by_time[0].digest != by_time[1].digest
    assert what_varies(by_time[0].spec).startswith("only the negatives; the split by time")
    assert remove_task("twice@1").n_files == 2
    assert remove_task("twice").n_files == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"more": "replicas = 1"}, "replicas: .*greater than or equal to 2"),
        ({"more": "replicas = 0"}, "replicas: .*greater than or equal to 2"),
        ({"more": "replicas = -3"}, "replicas: .*greater than or equal to 2"),
        ({"more": "replicas = 101"}, "replicas: .*less than or equal to 100"),
        ({"more": "replicas = 2.5"}, "replicas: "),
        ({"split": 'method = "published"'}, "a published split exists only once"),
        ({"more": f'replicas = 2\ndigest = "sha256:{"0" * 64}"'}, "a digest of its own"),
        ({"split": f"{RANDOM}\nseed = {2**63 - 1}"}, "seeds of the replicas would be too large"),
        ({"split": LATEST, "count": '1000\ntoo_few = "fewer"'}, "draws nothing: twice@1 has the same cases"),
    ],
)
def test_what_cannot_have_replicas_is_refused(spec, given, message):
    with pytest.raises(RecbenchError, match=message):
        load_replicas(spec(**given))


def test_names_of_replicas_that_do_not_exist(spec):
    for name, message in (
        (f"{spec()}@2", "2 replicas, and no replica 2"),
        ("synthetic@0", "no replicas"),
        ("twice.toml", "one task is needed here"),
    ):
        with pytest.raises(RecbenchError, match=message):
            load_task(name)
    with pytest.raises(RecbenchError, match="replicas"):
        rb.make_task(load_task("twice.toml@0").train_frame(), like="twice.toml")
    assert find_task("twice.toml").spec.replicas == 2


def test_a_run_on_all_replicas_shows_the_variance_and_can_be_resumed(spec):
    run = ["run", "--task", spec(), "--models", "popularity,itemknn", "--seeds", "1", "--in-process", "--quiet"]
    shown = CliRunner().invoke(app, [*run, "--json"])
    assert shown.exit_code == 0, shown.output
    document = json.loads(shown.stdout)
    assert [entry["task"]["name"] for entry in document["runs"]] == ["twice@0", "twice@1"]
    metric = document["results"][1]["metrics"]["hr@10"]
    assert metric["seeds_sd"] is None
    assert metric["total_sd"] ** 2 == pytest.approx(metric["split_sd"] ** 2 + metric["users_sd"] ** 2)
    runs = [
        rb.run(["popularity", "itemknn"], name, seeds=1, output="results/runs", reuse="only", quiet=True)
        for name in rb.replica_names("twice.toml")
    ]
    again = rb.ReplicatedRun(tuple(runs))
    assert again.document()["results"] == document["results"]
    assert set(again.to_frame()["task"]) == {"twice@0", "twice@1"}
    markdown = again.table("markdown")
    assert "| split SD | users SD | seeds SD |" in " ".join(markdown.split()).replace(" |", " |")
    assert "Replicas differ in the held-out rows and the negatives." in markdown
    chosen = CliRunner().invoke(app, [*run, "--columns", "mean,model,Total SD", "--sort", "mean"])
    header, _, *rows = chosen.stdout.split("\n\n")[1].splitlines()
    assert header.split() == ["mean", "model", "total", "SD"]
    means = [float(row.split()[0]) for row in rows]
    assert means == sorted(means, reverse=True)
    by_spread = CliRunner().invoke(app, [*run, "--sort", "total-sd"]).stdout.split("\n\n")[1].splitlines()[2:]
    spreads = [float(row.split()[-2]) for row in by_spread]
    assert spreads == sorted(spreads)
    spread = again.table(columns=["model", "total-sd"], sort="total-sd").split("\n\n")[1].splitlines()[2:]
    assert [float(row.split()[-1]) for row in spread] == spreads
    assert "column of --columns" in str(CliRunner().invoke(app, [*run, "--columns", "hr@10"]).exception)
    with pytest.raises(RecbenchError, match="different replicas"):
        rb.ReplicatedRun((runs[0], runs[0]))
    assert "Name a replica: --task twice.toml@0" in CliRunner().invoke(app, [*run, "--pairs"]).exception.hint
