import json
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.records import baselines, history, store
from recbench.records.git_files import ignored_files, write_git_files
from recbench.records.schema import CatalogueValue, MetricValue, Revision, Status
from recbench.records.selection import read_records
from recbench.records.store import TrialRanks
from recbench.records.transactions import transaction
from recbench.reports.pages.baselines import baselines_page
from recbench.reports.trend import sparkline, trends
from tests.examples import a_record, ranks_of


def a_run(folder, *records):
    """Saves records whose figures follow from their ranks."""
    for record in records:
        if record.status is not Status.DONE:
            store.save(record, None, folder)
            continue
        ranks = ranks_of(record)
        metrics = {
            name: MetricValue(
                mean=metric.mean,
                user_mean=metric.user_mean,
                optimistic=metric.optimistic,
                pessimistic=metric.pessimistic,
            )
            for name, metric in compute_metrics(ranks, (10,)).items()
        }
        store.save(record.model_copy(update={"metrics": metrics}), TrialRanks(ranks), folder)
    return read_records(str(folder))


@pytest.fixture
def places(tmp_path):
    return tmp_path / "baselines", tmp_path / "history.jsonl"


def accept(side, paths, label="main", **options):
    return baselines.accept(side, label, *paths, **options).changes


def test_accepted_records_can_be_read_by_their_label(tmp_path, places):
    accept(a_run(tmp_path / "run", *(a_record("bpr", seed, hr=0.6) for seed in range(2))), places)
    side = read_records("main", places[0])
    assert sorted(trial.record.seed for trial in side.trials) == [0, 1]
    assert all(trial.candidate_ranks is not None for trial in side.trials)


def test_ranks_in_the_whole_catalogue_are_accepted_too(tmp_path, places):
    side = a_run(tmp_path / "run", a_record("bpr", 0))
    (trial,) = side.trials
    far = replace(trial.candidate_ranks, n_others=trial.candidate_ranks.n_others * 2)
    metrics = {name: MetricValue(**asdict(value)) for name, value in compute_metrics(far, (10,)).items()}
    catalogue = CatalogueValue(metrics=metrics, list_length=10, coverage=0.5, gini=0.5, popularity=0.5, seconds=1.0)
    store.save(
        trial.record.model_copy(update={"catalogue": catalogue}),
        TrialRanks(trial.candidate_ranks, far),
        tmp_path / "run",
    )
    accept(read_records(str(tmp_path / "run")), places)
    assert np.array_equal(read_records("main", places[0]).trials[0].full_ranks.n_others, far.n_others)


def test_a_models_records_are_replaced_and_others_stay(tmp_path, places):
    accept(a_run(tmp_path / "one", a_record("bpr", 0), a_record("bpr", 1), a_record("ncf", 0)), places)
    new = a_record("bpr", 0, parameters={"factors": 8, "epochs": 20})
    (change,) = accept(a_run(tmp_path / "two", new), places)
    assert [trial.record.seed for group in change.before for trial in group.trials] == [0, 1]
    trials = read_records("main", places[0]).trials
    assert sorted((t.record.model, t.record.parameters["factors"]) for t in trials) == [("bpr", 8), ("ncf", 64)]
    assert len(list((places[0] / "toy" / "main").glob("[!.]*"))) == 4


def test_the_best_stays_when_the_baseline_gets_worse(tmp_path, places):
    for number, hr in enumerate((0.5, 0.7, 0.6)):
        accept(a_run(tmp_path / str(number), a_record("bpr", 0, hr=hr)), places)
    best, main = (read_records(label, places[0]).trials[0].record.metrics["hr@10"].mean for label in ("best", "main"))
    assert best > main + 0.05


def test_a_release_is_a_copy_that_does_not_change(tmp_path, places):
    accept(a_run(tmp_path / "one", a_record("bpr", 0, hr=0.7)), places)
    baselines.release("main", "v1.0", places[0])
    accept(a_run(tmp_path / "two", a_record("bpr", 0, hr=0.6)), places)
    accepted = baselines.accepted_groups(places[0])
    hr = {label: groups[0].mean(parse_measure("hr@10")) for (_, label), groups in accepted.items()}
    assert hr["v1.0"] == hr["best"] > hr["main"]
    with pytest.raises(RecbenchError, match="does not change"):
        baselines.release("main", "v1.0", places[0])
    with pytest.raises(RecbenchError, match="'v1.0' of toy is released, and a released baseline does not change"):
        accept(a_run(tmp_path / "two", a_record("bpr", 0, hr=0.6)), places, "v1.0", force=True)
    with pytest.raises(RecbenchError, match="is not a valid label"):
        baselines.release("main", "best", places[0])
    with pytest.raises(RecbenchError, match="no label 'other'"):
        baselines.release("other", "v2", places[0])


