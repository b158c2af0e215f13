"""Which trials are averaged, what they are called, and figures that follow from ranks at any cut-off."""

from dataclasses import replace

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.evaluation.correction import corrected
from recbench.evaluation.inference import Sample, infer
from recbench.evaluation.metric import Measure, custom_metric
from recbench.evaluation.metric_names import find_metric, measures_at, parse_measure
from recbench.evaluation.ranking import Ranks
from recbench.records import baselines, history
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.grouping import group_names, group_trials
from recbench.records.schema import CatalogueValue
from recbench.records.selection import read_records
from recbench.reports.formats import Format
from recbench.reports.pages.leaderboard import LeaderboardSources, leaderboard
from recbench.reports.plots.speed_quality import speed_quality
from recbench.reports.plots.speed_quality_axes import Cost
from recbench.reports.run.document import run_document
from recbench.reports.run.measures_table import measure_models
from recbench.reports.run.run_report import run_report
from recbench.reports.run.summary import summarise
from recbench.reports.run.table import run_table
from recbench.reports.trend import trends
from recbench.tasks.exchange.forms import UniformNegatives
from tests.examples import ENVIRONMENT, TASK, a_set, a_trial, some_trials, write

NAMES = {f"models.{name}:Model": name for name in ("bpr", "ncf", "worse")}
HR, NDCG, RECALL = (parse_measure(text) for text in ("hr@10", "ndcg@10", "recall@10"))
LISTS = CatalogueValue(metrics={}, list_length=10, coverage=0.5, gini=0.5, popularity=0.5, seconds=1.0)


def stored_at_5(trial):
    """The trial as a run with ``--k 5`` leaves it."""
    five = {name: value for name, value in trial.record.metrics.items() if "@" not in name}
    of_5 = {"mean": trial.mean(parse_measure("hr@5")), "user_mean": 0.0, "optimistic": 0.0, "pessimistic": 0.0}
    metrics = {**five, "hr@5": of_5 | dict.fromkeys(("user_mean", "optimistic", "pessimistic"), of_5["mean"])}
    record = type(trial.record).model_validate({**trial.record.model_dump(by_alias=True), "metrics": metrics})
    return FinishedTrial.in_memory(record, trial.ranks, trial.place)


def two_thread_counts():
    return [*some_trials("bpr", seeds=2), *some_trials("bpr", seeds=2, threads=2), *some_trials("ncf", 0.6, seeds=2)]


def test_conditions_are_never_averaged_and_names_tell_them_apart():
    groups = group_trials([*two_thread_counts(), *some_trials("bpr", seeds=1, parameters={"factors": 8})])
    assert [len(group.trials) for group in groups] == [2, 2, 2, 1]
    assert group_names(groups) == [
        "bpr (factors=64, epochs=20, 1 thread)",
        "bpr (factors=64, epochs=20, 2 threads)",
        "ncf",
        "bpr (factors=8, 1 thread)",
    ]
    assert group_names(group_trials(two_thread_counts())) == ["bpr (1 thread)", "bpr (2 threads)", "ncf"]
    gpu = group_trials([*some_trials("bpr", device="cpu"), *some_trials("bpr", device="gpu")])
    assert group_names(gpu) == ["bpr (device cpu)", "bpr (device gpu)"]


def test_a_value_of_none_differs_from_none_at_all():
    groups = group_trials([*some_trials("a", parameters={"x": None}), *some_trials("a", parameters={})])
    assert group_names(groups) == ["a (x=None)", "a"]


def test_sources_tell_apart_what_is_the_same_otherwise():
    groups = [*group_trials(some_trials("bpr")), *group_trials(some_trials("bpr")), *group_trials(some_trials("ncf"))]
    assert group_names(groups, ["before", "after", "after"]) == ["bpr (before)", "bpr (after)", "ncf"]


def test_every_report_has_a_row_for_each_thread_count():
    records = a_set("run", two_thread_counts())
    names = ["bpr (1 thread)", "bpr (2 threads)", "ncf"]
    assert [summary.name for summary in summarise(records.trials, [HR])] == names
    assert [point.label for point in speed_quality([records], HR, Cost.THROUGHPUT).points] == names
    defaults = {name: {"factors": 64, "epochs": 20} for name in NAMES}
    page = leaderboard(LeaderboardSources("run", records.trials, None, None, {}, NAMES, defaults=defaults))
    assert page.count("| bpr [(1 thread)]") == page.count("| bpr [(2 threads)]") == 2
    assert "--models ncf,bpr --task toy --seeds 2 --threads 1 -o run" in page
    assert "--models bpr --task toy --seeds 2 --threads 2 -o run" in page


