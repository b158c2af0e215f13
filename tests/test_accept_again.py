"""What an acceptance leaves as it is, so that branches can be merged; and what it never mixes."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recbench.cli import baseline
from recbench.errors import RecbenchError
from recbench.evaluation import inference
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.records import baselines, history, store
from recbench.records.schema import CatalogueValue, MetricValue, Revision, Status
from recbench.records.selection import read_records
from recbench.records.store import TrialRanks
from tests.examples import a_record
from tests.test_baselines import a_run, git

HR = parse_measure("hr@10")
LATER = {
    "fit_seconds": 9.0,
    "interactions_per_second": 1.0,
    "started_at": datetime(2026, 2, 1, tzinfo=UTC),
    "revision": Revision(sha="1" * 40, dirty=False),
}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr(inference.infer, "__defaults__", ((), 10))  # fewer resamples, to be fast


@pytest.fixture
def accept(tmp_path):
    """Accepts records; returns the files whose content has changed."""
    numbers = iter(range(100))

    def accepted(*records, **options):
        folder = tmp_path / f"run{next(numbers)}"
        before = contents()
        baselines.accept(a_run(folder, *records), "main", **options)
        after = contents()
        return sorted(path for path in before | after if before.get(path) != after.get(path))

    return accepted


def contents():
    paths = [path for path in Path("results").rglob("*") if path.is_file() and ".recbench" not in path.parts]
    return {path.relative_to("results").as_posix(): path.read_bytes() for path in paths}


def bpr(*seeds, hr=0.5, **changes):
    return [a_record("bpr", seed, hr=hr, **changes) for seed in seeds]


def with_full_ranks(folder, **changes):
    """Saves one trial that has the full ranking."""
    (trial,) = a_run(folder, a_record("bpr", 0, **changes)).trials
    far = replace(trial.candidate_ranks, n_others=trial.candidate_ranks.n_others * 2)
    metrics = {name: MetricValue(**asdict(value)) for name, value in compute_metrics(far, (10,)).items()}
    full = CatalogueValue(metrics=metrics, list_length=10, coverage=0.5, gini=0.5, popularity=0.5, seconds=1.0)
    store.save(trial.record.model_copy(update={"catalogue": full}), TrialRanks(trial.candidate_ranks, far), folder)
    return read_records(str(folder))


def test_records_of_the_same_result_stay(accept):
    accept(*bpr(0, 1))
    assert accept(*bpr(0, 1, **LATER)) == []
    assert len(history.read()) == 2
    changed = accept(*bpr(0, 1, **LATER), refresh_timings=True)
    assert [name.split("/")[0] for name in changed] == ["baselines"] * 4 + ["history.jsonl"]
    assert {name.split("/")[2] for name in changed[:4]} == {"best", "main"}
    assert {trial.record.fit_seconds for trial in read_records("main").trials} == {9.0}
    assert len(history.read()) == 4


DIFFERENT = {
    "code": {"code_version": "sha256:1"},
    "protocol": {"protocol_version": 1},
    "class": {"reference": "other:Model"},
    "committed by now": {},
}


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT)
def test_records_of_other_code_are_replaced(accept, change):
    dirty = {"revision": Revision(sha="2" * 40, dirty=True)}
    accept(*bpr(0, **({} if change else dirty)), force=True)
    assert accept(*bpr(0, **LATER, **change))
    (trial,) = read_records("main").trials
    assert (trial.record.fit_seconds, trial.record.revision.dirty) == (9.0, False)
    # A run from uncommitted changes takes no committed record away.
    assert accept(*bpr(0, **{**LATER, **change, **dirty}), force=True) == []


def test_only_the_seed_of_other_ranks_is_written_and_the_history_has_all(accept):
    accept(*bpr(0, 1, 2))
    changed = accept(*bpr(0, 1, **LATER), *bpr(2, hr=0.4, **LATER))
    assert [name.rpartition("--")[2] for name in changed] == ["seed2.json", "seed2.npz", "history.jsonl"]
    assert [line.seed for line in history.read()] == [0, 1, 2] * 2
    # A seed less is a change too.
    assert accept(*bpr(0, 1, **LATER)) == changed
    assert [line.seed for line in history.read()][6:] == [0, 1]


def test_the_full_ranking_is_added_and_never_lost(tmp_path, accept):
    accept(*bpr(0))
    baselines.accept(with_full_ranks(tmp_path / "full", **LATER), "main")
    for label in ("main", "best"):
        (trial,) = read_records(label).trials
        assert (trial.full_ranks is not None, trial.record.fit_seconds) == (True, 9.0)
    assert accept(*bpr(0)) == []
    assert accept(*bpr(0), refresh_timings=True)
    (trial,) = read_records("main").trials
    assert (trial.full_ranks is not None, trial.record.fit_seconds) == (True, 2.0)


def test_chosen_models_alone_are_accepted(tmp_path, accept):
    failed = a_record("ncf", 0, status=Status.FAILED, error="no")
    records = [*bpr(0), *bpr(0, label="wide", parameters={"factors": 8}), failed]
    accept(*records, models=["wide"])
    assert [trial.record.label for trial in read_records("main").trials] == ["wide"]
    accept(*records, models=["bpr"])
    assert len(read_records("main").trials) == 2
    with pytest.raises(RecbenchError, match="Unknown model of these records 'bp'"):
        accept(*records, models=["bp"])
    with pytest.raises(RecbenchError, match="not done"):
        accept(*records, models=["bpr", "ncf"])


def groups_of(label):
    return {(group.name, group.parameters["factors"]): group for group in baselines.accepted_groups()["toy", label]}


def hr_of(label):
    return {name: round(group.mean(HR), 1) for name, group in groups_of(label).items()}


def two(small, large, **changes):
    return [
        *bpr(0, hr=small, parameters={"factors": 4}, **changes),
        *bpr(0, hr=large, parameters={"factors": 64}, **changes),
    ]


def test_the_best_of_two_configurations_is_that_of_each(accept):
    accept(*two(0.3, 0.7))
    accept(*two(0.5, 0.6))
    assert hr_of("main") == {("bpr", 4): 0.5, ("bpr", 64): 0.6}
    assert hr_of("best") == {("bpr", 4): 0.5, ("bpr", 64): 0.7}
    # One configuration less: there is no best of what is not accepted.
    accept(*two(0.4, 0.6)[:1])
    assert (hr_of("main"), hr_of("best")) == ({("bpr", 4): 0.4}, {("bpr", 4): 0.5})
    # Other hyper-parameters: the best of each counts.
    accept(*bpr(0, hr=0.3, parameters={"factors": 8}))
    assert (hr_of("main"), hr_of("best")) == ({("bpr", 8): 0.3}, {("bpr", 4): 0.5})
    accept(*bpr(0, hr=0.6, parameters={"factors": 8}))
    assert hr_of("best") == {("bpr", 8): 0.6}


def test_configurations_with_labels_are_replaced_by_their_label(accept):
    small = bpr(0, hr=0.3, label="small", parameters={"factors": 4})
    accept(*small, *bpr(0, hr=0.6, label="large", parameters={"factors": 64}))
    accept(*bpr(0, hr=0.2, label="large", parameters={"factors": 32}))
    assert hr_of("main") == {("small", 4): 0.3, ("large", 32): 0.2}
    assert hr_of("best") == {("small", 4): 0.3, ("large", 64): 0.6}


def test_the_table_and_the_document_say_what_became_of_each_configuration(tmp_path, capsys):
    a_run(tmp_path / "one", *two(0.3, 0.7), a_record("ncf", 0))
    a_run(tmp_path / "two", *two(0.4, 0.7, **LATER)[:1], a_record("ncf", 0, **LATER), a_record("ncf", 1))
    baseline.accept(str(tmp_path / "one"))
    baseline.list_baselines()
    listed = [line.split()[2:-1] for line in capsys.readouterr().out.splitlines() if " main " in line]
    expected = {name: f"{group.mean(HR):.4f}" for name, group in groups_of("main").items()}
    assert listed == [
        ["bpr", "(factors=4)", "1", expected["bpr", 4]],
        ["bpr", "(factors=64)", "1", expected["bpr", 64]],
        ["ncf", "1", expected["ncf", 64]],
    ]
    baseline.accept(str(tmp_path / "two"), as_json=True)
    rows = json.loads(capsys.readouterr().out)["changes"]
    counts = {(row["model"], row["written"], row["kept"], row["removed"]) for row in rows}
    assert counts == {("bpr", 1, 0, 0), ("bpr (factors=64)", 0, 0, 1), ("ncf", 1, 1, 0)}
    baseline.accept(str(tmp_path / "two"))
    assert capsys.readouterr().out.count(" kept\n") == 2
    a_run(tmp_path / "three", a_record("ncf", 1))
    baseline.accept(str(tmp_path / "three"))
    assert "1 kept, 1 removed" in capsys.readouterr().out


def test_branches_that_accept_the_same_models_merge(tmp_path, accept):
    git(".", "init", "-q", "-b", "main")

    def accept_on(branch, *records):
        git(".", "checkout", "-q", "-B", branch)
        accept(*records)
        git(".", "add", ".")
        git(".", "commit", "-q", "--allow-empty", "-m", branch)

    shared = [a_record("popularity", 0), a_record("ncf", 0)]
    accept_on("main", *shared, *bpr(0))
    accept_on("one", *[a_record(record.model, 0, **LATER) for record in shared], *bpr(0, hr=0.7))
    git(".", "checkout", "-q", "main")
    accept_on(
        "two", *[a_record(record.model, 0, **LATER | {"fit_seconds": 5.0}) for record in shared], a_record("als", 0)
    )
    git(".", "merge", "-q", "--no-edit", "one")
    assert sorted(line.model for line in history.read()) == ["als", "bpr", "bpr", "ncf", "popularity"]
    # Two results of one trial are a conflict. The files of one of them stay together, without marks.
    accept_on("three", *bpr(0, hr=0.2))
    git(".", "checkout", "-q", "one")
    accept_on("four", *bpr(0, hr=0.3))
    with pytest.raises(AssertionError, match="Cannot merge binary files"):
        git(".", "merge", "-q", "--no-edit", "three")
    assert round(next(trial for trial in read_records("main").trials if trial.record.model == "bpr").mean(HR), 1) == 0.3
    assert not [line for line in git(".", "ls-files").split() if line.endswith(".lock")]


def test_the_history_merges_where_git_has_no_rule_for_it(accept):
    """As with the merge button of GitHub."""
    git(".", "init", "-q", "-b", "main")
    Path("results").mkdir()
    Path("results/.gitattributes").write_text("history.jsonl merge=text\n")

    def accept_on(branch, *records):
        git(".", "checkout", "-q", "-B", branch)
        accept(*records)
        git(".", "add", ".")
        git(".", "commit", "-q", "-m", branch)

    accept_on("main", *bpr(0, 1), a_record("ncf", 0), a_record("als", 0))
    accept_on("one", *bpr(0, 1, hr=0.7))
    git(".", "checkout", "-q", "main")
    accept_on("two", a_record("ncf", 0, hr=0.3), a_record("als", 0, hr=0.3))
    git(".", "checkout", "-q", "main")
    accept_on("three", a_record("new", 0))
    git(".", "merge", "-q", "--no-edit", "one")
    text = Path("results/history.jsonl").read_text()
    assert [json.loads(line)["model"] for line in text.splitlines()] == ["als", *["bpr"] * 4, "ncf", "new"]
    git(".", "checkout", "-q", "two")
    git(".", "merge", "-q", "--no-edit", "one")
    assert len(history.read()) == 8
