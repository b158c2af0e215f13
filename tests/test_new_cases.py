"""Cases of items or users without train rows: told below each table, and left out of a figure where they matter."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recbench.data.archives import DamagedArchiveError
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.new_cases import NewCases, ranks_of_known
from recbench.evaluation.ranking import Ranks
from recbench.experiments.evaluate import evaluate
from recbench.records import ranks_file
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.grouping import group_trials
from recbench.records.replacement import combined
from recbench.records.schema import CatalogueValue
from recbench.reports.compare.comparison import compare_records
from recbench.reports.compare.gate import decide_verdicts
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.table import compare_table
from recbench.reports.formats import Format
from recbench.reports.new_cases import NewCaseCounts, known_figures
from recbench.reports.pages.baselines import baselines_page
from recbench.reports.pages.leaderboard import LeaderboardSources, leaderboard
from recbench.reports.run.measures_table import measures_table
from recbench.reports.run.run_report import run_report
from recbench.reports.run.table import run_table
from recbench.reports.sweep.table import sweep_table
from recbench.tasks.make import make_task
from tests.examples import ENVIRONMENT, TASK, a_set, a_trial

HR, NDCG, PER_USER = map(parse_measure, ("hr@10", "ndcg@10", "user-ndcg@10"))
SKILLS = (("bpr", 0.5), ("ease", 0.6))


def new_cases(items=(), users=()):
    return NewCases(np.array(items, dtype=np.int32), np.array(users, dtype=np.int32))


def told(trial, new):
    """The trial as a record that tells which cases are new."""
    return FinishedTrial.in_memory(trial.record, replace(trial.ranks, new=new), trial.place)


@pytest.fixture(scope="module")
def split():
    """Users 0 to 7 with train rows; user 8 and the items 6 and 7 have none."""
    users, items = np.nonzero(np.random.default_rng(0).random((8, 6)) < 0.4)
    test = {"user": [0, 1, 2, 8, 8], "item": [6, 7, 5, 6, 5]}
    rows = pd.DataFrame({"user": users, "item": items})
    rows = rows[~((rows.user == 2) & (rows.item == 5))]
    return make_task((rows, pd.DataFrame(test)), negatives=1, waivers=["cold-cases"])


def test_new_cases_are_those_whose_item_or_user_has_no_train_row(split):
    new = NewCases.of(split)
    pairs = [(split.user_ids[u], split.item_ids[i]) for u, i in zip(split.test.users, split.test.items, strict=True)]
    assert new.items.tolist() == [place for place, (_, item) in enumerate(pairs) if item in ("6", "7")]
    assert new.users.tolist() == [place for place, (user, _) in enumerate(pairs) if user == "8"]
    assert (len(new.items), len(new.users)) == (3, 2)
    assert new.among(len(pairs)).tolist() == [pair != ("2", "5") for pair in pairs]


def test_a_trial_and_an_evaluation_tell_which_cases_are_new(split, tmp_path):
    run = evaluate(split, lambda users, items: -items.astype(np.float32), name="mine", ks=(1,), output=tmp_path)
    stored = ranks_file.load_ranks(run.trials[0].path)
    assert stored.new is not None
    for name in ("items", "users"):
        assert np.array_equal(getattr(stored.new, name), getattr(NewCases.of(split), name))
    line = (
        "3 of 5 cases (60.0 %) are of items without train rows, 2 (40.0 %) of users without train rows; 4 (80.0 %) in"
    )
    assert f"{line} all." in str(run)
    assert run.document()["new_cases"] == {
        "cases": 5, "of_new_items": 3, "of_new_users": 2, "new": 4, "shown_from": 0.01
    }  # fmt: skip
    (trial,) = run.trials
    older = replace(run, trials=(told(trial, None),))
    assert older.document()["new_cases"] == run.document()["new_cases"]


def test_ranks_without_new_cases_are_older_records_and_damaged_ones_are_refused():
    ranks = a_trial("bpr", 0, n=4).candidate_ranks
    content = ranks_file.ranks_to_bytes(TrialRanks(ranks))
    assert ranks_file.ranks_from_bytes(content, 4).new is None
    none = ranks_file.ranks_from_bytes(ranks_file.ranks_to_bytes(TrialRanks(ranks, new=new_cases())), 4).new
    assert none is not None
    assert len(none.items) == len(none.users) == 0
    for wrong in ((4,), (-1,), (1, 1), (2, 0)):
        for damaged in (new_cases(items=wrong), new_cases(users=wrong)):
            with pytest.raises(DamagedArchiveError, match="are not ascending places of its 4 cases"):
                ranks_file.ranks_from_bytes(ranks_file.ranks_to_bytes(TrialRanks(ranks, new=damaged)), 4)


def test_a_full_ranking_that_is_kept_keeps_the_new_cases():
    """A record of an older run has a full ranking, and the new one tells which cases are new; or the reverse."""
    trial = a_trial("bpr", 0, n=30)
    ranks, new = trial.ranks.candidates, new_cases(items=[3])
    catalogue = CatalogueValue(
        metrics=trial.record.metrics, list_length=10, coverage=0.5, gini=0.5, popularity=0.5, seconds=1.0
    )
    full_record = trial.record.model_copy(update={"catalogue": catalogue})
    for of_full, of_new in ((None, new), (new, None)):
        full = FinishedTrial.in_memory(full_record, TrialRanks(ranks, ranks, of_full), "")
        again = FinishedTrial.in_memory(trial.record, TrialRanks(ranks, None, of_new), "")
        merged = combined(full, again, lambda record: True)
        assert merged.ranks.catalogue is ranks
        assert merged.ranks.new is new


def test_figures_of_the_known_cases_are_those_of_ranks_without_the_others():
    trials = [told(a_trial("bpr", seed, 0.4, n=40), new_cases(items=[0, 5], users=[5, 7])) for seed in (0, 1)]
    known = known_figures(group_trials(trials), [HR, NDCG, PER_USER])
    keep = np.delete(np.arange(40), [0, 5, 7])
    assert set(known.figures[0]) == {"hr@10", "ndcg@10"}
    for measure in (HR, NDCG):
        expected = []
        for trial in trials:
            ranks = trial.candidate_ranks
            arrays = (ranks.users, ranks.n_others, ranks.better, ranks.tied)
            expected.append(measure.values(Ranks(*(array[keep] for array in arrays))).mean())
        assert known.figures[0][measure.name].values == pytest.approx(expected, abs=1e-12)
    assert known.measure == HR
    assert known_figures(group_trials(trials), [PER_USER, NDCG]).measure == NDCG


@pytest.mark.parametrize(
    ("items", "users", "line", "matters"),
    [
        (12, 0, "12 of 1,200 cases (1.0 %) are of items without train rows.", True),
        (11, 0, "11 of 1,200 cases (0.9 %) are of items without train rows.", False),
        (0, 84, "84 of 1,200 cases (7.0 %) are of users without train rows.", True),
        (5, 9, "5 of 1,200 cases (0.4 %) are of items without train rows, 9 (0.8 %) of users without", False),
        (0, 0, "All 1,200 cases are of items and users with train rows.", False),
        (1200, 1200, "1,200 of 1,200 cases (100.0 %) are of items without train rows, 1,200 (100.0 %) of", False),
    ],
)
def test_the_line_tells_the_shares_and_what_else_is_shown(items, users, line, matters):
    counts = NewCaseCounts(new_cases(range(items), range(users)), 1200)
    assert counts.matters == matters
    assert counts.line(None).startswith(line)
    if matters:
        assert counts.line(HR) == f"{counts.line(None)} known HR@10: HR@10 without these cases."


@pytest.mark.parametrize(("n_new", "matters"), [(12, True), (11, False)])
def test_all_tables_tell_the_share_and_show_known_cases_where_it_matters(n_new, matters):
    trials = [told(a_trial(name, 0, skill), new_cases(range(n_new))) for name, skill in SKILLS]
    report = run_report(TASK, trials, ENVIRONMENT, (10,))
    swept = [
        told(a_trial("bpr", 0, skill, parameters={"factors": n}), new_cases(range(n_new)))
        for n, (_, skill) in enumerate(SKILLS)
    ]
    sweep = run_report(TASK, swept, ENVIRONMENT, (10,))
    for text in (
        run_table(report, Format.TEXT),
        run_table(report, Format.HTML),
        leaderboard(LeaderboardSources("records", trials, None, None, {}, {})),
        baselines_page({"toy": trials}, "main", {}),
        compared(trials, trials, Format.TEXT),
        compared(trials, trials, Format.MARKDOWN),
        sweep_table(sweep, "factors"),
        sweep_table(sweep, "factors", Format.HTML),
    ):
        assert f"{n_new} of 1,200 cases" in text
        assert ("known HR@10: HR@10 without these cases." in text) == matters
        assert ("known HR@10" in text) == matters
    further = measures_table(report, [HR], Format.TEXT)
    assert f"{n_new} of 1,200 cases" in further
    assert "*: best; =: not significantly different from the best" in further


def test_the_known_cases_have_their_own_order_of_models():
    """A model that hits all new cases leads the table, and is the last where these are left out."""
    new = new_cases(range(120))
    lucky, able = a_trial("lucky", 0, 0.55), a_trial("able", 0, 0.6)
    lucky_ranks, able_ranks = (trial.candidate_ranks for trial in (lucky, able))
    lucky_ranks.better[:120], able_ranks.better[:120] = 0, 50
    trials = [told(lucky, new), told(able, new)]
    report = run_report(TASK, trials, ENVIRONMENT, (10,))
    of_all = [summary.metrics["hr@10"].mean for summary in report.summaries]
    of_known = [known["hr@10"].mean for known in report.of_known_cases]
    assert of_all[0] > of_all[1]
    assert of_known[0] < of_known[1]
    document, csv = json.loads(run_table(report, Format.JSON)), run_table(report, Format.CSV).splitlines()
    assert [result["known"]["hr@10"]["mean"] for result in document["results"]] == of_known
    column = csv[0].split(",").index("known_hr@10")
    assert [float(row.split(",")[column]) for row in csv[1:]] == of_known
    rows = run_table(report, Format.TEXT).splitlines()
    assert [f"{value:.4f}" in row for value, row in zip(of_known, rows[5:7], strict=True)] == [True, True]


def test_a_comparison_measures_the_known_cases_without_a_verdict():
    new = new_cases(range(100))
    base, current = a_trial("bpr", 0, 0.5), a_trial("bpr", 0, 0.5, luck=1)
    document = json.loads(compared([told(base, new)], [current], Format.JSON))
    expected = [HR.values(ranks_of_known(trial.candidate_ranks, new)) for trial in (base, current)]
    (result,) = document["results"]
    known = result["known"]["hr@10"]
    assert known["baseline"]["mean"] == pytest.approx(expected[0].mean(), abs=1e-12)
    assert known["current"]["mean"] == pytest.approx(expected[1].mean(), abs=1e-12)
    assert known["difference"] == pytest.approx((expected[1] - expected[0]).mean(), abs=1e-12)
    assert known["interval"][0] <= known["difference"] <= known["interval"][1]
    assert "verdict" not in known
    assert document["new_cases"][0] | {"task": None} == {
        "task": None, "cases": 1200, "of_new_items": 100, "of_new_users": 0, "new": 100, "shown_from": 0.01
    }  # fmt: skip


def test_records_that_do_not_tell_show_nothing():
    trials = [a_trial(name, 0, skill) for name, skill in SKILLS]
    report = run_report(TASK, trials, ENVIRONMENT, (10,))
    assert report.known is None
    document = json.loads(run_table(report, Format.JSON))
    assert document["new_cases"] is None
    assert [result["known"] for result in document["results"]] == [{}, {}]
    for text in (run_table(report, Format.TEXT), compared(trials, trials, Format.TEXT)):
        assert "train rows." not in text
        assert "known HR" not in text


def compared(base, current, form):
    comparison = compare_records(a_set("BASE", base), a_set("CURRENT", current), [HR, NDCG], resamples=200)
    return compare_table(decide_verdicts(comparison, Policy(), "recbench compare"), form)