def test_failed_and_uncommitted_runs_need_force(tmp_path, places):
    failed = a_record("ncf", 0, status=Status.FAILED, error="ValueError: no")
    dirty = a_record("bpr", 0, revision=Revision(sha="0" * 40, dirty=True))
    for name, record, message in (("f", failed, "ncf, seed 0: failed"), ("d", dirty, "uncommitted")):
        with pytest.raises(RecbenchError, match=message):
            accept(a_run(tmp_path / name, a_record("popularity", 0), record), places)
    with pytest.raises(RecbenchError, match="outside of a git repository"):
        accept(a_run(tmp_path / "o", a_record("bpr", 0, revision=None)), places)
    assert not places[0].exists()
    accept(read_records(str(tmp_path / "f")), places, force=True)
    assert [trial.record.model for trial in read_records("main", places[0]).trials] == ["popularity"]
    with pytest.raises(RecbenchError, match="nothing to accept"):
        accept(a_run(tmp_path / "n", failed), places, force=True)


@pytest.mark.parametrize("label", ["best", "../up", ""])
def test_labels_that_are_none(tmp_path, places, label):
    with pytest.raises(RecbenchError, match="is not a valid label"):
        accept(a_run(tmp_path / "one", a_record("bpr", 0)), places, label)


def test_the_history_grows_by_a_line_a_record(tmp_path, places):
    for hr in (0.6, 0.61):
        accept(a_run(tmp_path / str(hr), *(a_record("bpr", seed, hr=hr) for seed in range(3))), places)
    lines = history.read(places[1])
    assert len(lines) == 6
    first = lines[0]
    assert first.hr_interval[0] < first.hr < first.hr_interval[1]
    assert (first.model, first.task, first.label, first.sha) == ("bpr", "toy", "main", "0" * 40)
    (trend,) = trends(lines, ["hr@10"])
    assert [acceptance.n_seeds for acceptance in trend.acceptances] == [3, 3]
    assert trend.sparkline("hr@10") == "▁█"
    assert trends(lines, ["hr@10"], models=["ncf"]) == trends(lines, ["hr@10"], tasks=["other"]) == []


def test_lines_that_a_merge_doubled_count_once(tmp_path, places):
    accept(a_run(tmp_path / "run", a_record("bpr", 0)), places)
    text = places[1].read_text()
    places[1].write_text(text + text)
    assert len(history.read(places[1])) == 1


def git(folder, *arguments):
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_git_merges_what_two_branches_accepted(tmp_path):
    repository = tmp_path / "repository"
    paths = repository / "results" / "baselines", repository / "results" / "history.jsonl"
    (repository / "results").mkdir(parents=True)
    git(repository, "init", "-q", "-b", "main")

    def accept_and_commit(branch, model):
        git(repository, "checkout", "-q", "-B", branch)
        accept(a_run(tmp_path / model, *(a_record(model, seed) for seed in range(2))), paths)
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", branch)

    accept_and_commit("main", "popularity")
    accept_and_commit("one", "bpr")
    git(repository, "checkout", "-q", "main")
    accept_and_commit("two", "ncf")
    git(repository, "merge", "-q", "--no-edit", "one")
    lines = history.read(paths[1])
    # The merge has put the later acceptance first; the reader orders them by time.
    assert [line.model for line in lines] == ["popularity"] * 2 + ["bpr"] * 2 + ["ncf"] * 2
    assert [json.loads(line)["model"] for line in paths[1].read_text().splitlines()][2] == "ncf"
    assert {trial.record.model for trial in read_records("main", paths[0]).trials} == {"popularity", "bpr", "ncf"}
    assert list(repository.rglob("*.lock"))
    assert not {name for name in git(repository, "ls-files").split() if ".lock" in name or ".recbench" in name}


GIT_FILES = {
    "none": (None, None, "# Both", "# recbench"),
    "the user's": (b"*.bin -text", b"secret\r\n", "*.bin -text\n# Both", "secret\r\n# recbench"),
    "another file of that name": (b"old/history.jsonl merge=ours\n", b"/.lock\n", "old/history", "/.lock\n# rec"),
}


def git_files(folder):
    with transaction(folder) as files:
        return write_git_files(folder, files)