def test_accepted_baselines_and_their_history_keep_conditions_apart(tmp_path):
    write(tmp_path / "run", two_thread_counts())
    paths = tmp_path / "baselines", tmp_path / "history.jsonl"
    changes = baselines.accept(read_records(str(tmp_path / "run")), "main", *paths).changes
    assert sorted((change.model, len(change.after)) for change in changes) == [("bpr", 2), ("ncf", 1)]
    (bpr,) = [trend for trend in trends(history.read(paths[1]), ["hr@10"]) if trend.model == "bpr"]
    assert [acceptance.n_seeds for acceptance in bpr.acceptances] == [2, 2]
    assert all("threads" in acceptance.parameters for acceptance in bpr.acceptances)
    (again, _) = baselines.accept(read_records(str(tmp_path / "run")), "main", *paths).changes
    assert [again.replaced_by(group).record.threads for group in again.after] == [
        group.record.threads for group in again.after
    ]


def test_history_lines_from_before_have_no_conditions(tmp_path):
    trial = a_trial("bpr", 0)
    line = history.Accepted.of(trial, "main", trial.record.started_at)
    old = line.model_dump(mode="json", by_alias=True, exclude={"threads", "device"})
    assert history.Accepted.model_validate(old).threads is None


def test_figures_are_derived_at_any_cut_off_whatever_a_run_stored(tmp_path):
    trials = [stored_at_5(trial) for trial in some_trials("bpr", seeds=2)]
    assert "hr@10" not in trials[0].record.metrics
    expected = [trial.mean(HR) for trial in some_trials("bpr", seeds=2)]
    (summary,) = summarise(trials, [HR, RECALL])
    assert list(summary.metrics["hr@10"].values) == expected
    # With one held-out item a user, recall is the hit rate.
    assert list(summary.metrics["recall@10"].values) == pytest.approx(expected)
    records = a_set("k5", trials)
    assert speed_quality([records], HR, Cost.THROUGHPUT).points[0].quality.values == tuple(expected)
    assert f"**{np.mean(expected):.4f}" in leaderboard(
        LeaderboardSources("k5", [*trials, *some_trials("worse", 0.1)], None, None, {}, NAMES)
    )
    line = history.Accepted.of(trials[0], "main", trials[0].record.started_at)
    assert (line.hr, line.ndcg) == (expected[0], trials[0].mean(NDCG))
    assert line.hr_interval[0] < expected[0] < line.hr_interval[1]


def with_full_ranks(trial, **changes):
    near = trial.candidate_ranks
    far = replace(near, n_others=near.n_others * 5, better=near.better * 5)
    record = trial.record.model_copy(update={"catalogue": LISTS, **changes})
    return FinishedTrial.in_memory(record, TrialRanks(near, far), trial.place)


def test_corrected_figures_need_uniform_negatives_a_size_and_little_bias():
    trial = a_trial("bpr", 0)
    known = with_full_ranks(trial, corrected={"hr@5": 0.1})
    assert known.corrected(HR) == pytest.approx(corrected(HR, trial.candidate_ranks, 501).mean())
    assert known.corrected(HR, 500) == pytest.approx(corrected(HR, trial.candidate_ranks, 500).mean())
    assert known.corrected(HR, 500, uniform=False) is None
    assert with_full_ranks(trial).corrected(HR) is None
    assert with_full_ranks(trial).corrected(HR, 500, uniform=True) is not None
    assert known.corrected(RECALL) is None
    # A perfect model has 1.14, and 0.55.
    assert known.corrected(HR, 800) is None
    assert known.corrected(HR, 3706) is None
    assert known.perfect_corrected(HR, 3706) == pytest.approx(0.5524, abs=1e-4)
    # The record says more than its figures: older records have corrected ones whatever their bias is.
    for answer, uniform in (("yes", True), ("no", False), ("unknown", None)):
        stated = with_full_ranks(trial, uniform_negatives=UniformNegatives(answer), corrected={})
        assert stated.uniform_negatives is uniform
        assert (stated.corrected(HR) is not None) is (answer == "yes")
    without = FinishedTrial.in_memory(known.record.model_copy(update={"catalogue": None}), known.ranks, "x")
    assert without.corrected(HR) is None
    assert without.full_ranks is None


