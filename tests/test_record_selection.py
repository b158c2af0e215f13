"""Finding and reading records."""

import json
import shutil
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.experiments.comparison import compare
from recbench.records import baselines, history, selection
from recbench.records.consistency import check_consistency
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.ranks_file import RANK_ARRAYS, load_ranks
from recbench.records.results_folder import results_folder
from recbench.records.schema import CatalogueValue, MetricValue
from recbench.records.selection import read_records
from recbench.records.task_names import names_meant
from tests.examples import a_record, a_trial, some_trials, write
from tests.test_baselines import a_run

HR = parse_measure("hr@10")

LABEL = "results/baselines"

SPEC = """\
[dataset]
source = "synthetic"
n_users = 600
n_items = 400
density = 0.05

[split]
method = "leave-one-out"
order = "timestamp"

[negatives]
method = "uniform"
count = 100
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=trunk"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(here):
    """Records of bpr were committed, and then those in the work tree were removed."""
    git(here, "init")
    folder = write(here / LABEL / "toy" / "seed", some_trials("bpr", seeds=2))
    (folder / "README.md").write_text("not a record")
    (folder / "link.json").symlink_to("/etc/hostname")
    git(here, "add", "-A")
    git(here, "commit", "-m", "x")
    for path in folder.iterdir():
        path.unlink()
    return here


def models(side):
    return [(trial.record.model, trial.record.seed) for trial in side.trials]


def test_a_folder_and_one_record(here):
    folder = write(here / "runs", some_trials("bpr", seeds=2))
    assert models(read_records("runs")) == [("bpr", 0), ("bpr", 1)]
    first = sorted(folder.glob("*.json"))[0]
    (trial,) = read_records(str(first)).trials
    assert (trial.record.seed, len(trial.candidate_ranks)) == (0, 1200)


def test_what_the_records_of_a_task_share_is_decoded_once(here):
    folder = write(here / "runs", some_trials("bpr", seeds=3), some_trials("ncf", seeds=1, n=1000))
    bpr_0, bpr_1, bpr_2, ncf = read_records("runs").trials
    assert bpr_0.candidate_ranks.users is bpr_1.candidate_ranks.users is bpr_2.candidate_ranks.users
    assert not np.array_equal(bpr_0.candidate_ranks.better, bpr_1.candidate_ranks.better)
    assert len(ncf.candidate_ranks.users) == 1000
    for trial in (bpr_0, bpr_1, bpr_2, ncf):
        alone = load_ranks(trial.path).candidates
        assert all(np.array_equal(getattr(trial.candidate_ranks, name), getattr(alone, name)) for name in RANK_ARRAYS)
        assert trial.known_means[HR] == trial.mean(HR) == HR.values(alone).mean()
    # The same bytes with another checksum are damaged, whatever was read before.
    second = sorted(folder.glob("*.npz"))[1]
    content = bytearray(second.read_bytes())
    directory = content.rindex(b"candidates.users.npy") - 46
    content[directory + 16] ^= 1
    second.write_bytes(content)
    with pytest.raises(RecbenchError, match="cannot be read: BadZipFile: Bad CRC-32"):
        read_records("runs")


def test_a_label_spans_tasks(here):
    write(here / LABEL / "one" / "seed", some_trials("bpr", seeds=1))
    write(here / LABEL / "two" / "seed", some_trials("ncf", seeds=1))
    write(here / LABEL / "two" / "other", some_trials("ncf", seeds=2))
    assert models(read_records("seed")) == [("bpr", 0), ("ncf", 0)]
    with pytest.raises(RecbenchError, match="Unknown records 'sede'. Did you mean: seed"):
        read_records("sede")
    with pytest.raises(RecbenchError, match=r"Unknown records '\.\.'|There are no records"):
        read_records("..")


def test_a_git_revision(repository):
    side = read_records(f"HEAD:{LABEL}/toy/seed/")
    assert models(side) == [("bpr", 0), ("bpr", 1)]
    assert side.trials[0].place.startswith(f"HEAD:{LABEL}/toy/seed/toy--bpr--")
    file = side.trials[1].place.split("/")[-1]
    assert models(read_records(f"trunk:{LABEL}/toy/seed/{file}")) == [("bpr", 1)]
    assert list((repository / LABEL / "toy" / "seed").iterdir()) == []
    done = subprocess.run(["git", "status", "--porcelain"], cwd=repository, capture_output=True, text=True, check=True)
    assert {line[:2] for line in done.stdout.splitlines()} == {" D"}


def test_a_path_from_a_folder_of_the_repository(repository, monkeypatch):
    monkeypatch.chdir(repository / "results")
    assert len(read_records("HEAD:./baselines/toy/seed").trials) == 2
    assert len(read_records(f"HEAD:{LABEL}/toy/seed").trials) == 2
    file = read_records("HEAD:./baselines/toy/seed").trials[0].place.split("/")[-1]
    assert len(read_records(f"HEAD:./baselines/toy/seed/{file}").trials) == 1
    monkeypatch.chdir(repository / LABEL / "toy" / "seed")
    assert len(read_records(f"HEAD:./{file}").trials) == 1


def test_records_at_the_root_of_a_repository(here):
    git(here, "init")
    write(here, some_trials("bpr", seeds=1))
    git(here, "add", "-A")
    git(here, "commit", "-m", "x")
    assert len(read_records("HEAD:").trials) == 1
    assert len(read_records(f"HEAD:{next(here.glob('*.json')).name}").trials) == 1


def test_revisions_that_cannot_be_read(repository):
    for revision in ("nowhere", "--all", ""):
        with pytest.raises(RecbenchError, match=f"git knows no revision '{revision}'"):
            read_records(f"{revision}:{LABEL}")
    with pytest.raises(NothingToCompareError, match="Revision HEAD has no baselines/seed"):
        read_records("HEAD:baselines/seed")
    with pytest.raises(NothingToCompareError, match=f"There are no records in HEAD:{LABEL}"):
        read_records(f"HEAD:{LABEL}")


def test_no_repository(here, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(here.parent))
    with pytest.raises(RecbenchError, match="is not in a git repository"):
        read_records("HEAD:runs")


def test_an_empty_folder_says_where_there_are_records(here):
    write(here / "runs" / "toy" / "seed", some_trials("bpr", seeds=1))
    with pytest.raises(NothingToCompareError, match="There are no records in runs.(.|\n)*runs/toy/seed"):
        read_records("runs")


def test_a_set_against_itself(here):
    write(here / LABEL / "toy" / "seed", some_trials("bpr", seeds=1))
    with pytest.raises(RecbenchError, match="BASE and CURRENT are the same records"):
        compare("seed", f"{LABEL}/toy/../toy/seed")


def test_a_set_that_is_part_of_the_other(here):
    write(here / LABEL / "one" / "seed", some_trials("bpr", seeds=2))
    write(here / LABEL / "two" / "seed", some_trials("ncf", seeds=1))
    with pytest.raises(RecbenchError, match="have records in common: seed and results/baselines/one/seed"):
        compare("seed", f"{LABEL}/one/seed")
    first = str(next((here / LABEL / "one" / "seed").glob("*.json")))
    with pytest.raises(RecbenchError, match="have records in common"):
        compare(first, f"{LABEL}/one/seed")
    compare(f"{LABEL}/one/seed", f"{LABEL}/two/seed")


def test_a_set_of_a_revision_against_itself(repository):
    with pytest.raises(RecbenchError, match="are the same records"):
        compare(f"HEAD:{LABEL}/toy/seed", f"trunk:{LABEL}/toy/seed")


def test_where_nothing_was_ever_accepted_a_label_is_no_baseline(here):
    with pytest.raises(NothingToCompareError, match="no baseline was accepted under results/baselines yet"):
        read_records("main")


def test_damaged_ranks_are_told_of(here):
    """Whatever byte is damaged, it is noticed, or it is one that no rank hangs on."""
    folder = write(here / "runs", [a_trial("bpr", 0, n=40)])
    (path,) = folder.glob("*.npz")
    content, good = path.read_bytes(), read_records("runs").trials[0].candidate_ranks
    messages = []
    for place in range(0, len(content), 9):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            ranks = read_records("runs").trials[0].candidate_ranks
        except RecbenchError as error:
            messages.append(error.message)
        else:
            assert all(np.array_equal(getattr(ranks, name), getattr(good, name)) for name in RANK_ARRAYS)
    assert len(messages) > len(content) / 9 / 2
    assert all("runs/toy--bpr" in message for message in messages)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["metrics"]["hr@10"].update(mean=0.9), r"metrics.hr@10.mean is 0.9, but its ranks give 0\.4"),
        (lambda c: c["metrics"]["ndcg@10"].update(mean=0.9), r"metrics.ndcg@10.mean is 0.9, but its ranks give 0\.2"),
        (lambda c: c["metrics"]["hr@10"].update(user_mean=0.9), r"metrics.hr@10.user_mean is 0.9, but its ranks give"),
        (lambda c: c["metrics"]["hr@10"].update(optimistic=0.9), r"hr@10.optimistic is 0.9, but its ranks give 0\.4"),
        (lambda c: c["metrics"]["auc"].update(pessimistic=0.1), r"auc.pessimistic is 0.1, but its ranks give"),
        (lambda c: c.update(ties_across_cut={"10": 0.5}), r"ties_across_cut.10 is 0.5, but its ranks give 0\.0"),
        (lambda c: c.update(n_users=3), "n_users is 3, but its ranks have 1200 users"),
        (lambda c: c.update(n_cases=1300), "n_cases is 1300, but its ranks have 1200 cases"),
        (lambda c: c.update(metrics={}), "stores no hr@k"),
        (lambda c: c.update(metrics={"hr@10": {"mean": 0.5}}), "metrics.hr@10.user_mean: Field required"),
        (lambda c: c["metrics"]["hr@10"].update(mean=float("nan")), "metrics.hr@10.mean: Input should be a finite"),
        (lambda c: c.update(schema=9), "written by a newer recbench: its schema is 9"),
        (lambda c: c.update(verdict="fine"), "verdict: Extra inputs are not permitted"),
    ],
)
def test_a_record_that_was_changed_by_hand(here, change, message):
    folder = write(here / "runs", some_trials("bpr", seeds=1))
    (path,) = folder.glob("*.json")
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(RecbenchError, match=message) as caught:
        read_records("runs")
    assert f"runs/{path.name}" in str(caught.value)


def test_a_record_of_a_revision_is_called_by_its_place(repository):
    folder = write(repository / LABEL / "toy" / "seed", some_trials("bpr", seeds=1))
    next(folder.glob("*.npz")).unlink()
    git(repository, "add", "-A")
    git(repository, "commit", "-m", "x")
    with pytest.raises(RecbenchError, match=rf"The ranks HEAD:{LABEL}/toy/seed/.*\.npz of a record are missing"):
        read_records(f"HEAD:{LABEL}/toy/seed")


def check(record, ranks):
    check_consistency(FinishedTrial.in_memory(record, ranks, "runs/x.json"))


def test_ranks_that_no_case_can_have():
    trial = a_trial("bpr", 0)
    for change in (
        {"better": trial.candidate_ranks.better + 101},
        {name: np.full_like(trial.candidate_ranks.better, np.iinfo(np.int32).max) for name in ("better", "tied")},
        {"tied": trial.candidate_ranks.tied - 1},
        {"better": trial.candidate_ranks.better[:-1]},
        {"better": trial.candidate_ranks.better.astype(np.float64)},
        {"users": trial.candidate_ranks.users.astype(np.int64)},
    ):
        arrays = {name: getattr(trial.candidate_ranks, name) for name in ("users", "n_others", "better", "tied")}
        with pytest.raises(RecbenchError, match="is inconsistent: its ranks"):
            check(trial.record, TrialRanks(Ranks(**{**arrays, **change})))
    empty = Ranks(*(np.zeros(0, dtype=np.int32) for _ in range(4)))
    with pytest.raises(RecbenchError, match="is inconsistent"):
        check(trial.record, TrialRanks(empty))


@pytest.mark.parametrize("digits", [20, 5000])
def test_a_cut_off_that_is_no_number_of_places_is_none_of_the_metrics(digits):
    trial = a_trial("bpr", 0)
    value = next(iter(trial.record.metrics.values()))
    name = f"hr@{'9' * digits}"
    more = trial.record.model_copy(update={"metrics": {**trial.record.metrics, name: value}})
    check(more, trial.ranks)
    only = trial.record.model_copy(update={"metrics": {name: value}})
    with pytest.raises(RecbenchError, match="stores no hr@k"):
        check(only, trial.ranks)


def test_figures_of_the_whole_catalogue_follow_from_its_ranks(here):
    trial = a_trial("bpr", 0)
    far = replace(
        trial.candidate_ranks, n_others=trial.candidate_ranks.n_others * 10, better=trial.candidate_ranks.better * 10
    )
    values = {name: MetricValue(**asdict(value)) for name, value in compute_metrics(far, (10,)).items()}
    catalogue = CatalogueValue(metrics=values, list_length=10, coverage=0.5, gini=0.5, popularity=0.5, seconds=1.0)
    record = trial.record.model_copy(update={"catalogue": catalogue})
    check(record, TrialRanks(trial.candidate_ranks, far))
    with pytest.raises(RecbenchError, match="only one of figures and ranks of the full ranking"):
        check(record, trial.ranks)
    with pytest.raises(RecbenchError, match=r"catalogue.metrics.hr@10.mean is 0\.0"):
        check(record, TrialRanks(trial.candidate_ranks, trial.candidate_ranks))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository with a baseline of the label main, and a folder in it."""
    folder = tmp_path / "project"
    (folder / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(folder)
    subprocess.run(["git", "init", "-q"], check=True)
    trials = a_run(tmp_path / "run", a_record("bpr", 0))
    baselines.accept(trials, "main")
    return folder


def test_a_folder_called_like_a_label(project):
    Path("main").mkdir()
    Path("main/package.json").write_text("{}")
    assert len(read_records("main").trials) == 1
    Path("best").write_text("a file")
    assert len(read_records("best").trials) == 1
    Path("main/package.json").unlink()
    a_run(project / "main", a_record("bpr", 0), a_record("ncf", 0))
    records = read_records("main")
    assert (len(records.trials), records.hidden) == (1, Path("main"))
    assert len(read_records("./main").trials) == 2
    assert len(read_records("results/baselines/toy/main").trials) == 1


def test_a_label_in_a_subfolder_of_the_repository(project, tmp_path, monkeypatch):
    monkeypatch.chdir("a/b")
    assert len(read_records("main").trials) == 1
    assert results_folder() == Path("../../results")
    assert len(history.read()) == 1
    assert list(baselines.accepted_groups()) == [("toy", "best"), ("toy", "main")]
    baselines.accept(read_records(str(tmp_path / "run")), "main", refresh_timings=True)
    baselines.release("main", "v1")
    assert not Path("results").exists()
    assert len(history.read(project / "results" / "history.jsonl")) == 2
    # A folder without a baseline hides none; baselines of a subfolder come first, and lack no label of the root.
    Path("results/baselines/toy").mkdir(parents=True)
    assert len(read_records("main").trials) == 1
    a_run(Path("results/baselines/toy/own"), a_record("bpr", 0), a_record("ncf", 0))
    assert results_folder() == Path("results")
    assert (len(read_records("own").trials), len(read_records("main").trials)) == (2, 1)
    # Another repository has its own baselines.
    Path(".git").mkdir()
    with pytest.raises(RecbenchError, match="Unknown records 'main'"):
        read_records("main")


def test_a_label_that_is_replaced_while_it_is_read_is_read_again(project, tmp_path, monkeypatch):
    new = a_run(tmp_path / "new", a_record("bpr", 0, parameters={"factors": 8, "epochs": 2}))
    read, calls = selection._Reader.read, []

    def replaced_meanwhile(reader, path, place):
        calls.append(path)
        if len(calls) == 1:
            baselines.accept(new, "main")
        return read(reader, path, place)

    monkeypatch.setattr(selection._Reader, "read", replaced_meanwhile)
    (trial,) = read_records("main").trials
    assert trial.record.parameters["factors"] == 8
    assert len(calls) == 2


def test_a_trial_that_lies_in_a_folder_twice_is_not_accepted(project, tmp_path):
    for path in list((tmp_path / "run").glob("toy--*")):
        shutil.copyfile(path, path.with_name(f"copy-{path.name}"))
    with pytest.raises(RecbenchError, match="Seed 0 of bpr occurs twice"):
        baselines.accept(read_records(str(tmp_path / "run")), "main", force=True)
    assert len(history.read()) == 1


def test_a_task_means_all_its_replicas(tmp_path):
    names = {"loo", "loo@0", "loo@12", "other@0"}
    assert names_meant("loo", names, "task") == {"loo", "loo@0", "loo@12"}
    assert names_meant("loo@0", names, "task") == {"loo@0"}
    spec = tmp_path / "mine.toml"
    spec.write_text(f'name = "other"\n{SPEC}')
    assert names_meant(spec, names, "task") == names_meant(f"{spec}@0", names, "task") == {"other@0"}
    with pytest.raises(RecbenchError, match="Unknown task 'lo'. Did you mean: loo"):
        names_meant("lo", names, "task")
