"""The page of a task's records."""

from dataclasses import replace

import pytest

from recbench.errors import RecbenchError
from recbench.output_files import OutputFile
from recbench.records.published_results import load_published
from recbench.records.schema import TaskIdentity
from recbench.records.selection import read_records
from recbench.records.tuned_settings import TunedModel, TunedSettings, save
from recbench.reports.pages.leaderboard import LeaderboardSources, leaderboard
from recbench.tuning.spaces import Known, ModelSpace, Range, texts
from tests.examples import DIGEST, some_trials, write
from tests.golden_files import check_golden
from tests.test_settings import a_provenance

TUNED = {"factors": 32, "epochs": 7}
SPACE = ModelSpace(
    {"factors": Range(low=8, high=128)},
    (Known(source="a paper", dataset="elsewhere", found_on=(), setting={"factors": 64}),),
)
PUBLISHED = f"""
schema = 1
digest = "{DIGEST}"
build = ["recbench task build toy.toml"]

[[results]]
model = "bpr"
method = "BPR | 64 factors"
"hr@10" = 0.61
source = "A paper"

[[results]]
model = "absent"
method = "Nobody runs it"
"hr@10" = 0.9
"ndcg@10" = 0.8
source = "Another paper"
"""


def some_settings(digest=DIGEST):
    provenance = a_provenance(default_score=0.1, validation_score=0.2, seconds_saved=12.4)
    one = TunedModel(parameters=TUNED, provenance=provenance, search_space=texts(SPACE.parameters))
    return TunedSettings(task=TaskIdentity(name="toy", digest=digest), models={"bpr": one})


@pytest.fixture
def places(tmp_path):
    run = write(
        tmp_path / "records",
        some_trials("bpr", 0.6, parameters={**TUNED, "loss": "bpr"}),
        some_trials("bpr", 0.55),
        some_trials("popularity", 0.3, parameters={}),
        some_trials("twin", 0.6, parameters={}),
    )
    (tmp_path / "published.toml").write_text(PUBLISHED)
    save(some_settings(), OutputFile(tmp_path / "settings.toml"))
    return run


@pytest.fixture
def sources(tmp_path, places):
    published = load_published(tmp_path / "published.toml")
    trials = read_records(str(places)).trials
    names = {one.record.reference: one.record.model for one in trials}
    return LeaderboardSources("records", trials, some_settings(), published, {"bpr": SPACE}, names)


def test_the_page(sources, request):
    check_golden("leaderboard.md", leaderboard(sources), request)


@pytest.mark.parametrize("now", [{}, {"bpr": ModelSpace({"factors": Range(low=8, high=64)})}])
def test_a_model_that_was_looked_for_elsewhere_is_told(sources, now):
    page = leaderboard(replace(sources, spaces=now))
    assert "- bpr was looked for in another space than it would be now: factors { low = 8.0, high = 128.0 }." in page
    assert "did well elsewhere" not in page
    assert "recbench tune --models bpr --task toy --trials 20 --budget 60 --threads 1 --seed 0 --spaces FILE" in page


def test_the_verb_writes_and_checks(recbench, tmp_path, places):
    with_files = ("--settings", "settings.toml", "--published", "published.toml")
    assert recbench("leaderboard", "records", *with_files, "--check").returncode == 1
    assert recbench("leaderboard", "records", *with_files).stdout == "results/toy.md written\n"
    assert recbench("leaderboard", "records", *with_files, "--check").stdout == "results/toy.md is current\n"
    page = (tmp_path / "results" / "toy.md").read_text()
    assert "Beside what was published" in page
    assert recbench("leaderboard", "records").returncode == 0
    assert "published" not in (tmp_path / "results" / "toy.md").read_text()


def test_files_about_another_task_are_refused(recbench, tmp_path, places):
    save(some_settings("sha256:" + "0" * 64), OutputFile(tmp_path / "other.toml"))
    done = recbench("leaderboard", "records", "--settings", "other.toml")
    assert done.returncode == 2
    assert "other.toml is about another task, of digest sha256:00" in done.stderr
    assert DIGEST in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema = 1", "digest: Field required"),
        (PUBLISHED.replace("0.61", "61"), "results.0.hr@10: Input should be less than or equal to 1"),
        ("schema = [", "not valid TOML"),
        (None, "No such file"),
    ],
)
def test_published_results_that_cannot_be_read(tmp_path, text, message):
    path = tmp_path / "p.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RecbenchError, match=message):
        load_published(path)
