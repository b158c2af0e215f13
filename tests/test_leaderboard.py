"""The page of a task's records."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recbench.cli.app import app
from recbench.errors import RecbenchError
from recbench.escaping.markdown import markdown
from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.metric_names import parse_measure
from recbench.output_files import OutputFile
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.published_results import PublishedResult, load_published
from recbench.records.schema import CatalogueValue, Status, TaskIdentity
from recbench.records.selection import read_records
from recbench.records.tuned_settings import (
    ConfigurationOrigin,
    Edge,
    Effort,
    TrialCounts,
    TunedModel,
    TunedSettings,
    save,
)
from recbench.reports.pages.catalogue_caution import catalogue_caution
from recbench.reports.pages.effort_marks import Mark, effort_marks
from recbench.reports.pages.leaderboard import LeaderboardSources, leaderboard
from recbench.reports.pages.published_comparison import OwnFigure, beside_published
from recbench.reports.run.summary import summarise
from recbench.reports.spread import Spread
from recbench.tasks.exchange.forms import UniformNegatives
from recbench.tasks.kept import Counts, Kept
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

note = "Tuned on the test set."

[[results]]
model = "popularity"
method = "Popularity"
"hr@10" = 0.282
full = {{ "recall@20" = 0.10, "user-ndcg@20" = 0.05 }}
source = "A paper"

[[results]]
method = "Nobody runs it"
"hr@10" = 0.9
"ndcg@10" = 0.80
source = "Another paper"
note = "Tuned on the test set."
"""


def some_settings(digest=DIGEST):
    old = a_provenance(default_score=0.1, validation_score=0.2)
    new = old.model_copy(
        update={
            "trials": TrialCounts(completed=9, pruned=6),
            "origin": ConfigurationOrigin.KNOWN,
            "known_source": "a paper on other data",
            "known_tried": ("a paper on other data",),
            "equals_defaults": False,
            "best_scores": (0.2, 0.19, 0.185),
            "at_edge": {"factors": Edge.HIGH},
            "joules": 1234.5,
            "search_began_at": datetime(2026, 1, 1, tzinfo=UTC),
            "earlier": Effort(searches=1, trials=20, seconds=60.0),
        }
    )
    space = texts(SPACE.parameters)
    models = {
        "bpr": TunedModel(parameters=TUNED, provenance=new, search_space=space),
        "twin": TunedModel(parameters={}, provenance=old),
    }
    return TunedSettings(task=TaskIdentity(name="toy", digest=digest), models=models)


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
    names = {trial.record.reference: trial.record.model for trial in trials}
    defaults = {trial.record.reference: {"factors": 32, "epochs": 20, "loss": "bpr"} for trial in trials}
    known = {"bpr": SPACE}
    return LeaderboardSources("records", trials, some_settings(), published, known, names, defaults=defaults)


def test_the_page(sources, request):
    check_golden("leaderboard.md", leaderboard(sources), request)


@pytest.mark.parametrize("now", [{}, {"bpr": ModelSpace({"factors": Range(low=8, high=64)})}])
def test_a_model_that_was_tuned_in_another_space_is_named(sources, now):
    page = leaderboard(replace(sources, spaces=now))
    assert (
        "- Tuned in another search space than the present one: bpr (epochs=7). The settings file holds that space."
        in page
    )
    budget = "--metric ndcg@10 --trials 20 --budget 60 --threads 1 --seed 0"
    assert f"recbench tune --models bpr --task toy {budget} --spaces FILE" in page


def test_a_figure_of_a_page_is_in_a_narrow_table_and_on_one_line(sources):
    long, value = "n" * 200, "v" * 300
    trials = [
        *two_seeds("mf", skill=0.6, parameters={"text": value}),
        *two_seeds(long, skill=0.5),
        *some_trials("broken", seeds=1, status=Status.FAILED, error="x"),
    ]
    page = leaderboard(replace(sources, trials=trials, defaults={}))
    tables = re.findall(r"(?:^\|.*\n)+", page.partition("## Pairs")[0], re.MULTILINE)
    accuracy, full, cost = ([row.split(" | ") for row in table.splitlines()] for table in tables)
    assert max(len(row) for table in (accuracy, full, cost) for row in table) <= 7
    assert [cell.strip(" |") for cell in full[0]][1:3] == ["full HR@10", "full NDCG@10"]
    assert [cell.strip(" |") for cell in cost[0]] == ["model", "epochs", "fit s", "interactions/s", "status"]
    assert re.search(r"\d\xa0±\xa0\d", page)
    assert not re.search(r"\d ± \d", page.partition("## Pairs")[0])
    assert not any(text in table for text in (long, value) for table in tables)
    anchors = re.findall(r'<a id="([\w-]+)"></a>', page)
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) == set(anchors)
    assert len(set(anchors)) == 3
    assert long in page.partition("## Hyper-parameters")[2]