@pytest.mark.parametrize(("attributes", "ignored", "head", "ignored_head"), GIT_FILES.values(), ids=GIT_FILES)
def test_lines_are_added_to_gits_files(tmp_path, attributes, ignored, head, ignored_head):
    paths = [tmp_path / "results" / name for name in (".gitattributes", ".gitignore")]
    for path, present in zip(paths, (attributes, ignored), strict=True):
        if present is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(present)
    assert git_files(tmp_path / "results") == paths
    texts = [path.read_bytes().decode() for path in paths]
    assert texts[0].startswith(head)
    rules = ["history.jsonl merge=union", "baselines/**/*.json -merge", "baselines/**/*.npz binary"]
    assert texts[0].splitlines()[-5::2] == rules
    assert texts[1].startswith(ignored_head)
    assert texts[1].splitlines()[-1] == "*.lock"
    assert ("\r\n*.lock\r\n" in texts[1]) == (ignored == b"secret\r\n")
    assert git_files(tmp_path / "results") == []
    assert [path.read_bytes().decode() for path in paths] == texts


def test_what_the_user_decided_stays(tmp_path):
    rules = "history.jsonl text -merge\n*.json merge=ours\n/baselines/**/*.npz -text\n"
    texts = {".gitattributes": rules, ".gitignore": "!.lock\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert git_files(tmp_path) == []
    (tmp_path / ".gitignore").unlink()
    (tmp_path / ".gitignore").mkdir()
    with pytest.raises(RecbenchError, match="gitignore: Is a directory"):
        git_files(tmp_path)


def test_records_that_git_ignores_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("results/baselines")
    folder.mkdir(parents=True)
    for name in (".lock", "a.json", "a.npz"):
        (folder / name).touch()
    (tmp_path / ".gitignore").write_text("*.npz\n*.lock\n")
    assert ignored_files(folder) == []
    subprocess.run(["git", "init", "-q"], check=True)
    assert ignored_files(folder) == [folder / "a.npz"]
    subprocess.run(["git", "add", "--force", "results"], check=True)
    assert ignored_files(folder) == []


@pytest.mark.parametrize("name", ["baselines", "baselines/toy/main", "baselines/toy/best"])
def test_a_file_where_a_folder_of_baselines_is_expected(tmp_path, places, name):
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    with pytest.raises(RecbenchError, match=f"{name} is a file, and a folder is expected") as caught:
        accept(a_run(tmp_path / "run", a_record("bpr", 0)), places)
    assert caught.value.hint == "Move that file to another place."
    assert not places[1].exists()


def test_a_folder_where_the_history_is_expected(tmp_path, places):
    places[1].mkdir()
    with pytest.raises(RecbenchError, match="history.jsonl is a folder, and a file is expected"):
        accept(a_run(tmp_path / "run", a_record("bpr", 0)), places)
    assert not places[0].exists()


def test_a_broken_history_names_its_line(tmp_path, places):
    accept(a_run(tmp_path / "run", a_record("bpr", 0)), places)
    good = places[1].read_text()
    places[1].write_text(good + "<<<<<<< HEAD\n")
    with pytest.raises(RecbenchError, match="line 2"):
        accept(a_run(tmp_path / "run", a_record("bpr", 0)), places)
    assert places[1].read_text() == good + "<<<<<<< HEAD\n"
    with pytest.raises(RecbenchError, match="line 2"):
        history.read(places[1])
    newer = {**json.loads(good), "schema": 2}
    places[1].write_text(json.dumps(newer))
    with pytest.raises(RecbenchError, match="line 1 is not an accepted record: schema"):
        history.read(places[1])
    with pytest.raises(RecbenchError, match="There is no history"):
        history.read(tmp_path / "none.jsonl")


def test_a_sparkline_spans_from_the_lowest_to_the_highest():
    assert sparkline([0.1, 0.2, 0.16, 0.2]) == "▁█▅█"
    assert sparkline([]) == ""


def test_the_page_orders_models_and_says_where_figures_are_from(tmp_path):
    run = a_run(
        tmp_path / "run",
        *(a_record("popularity", seed, hr=0.4) for seed in range(2)),
        *(a_record("own|model", seed, hr=0.7) for seed in range(2)),
    )
    page = baselines_page({"toy": run.trials}, "main", {})
    assert page.index("| own\\|model [") < page.index("| popularity [")
    assert "## toy" in page
    assert "seeds: 2; Example CPU, threads: 1; revision 000000000." in page
    assert "do not edit" in page


@pytest.mark.parametrize("label", ["größe", ".hidden"])
def test_an_error_about_a_label_says_which_letters_are_allowed(tmp_path, label):
    records = a_run(tmp_path / "run", a_record("bpr", 0))
    with pytest.raises(RecbenchError, match="Use letters a to z and A to Z, .* begin with a letter or a digit"):
        baselines.accept(records, label)
    with pytest.raises(RecbenchError, match="Use letters a to z and A to Z, .* begin with a letter or a digit"):
        baselines.release("main", label)