def test_a_run_on_a_large_catalogue_says_why_there_is_no_corrected_figure():
    trials = [with_full_ranks(trial, uniform_negatives=UniformNegatives.YES) for trial in some_trials("bpr", seeds=2)]
    report = run_report({**TASK, "mean_catalogue_size": 9810.2}, trials, ENVIRONMENT, (10,))
    note = (
        "corrected HR@10 and NDCG@10 are missing: a perfect model has 0.241 and 0.111 after the correction, "
        "less than 0.9."
    )
    for form in (Format.TEXT, Format.MARKDOWN, Format.LATEX, Format.HTML):
        table = run_table(report, form)
        assert note in table
        assert table.count("corrected") == 1
    assert "corrected" not in run_table(report, Format.CSV)
    document = run_document(report)
    assert document["results"][0]["corrected"] == {}
    assert document["correction"]["measures"]["hr@10"] == {
        "perfect": pytest.approx(0.2406, abs=1e-4),
        "bias": pytest.approx(-0.7594, abs=1e-4),
        "shown": False,
    }
    assert note in document["notes"]
    # The bias for the catalogue does not depend on how negatives were drawn; the figures do.
    for uniform in (False, None):
        other = run_report({**TASK, "uniform_negatives": uniform}, trials, ENVIRONMENT, (10,))
        assert other.correction.note() is None
        assert "corrected HR" not in run_table(other, Format.TEXT)
        shown = run_document(other)["correction"]
        assert (shown["uniform_negatives"], shown["measures"]["hr@10"]["shown"]) == (uniform, False)
        assert shown["measures"]["hr@10"]["bias"] == pytest.approx(-0.0175, abs=1e-4)


def test_a_run_on_a_small_catalogue_says_that_a_corrected_figure_would_be_too_high():
    trials = [with_full_ranks(trial, uniform_negatives=UniformNegatives.YES) for trial in some_trials("bpr", seeds=2)]
    report = run_report({**TASK, "mean_catalogue_size": 800.0}, trials, ENVIRONMENT, (10,))
    table = run_table(report, Format.TEXT)
    assert "corrected NDCG@10 is missing: a perfect model has 0.691 after the correction, less than 0.9." in table
    assert "corrected HR@10 is missing: a perfect model has 1.137 after the correction, more than 1.1." in table


def test_measures_in_both_rankings_and_beyond_the_candidates():
    trials = [with_full_ranks(trial) for trial in [*some_trials("bpr", 0.6), *some_trials("ncf")]]
    report = run_report(TASK, trials, ENVIRONMENT, (10,))
    early = Measure(custom_metric(lambda ranks: ranks.better < 5, "early"))
    measured_models = measure_models(report, [RECALL, parse_measure("hr@200"), early])
    columns = list(dict.fromkeys(measured.measure.name for measured in measured_models))
    assert columns == ["recall@10", "early", "full-recall@10", "full-hr@200", "full-early"]
    best = [measured.standing.best for measured in measured_models if measured.measure == early]
    assert best == [True, False]
    assert all(
        measured.standing.interval.low <= measured.spread.mean <= measured.standing.interval.high
        for measured in measured_models
    )
    with pytest.raises(RecbenchError, match="full-hr@2000: the cut-off is more than the 501 items"):
        measure_models(report, [parse_measure("hr@2000")])


def test_a_metric_of_ones_own_has_intervals_and_pairs():
    early = Measure(custom_metric(lambda ranks: ranks.better < 5, "early"))
    trials = [*some_trials("bpr", 0.6), *some_trials("ncf")]
    report = run_report(TASK, trials, ENVIRONMENT, (10,), measures=[early])
    (pair,) = report.uncertainty.pairs
    assert pair.evidence.p < 0.01
    assert pair.mcnemar is None
    assert report.uncertainty.standings[0]["early"].interval is not None
    wrong = Measure(custom_metric(lambda ranks: [1.0], "wrong"))
    with pytest.raises(RecbenchError, match=r"'wrong' returned the shape \(1,\), expected \(1200,\)"):
        run_report(TASK, trials, ENVIRONMENT, (10,), measures=[wrong])


def test_cases_and_users_are_resampled_together_as_each_alone():
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(50, dtype=np.int32), 4)
    ranks = Ranks(users, *(rng.integers(0, 100, 200).astype(np.int32) for _ in range(2)), np.zeros(200, np.int32))
    of_cases, of_users = (Sample(measure.values(ranks), measure.users(ranks)) for measure in (HR, RECALL))
    (first, second), _ = infer([of_cases, of_users])
    assert infer([of_cases])[0] == [first]
    assert infer([of_users])[0] == [second]
    # Where all users have as many cases, the two means are the same.
    assert (first.low, first.high) == pytest.approx((second.low, second.high))


def test_metrics_without_a_cut_off_come_last():
    names = [measure.name for measure in measures_at(("mrr", "hr", "recall"), (5, 10))]
    assert names == ["hr@5", "recall@5", "hr@10", "recall@10", "mrr"]
    assert find_metric("mrr").takes_k is False