def two_seeds(model, skill, **changes):
    return [a_full_trial(model, seed, skill, **changes) for seed in range(2)]


@pytest.mark.parametrize("items", [1682, None])
def test_the_caution_names_the_size_of_the_catalogue(items):
    hr, yes = parse_measure("hr@10"), UniformNegatives.YES
    (caution,) = catalogue_caution([a_full_trial(n_items=items, uniform_negatives=yes)], [hr], uniform=True)
    assert ("among 100 of the 1,682 items of the catalogue" in caution) == (items is not None)
    assert "The full ranking of a case has 201 items on average" in caution
    assert catalogue_caution([a_full_trial()], [parse_measure("full-hr@10")], uniform=True) == []
    every = replace(a_full_trial().ranks, catalogue=a_full_trial().candidate_ranks)
    trial = FinishedTrial.in_memory(a_full_trial(n_items=items).record, every, "bpr.json")
    (all_items,) = catalogue_caution([trial], [hr], uniform=True)
    assert all_items.startswith(
        "The candidates of a case are all items that its user has not interacted with: 101 of the"
    )
    (without,) = catalogue_caution(some_trials("bpr", seeds=1, n_items=items), [hr], uniform=False)
    assert "it does not estimate the full ranking. For the exact value in the full ranking, run with --full." in without


def test_only_the_best_of_many_configurations_are_compared(sources, monkeypatch):
    monkeypatch.setattr("recbench.reports.run.best_compared.MOST_COMPARED", 2)
    page = leaderboard(sources)
    assert "Only the best 2 of 4 configurations are compared with each other, and have confidence intervals." in page
    assert "of 1 pairs" in page


def test_many_pairs_are_counted_and_no_name_is_cut():
    names = [f"*{letter}_ {'&' * 30}*" for letter in "abcdefghijklmno"]
    trials = [trial for name in names for trial in some_trials(name, 0.5, n=60, seeds=1)]
    page = leaderboard(LeaderboardSources("records", trials, None, None, {}, {}))
    (line,) = re.findall(r"^- By HR@10, 105 of 105 pairs: (.*)$", page, re.MULTILINE)
    pairs = re.split(r"; (?=\\\*|and )", line)
    assert (len(pairs), pairs[-1]) == (101, "and 5 more.")
    assert {name for pair in pairs[:-1] for name in pair.partition(" (")[0].split(" and ")} == {*map(markdown, names)}


def test_a_page_has_two_formats(tmp_path, monkeypatch, capfd, places):
    monkeypatch.chdir(tmp_path)
    arguments = ["leaderboard", "records", "--format", "latex"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert CliRunner().invoke(app, [*arguments, "--check"]).exit_code == 0
    source = Path("results/toy.tex").read_text()
    assert source.startswith("% Generated by recbench, checksum ")
    assert source.count("\\begin{tabular}") == 2
    refused = CliRunner().invoke(app, ["leaderboard", "records", "--format", "csv"])
    assert refused.exception.message == "leaderboard does not write csv."


def test_marks_of_a_tuning():
    few = a_provenance(trials=TrialCounts(completed=9, pruned=20))
    assert effort_marks(few, is_below=True) == {Mark.BELOW: "below published", Mark.FEW_TRIALS: "few trials"}
    enough = a_provenance(trials=TrialCounts(completed=10))
    assert effort_marks(enough, is_below=False) == {}
    for changes in ({"equals_defaults": True}, {"equals_defaults": False, "origin": ConfigurationOrigin.DEFAULT}):
        assert effort_marks(enough.model_copy(update=changes), is_below=False) == {Mark.DEFAULTS: "= defaults"}
    searched = enough.replacing(few)
    assert effort_marks(searched, is_below=False) == {Mark.SEARCHES: "2 searches (39 trials, 120 s)"}
    edges = enough.model_copy(update={"at_edge": {"l2": Edge.LOW, "l1": Edge.HIGH}})
    assert effort_marks(edges, is_below=False) == {Mark.EDGE: "edge: l2 (low), l1 (high)"}


def test_the_verb_writes_and_checks(recbench, tmp_path, places):
    with_files = ("--settings", "settings.toml", "--published", "published.toml")
    assert recbench("leaderboard", "records", *with_files, "--check").returncode == 1
    assert recbench("leaderboard", "records", *with_files).stdout == "results/toy.md written\n"
    assert recbench("leaderboard", "records", *with_files, "--check").stdout == "results/toy.md is current\n"
    page = (tmp_path / "results" / "toy.md").read_text()
    assert "Published results" in page
    assert recbench("leaderboard", "records").returncode == 0
    assert "published" not in (tmp_path / "results" / "toy.md").read_text()


def test_files_for_another_task_are_never_mixed_in(tmp_path, monkeypatch, capfd, places):
    monkeypatch.chdir(tmp_path)
    other = "sha256:" + "0" * 64
    settings, published = Path("results/settings/toy.toml"), Path("results/published/toy.toml")
    for file in (settings, published):
        file.parent.mkdir(parents=True)
    save(some_settings(other), OutputFile(settings))
    published.write_text(PUBLISHED.replace(DIGEST, other))
    of = f"for the task {other}; the records are of {DIGEST}."
    build = "Or build the task of that file: recbench task build toy.toml"
    by_name = CliRunner().invoke(app, ["leaderboard", "records"])
    assert by_name.exit_code == 0
    assert capfd.readouterr().err.splitlines() == [
        f"{settings} holds tuned settings {of} They are left out. To show settings for this task: --settings FILE.",
        f"{published} holds published results {of} They are left out. To show results for this task: --published FILE. "
        f"{build}",
    ]
    page = Path("results/toy.md").read_text()
    assert "Nobody runs it" not in page
    assert "origin" not in page
    for option, file, message, hint in (
        ("--settings", settings, "tuned settings", ""),
        ("--published", published, "published results", f" {build}"),
    ):
        given = CliRunner().invoke(app, ["leaderboard", "records", option, str(file)])
        assert given.exception.message == f"{file} holds {message} {of}"
        assert given.exception.hint == f"Give the file for the task of the records, or leave out {option}.{hint}"


def test_significantly_below_takes_the_interval_and_the_seeds():
    interval = Interval(0.48, 0.52)
    figure = OwnFigure(Spread((0.45, 0.55), 0.5, 0.05), interval)
    assert [figure.is_below(published) for published in (0.51, 0.53, 0.56)] == [False, False, True]
    one_seed = OwnFigure(Spread((0.5,), 0.5, None), interval)
    assert [one_seed.is_below(published) for published in (0.51, 0.53)] == [False, True]
    assert not OwnFigure(Spread((0.5,), 0.5, None), None).is_below(0.9)


def a_full_trial(model="bpr", seed=0, skill=0.6, **changes):
    """A trial with a full ranking of 201 items, and two cases a user in it."""
    first = some_trials(model, skill, seeds=seed + 1)[seed]
    sampled = first.candidate_ranks
    ranks = replace(sampled, users=sampled.users // 2, better=sampled.better + 15, n_others=sampled.n_others + 100)
    catalogue = CatalogueValue(metrics={}, list_length=10, coverage=0.5, gini=0.5, popularity=0.5, seconds=1.0)
    record = first.record.model_copy(update={"catalogue": catalogue, **changes})
    return FinishedTrial.in_memory(record, TrialRanks(sampled, ranks), f"{model}.json")


def test_a_page_says_how_much_of_the_data_the_task_keeps():
    def page(**kept):
        counts = Kept(read=Counts(rows=100, users=50, items=20), kept=Counts(**kept)) if kept else None
        trials = some_trials("bpr", seeds=1, kept=counts)
        return leaderboard(LeaderboardSources("records", trials, None, None, {}, {}))

    shown = page(rows=30, users=1, items=10)
    assert "keep 30 of 100 rows (30.0%), 1 of 50 users (2.0%) and 10 of 20 items (50.0%)." in shown
    assert "a k-core can leave only 2 %" in shown
    # Nothing is said where nothing is left out, or where an older record does not tell.
    assert "k-core" not in page(rows=100, users=50, items=20) + page()


def test_a_page_says_why_it_has_no_corrected_metrics():
    def page(*answers, failed=False):
        trials = [a_full_trial(f"m{n}", uniform_negatives=answer) for n, answer in enumerate(answers)]
        others = some_trials("broken", seeds=1, status=Status.FAILED, error="x") if failed else []
        return leaderboard(LeaderboardSources("records", [*trials, *others], None, None, {}, {}))

    yes, no, unknown = UniformNegatives
    missing = "- Corrected metrics are missing: the "
    # A trial that failed does not say how the negatives were drawn, and changes nothing.
    for failed in (False, True):
        shown = page(yes, yes, failed=failed)
        assert "| corrected HR@10 |" in re.sub(" +", " ", shown)
        assert "- corrected HR@10 and NDCG@10: a perfect model has 1.001 and 0.944." in shown
        assert missing not in shown
        assert f"{missing}negatives were not drawn uniformly." in page(no, failed=failed)
    # Records that contradict each other have no corrected figures at all: those of some models would mislead.
    for answers in ((unknown,), (None,), (yes, no)):
        hidden = page(*answers)
        assert f"{missing}records do not say that the negatives were drawn uniformly." in hidden
        assert "corrected HR@10" not in hidden


def test_published_figures_in_the_full_ranking_are_compared_with_full_ranks():
    trial = a_full_trial()
    sampled, ranks = trial.candidate_ranks, trial.full_ranks
    result = PublishedResult.model_validate(
        {"model": "bpr", "method": "BPR", "source": "A paper", "hr@10": 0.9, "full": {"recall@20": 0.9, "hr@10": 0}}
    )
    (row,) = beside_published(summarise([trial], ()), [result])
    recall, hr = parse_measure("full-recall@20"), parse_measure("hr@10")
    assert row.own[recall].spread.mean == recall.values(ranks).mean()
    assert row.own[hr].spread.mean == hr.values(sampled).mean()
    assert all(
        figure.interval.low < figure.spread.mean < figure.interval.high
        for figure in row.own.values()
        if figure.spread.mean
    )
    assert row.below == (hr, recall)
    too_many = PublishedResult.model_validate(
        {"model": "bpr", "method": "BPR", "source": "A paper", "full": {"recall@202": 0.9}}
    )
    with pytest.raises(
        RecbenchError, match="Published results, full-recall@202: the cut-off is more than the 201 items"
    ):
        beside_published(summarise([trial], ()), [too_many])


def test_the_files_of_published_results_in_this_repository_can_be_read():
    files = {path.stem: load_published(path) for path in (Path(__file__).parents[1] / "results/published").iterdir()}
    assert files["ncf-ml-1m"].digest.startswith("sha256:d06a5d776341")
    assert files["gowalla"].digest.startswith("sha256:15bd93278888")
    assert all(result.full for result in files["gowalla"].results)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema = 1", "digest: Field required"),
        (PUBLISHED.replace("0.61", "61"), "results.0.hr@10: Input should be less than or equal to 1"),
        (PUBLISHED.replace('"hr@10" = 0.61', '"hr@10" = nan'), "results.0.hr@10: Input should be a finite number"),
        (PUBLISHED.replace('"hr@10" = 0.61', ""), "results.0: no metric, such as"),
        (PUBLISHED.replace('"hr@10" = 0.61', '"hr@10" = 0.61\n"HR@10" = 0.7'), "hr@10 is given twice"),
        (PUBLISHED.replace('"hr@10" = 0.61', "hr = 0.61"), "The metric hr needs a cut-off"),
        (PUBLISHED.replace("source", "sorce", 1), r"unknown key or metric 'sorce'. Did you mean: source\?$"),
        (PUBLISHED.replace("recall@20", "recal@20"), "Unknown metric 'recal'. Did you mean: recall"),
        ("schema = [", "not valid TOML"),
        (None, "No such file"),
    ],
)
def test_published_results_that_cannot_be_read(tmp_path, text, message):
    path = tmp_path / "p.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RecbenchError) as caught:
        load_published(path)
    assert re.search(message, caught.value.message)
