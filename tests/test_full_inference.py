"""Metrics of the full ranking and of users: the same intervals, tests, marks and gate as sampled metrics."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from recbench.errors import RecbenchError
from recbench.evaluation.inference import Sample, infer, seed_mean
from recbench.evaluation.metric_names import parse_measure, read_measures
from recbench.evaluation.ranking import Ranking, Ranks
from recbench.evaluation.user_sums import UserSums
from recbench.experiments.run import RunRequest
from recbench.records import history
from recbench.records.finished_trial import FinishedTrial, TrialRanks
from recbench.records.schema import CatalogueValue
from recbench.registry.requested import request_models
from recbench.reports.compare.comparison import compare_records
from recbench.reports.compare.gate import GateOutcome, decide_verdicts, gate
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.sanity_checks import CheckName
from recbench.reports.compare.table import compare_table
from recbench.reports.compare.verdict import Verdict
from recbench.reports.formats import Format
from recbench.reports.pages.leaderboard import LeaderboardSources, leaderboard
from recbench.reports.run.document import run_document
from recbench.reports.run.findings import contradictions
from recbench.reports.run.run_report import run_report
from recbench.reports.run.table import run_table
from recbench.reports.run.uncertainty import uncertainty
from tests.examples import ENVIRONMENT, TASK, a_set, a_trial
from tests.simulated_cases import two_alike

LISTS = CatalogueValue(metrics={}, list_length=10, coverage=0.5, gini=0.5, popularity=0.5, seconds=1.0)
MEASURES = read_measures(["full-hr@10", "full-ndcg@10", "full-mrr", "full-recall@20", "full-user-ndcg@20"], ())
PLACES = np.random.default_rng(1).integers(0, 300, 1200)
"""A random place of each case in the full ranking."""


def full_ranks(better, users=None, n_others=300):
    arrays = (np.arange(len(better)) if users is None else users, np.full(len(better), n_others), better, better * 0)
    return Ranks(*(np.asarray(array, dtype=np.int32) for array in arrays))


def in_full(trial, share_of_hits, cases_each=1, luck=0):
    """The trial with a full ranking in which that share of the cases, the easy ones first, is among the first 10.

    Trials of other ``luck`` differ in random cases.
    """
    noise = np.random.default_rng([luck, 3]).random(1200) * 0.02 if luck else 0
    easy = PLACES / 300 + noise < share_of_hits
    better = np.where(easy, PLACES % 10, 10 + PLACES % 290)
    users = (np.arange(1200) // cases_each).astype(np.int32)
    near = replace(trial.candidate_ranks, users=users)
    record = trial.record.model_copy(update={"catalogue": LISTS})
    return FinishedTrial.in_memory(record, TrialRanks(near, full_ranks(better, users)), trial.place)


def trials(model, sampled, full, seeds=2, luck=0, cases_each=1):
    return [in_full(a_trial(model, seed, sampled), full, cases_each, luck + seed) for seed in range(seeds)]


def report_on(*models, measures=None, ks=(10,)):
    return run_report(TASK, [trial for of_model in models for trial in of_model], ENVIRONMENT, ks, measures=measures)


def columns(report):
    return [measure.name for measure in report.columns]


def test_names_of_the_full_ranking():
    assert [measure.name for measure in read_measures(["full-HR", "recall@20", "Full-MRR"], (5,))] == [
        "full-hr@5",
        "recall@20",
        "full-mrr",
    ]
    hr = parse_measure("full-hr@10")
    assert (hr.label, hr.ranking, hr.base_name) == ("full HR@10", Ranking.FULL, "hr@10")
    assert hr.in_ranking(Ranking.CANDIDATES) == parse_measure("hr@10")
    for text, message in {"full-hr": "hr needs a cut-off", "full-rr@5": "Unknown metric 'rr'", "full-": "''"}.items():
        with pytest.raises(RecbenchError, match=message):
            parse_measure(text)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_scipy_agrees_where_users_have_several_cases(measure):
    rng = np.random.default_rng(2)
    users = np.sort(rng.integers(0, 80, 400))
    first, second = (full_ranks((rng.exponential(scale, 400) * 20).astype(int), users) for scale in (1.0, 1.25))
    means = [seed_mean([ranks], measure) for ranks in (first, second)]
    (interval, _), (evidence,) = infer(means, [means[0] - means[1]])
    sums = UserSums.of((means[0] - means[1]).values[:, None], means[0].users)
    level = UserSums.of(means[0].values[:, None], means[0].users)
    theirs = stats.permutation_test(
        (sums.sums[:, 0],), np.sum, permutation_type="samples", n_resamples=9999, rng=np.random.default_rng(3)
    )
    assert evidence.p == pytest.approx(theirs.pvalue, abs=0.02)
    drawn = stats.bootstrap(
        (level.sums[:, 0], level.counts),
        lambda values, counts, axis: values.sum(axis=axis) / counts.sum(axis=axis),
        paired=True,
        method="percentile",
        rng=np.random.default_rng(4),
    )
    limits, width = drawn.confidence_interval, interval.high - interval.low
    assert (interval.low, interval.high) == pytest.approx((limits.low, limits.high), abs=0.03 * width)
    assert evidence.difference == pytest.approx(means[0].values.mean() - means[1].values.mean())


def test_intervals_cover_and_models_that_are_alike_are_told_apart_5_times_of_100():
    """In the full ranking, by cases and by users; the true difference is 0. The benchmark has more draws."""
    rng = np.random.default_rng(12)
    measures = read_measures(["full-hr@10", "full-recall@20"], ())
    covered, rejected = np.zeros(2), np.zeros(2)
    for _ in range(200):
        users, *models = two_alike(rng, 150, clustered=True)
        n = len(users)
        better = [np.where(hits > 0, rng.integers(0, 10, n), rng.integers(10, 300, n)) for hits in models]
        ranks = [{Ranking.FULL: {0: full_ranks(n_better, users)}} for n_better in better]
        for place, pair in enumerate(uncertainty(ranks, measures, 500).pairs):
            covered[place] += pair.evidence.interval.low <= 0 <= pair.evidence.interval.high
            rejected[place] += pair.evidence.p <= 0.05
    assert ((covered >= 180) & (covered <= 198)).all(), covered
    assert ((rejected >= 3) & (rejected <= 20)).all(), rejected


def test_full_columns_have_marks_and_intervals_and_metrics_of_users_where_these_have_several_cases():
    report = report_on(trials("bpr", 0.6, 0.3), trials("ncf", 0.5, 0.299, luck=5), trials("popularity", 0.3, 0.1))
    assert columns(report) == ["hr@10", "ndcg@10", "full-hr@10", "full-ndcg@10"]
    several = report_on(*(trials(model, 0.5, 0.3, cases_each=3) for model in ("bpr", "ncf")))
    assert columns(several)[4:] == ["full-recall@20", "full-user-ndcg@20"]
    best, level, below = (standings["full-hr@10"] for standings in report.uncertainty.standings)
    assert (best.best, level.level_with_best, below.best, below.level_with_best) == (True, True, False, False)
    table, document = run_table(report, Format.TEXT), run_document(report)
    assert f"* {report.summaries[0].catalogue['hr@10'].mean:.4f}" in table
    full = document["results"][0]["full"]["hr@10"]
    assert full["interval"][0] < full["mean"] < full["interval"][1]
    assert {pair["ranking"] for pair in document["pairs"]} == {"candidates", "full"}
    csv = run_table(report, Format.CSV).splitlines()
    row = dict(zip(csv[0].split(","), csv[1].split(","), strict=True))
    assert float(row["full_hr@10_low"]) == full["interval"][0]


def test_named_metrics_of_the_full_ranking_are_shown_as_named():
    models = trials("bpr", 0.6, 0.3), trials("ncf", 0.5, 0.2)
    assert columns(report_on(*models, measures=read_measures(["full-mrr", "hr@5"], ()))) == ["hr@5", "full-mrr"]
    # Beyond the 101 candidates, a cut-off says something in the full ranking only.
    assert columns(report_on(*models, measures=read_measures(["hr@200"], ()))) == ["full-hr@200"]
    requested = request_models(["popularity"])
    assert RunRequest(models=requested, measures=read_measures(["full-hr@10"], ())).ranks_all_items
    assert not RunRequest(models=requested, measures=read_measures(["hr@10"], ())).ranks_all_items


def test_a_record_without_full_ranks_has_a_dash_and_no_mark():
    lacking = [*trials("mf", 0.6, 0.3, seeds=1), a_trial("mf", 1, 0.6)]
    report = report_on(trials("bpr", 0.6, 0.1), lacking, [a_trial("ncf", seed) for seed in range(2)])
    for number in (1, 2):
        assert set(report.uncertainty.standings[number]) == {"hr@10", "ndcg@10"}
    table = run_table(report, Format.MARKDOWN).splitlines()
    cells = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")] for line in table if "|" in line}
    assert cells["mf"][6:10] == cells["ncf"][6:10] == ["-", "-", "-", "-"]
    assert not report.uncertainty.standings[0]["full-hr@10"].best
    assert any(line == "- -: no full ranking; run again with --full: mf, ncf." for line in table)


def test_models_below_popularity_are_named_and_marked():
    report = report_on(trials("popularity", 0.4, 0.2), trials("bpr", 0.3, 0.3), trials("ncf", 0.5, 0.1))
    table = run_table(report, Format.TEXT)
    named = "bpr (HR@10, NDCG@10); ncf (full HR@10, full NDCG@10)"
    assert f"\nSignificantly below popularity: {named}.\n" in table
    assert f"▽ {report.summaries[1].metrics['hr@10'].mean:.4f}" in table
    document = run_document(report)
    assert document["results"][1]["metrics"]["hr@10"]["below_popularity"]
    assert not document["results"][1]["full"]["hr@10"]["below_popularity"]
    assert "▽" not in run_table(report, Format.TEXT, marks=False)
    assert "popularity" not in run_table(report_on(trials("bpr", 0.3, 0.3), trials("ncf", 0.5, 0.1)), Format.TEXT)


def test_opposite_orders_of_the_two_rankings_are_named_if_both_are_significant():
    models = [trials(f"m{n}", 0.2 + n / 10, 0.5 - n / 10) for n in range(4)]
    report = report_on(*models, trials("slim", 0.505, 0.499, luck=5))
    hr_contradictions = [
        contradiction for contradiction in contradictions(report) if contradiction.measure.name == "hr@10"
    ]
    pairs = {
        (report.summaries[contradiction.sampled_winner].name, report.summaries[contradiction.full_winner].name)
        for contradiction in hr_contradictions
    }
    expected = {(f"m{better}", f"m{worse}") for better in range(4) for worse in range(better)}
    assert {pair for pair in pairs if "slim" not in pair} == expected
    assert ("slim", "m0") not in pairs  # In the full ranking, they differ by less than chance.
    line = next(line for line in run_table(report, Format.TEXT).splitlines() if line.startswith("HR@10 and full"))
    assert line.endswith(f"by HR@10, and the reverse by full HR@10 ({len(pairs) - 4} more pairs: --pairs).")
    assert len(run_document(report)["contradictions"]) >= len(pairs)
    assert contradictions(report_on(trials("bpr", 0.6, 0.3), trials("ncf", 0.5, 0.2))) == []


def test_a_metric_of_users_that_equals_one_of_cases_is_shown_once():
    measures = read_measures(["hr@10", "recall@10", "user-ndcg@10"], ())
    models = trials("bpr", 0.6, 0.3), trials("ncf", 0.5, 0.2)
    report = report_on(*models, measures=measures)
    assert columns(report) == ["hr@10", "user-ndcg@10", "full-hr@10", "full-user-ndcg@10"]
    line = "Each user has one case: Recall@10 equals HR@10, User NDCG@10 equals NDCG@10, "
    line += "full Recall@10 equals full HR@10, full User NDCG@10 equals full NDCG@10."
    assert line in run_table(report, Format.TEXT).splitlines()
    metrics = run_document(report)["results"][0]["metrics"]
    assert metrics["recall@10"]["interval"] == pytest.approx(metrics["hr@10"]["interval"])
    several = report_on(*(trials(model, 0.5, 0.3, cases_each=3) for model in ("bpr", "ncf")), measures=measures)
    assert len(columns(several)) == 6
    assert "Each user has one case" not in run_table(several, Format.TEXT)


def gated(base, current, *metrics, **limits):
    policy = Policy(gated=metrics, gate_throughput=False, **limits)
    return gate(compare_records(a_set("base", *base), a_set("now", *current), policy.measures), policy, "again")


def test_the_gate_rejects_a_drop_in_the_full_ranking_or_of_users():
    base, worse = [trials("bpr", 0.5, 0.3, cases_each=3)], [trials("bpr", 0.5, 0.2, cases_each=3)]
    assert gated(base, worse, "hr").outcome is GateOutcome.PASSED
    for metric, label in {"full-hr": "full HR@10", "full-recall@20": "full Recall@20"}.items():
        report = gated(base, worse, metric)
        assert report.outcome is GateOutcome.REJECTED
        assert report.reasons[0].startswith(f"bpr {label} regressed, from 0.")
    assert gated(base, [trials("bpr", 0.5, 0.301, cases_each=3)], "full-hr", "full-recall@20").reasons == ()


def test_nothing_passes_whose_records_lack_the_gated_full_ranking():
    base, lacking = [trials("bpr", 0.5, 0.3)], [[a_trial("bpr", seed) for seed in range(2)]]
    for sides, side in (
        ((base, lacking), "CURRENT has"),
        ((lacking, base), "BASE has"),
        ((lacking, lacking), "BASE and"),
    ):
        report = gated(*sides, "hr", "full-hr")
        assert report.outcome is GateOutcome.NOT_COMPARABLE
        assert report.reasons[0].startswith(f"bpr full HR@10 not comparable: {side}")
    assert gated(base, lacking, "hr").outcome is GateOutcome.PASSED
    measures = read_measures(["full-hr@10"], ())
    compared = compare_records(a_set("base", *base), a_set("now", *lacking), measures)
    assert compared.nothing_compared
    decided = decide_verdicts(compared, Policy(), "again")
    assert decided.decisions[0]["full-hr@10"].verdict is Verdict.NOT_COMPARABLE
    row = next(line for line in compare_table(decided, Format.MARKDOWN).splitlines() if "full HR@10" in line)
    assert [cell.strip() for cell in row.split("|")][4] == "-"


def test_sanity_checks_hold_gated_metrics_to_chance_and_popularity():
    sides = [[trials("popularity", 0.3, 0.2), trials("bpr", 0.5, 0.1), trials("ncf", 0.5, 0.02)]] * 2
    report = gated(*sides, "full-hr")
    broken = {(check.model, check.name) for check in report.sanity_checks if not check.held}
    both = {CheckName.ABOVE_CHANCE, CheckName.ABOVE_POPULARITY}
    assert broken == {("bpr", CheckName.ABOVE_POPULARITY)} | {("ncf", name) for name in both}
    assert {check.metric for check in report.sanity_checks if check.name in both} == {"hr@10", "full-hr@10"}
    assert all(check.held for check in gated(*sides, "hr").sanity_checks)


def test_equal_metrics_are_one_test_of_the_family():
    base, current = [trials("bpr", 0.5, 0.3)], [trials("bpr", 0.488, 0.3)]
    alone = gated(base, current, "hr").decided.decisions[0]
    copied = gated(base, current, "hr", "recall").decided.decisions[0]
    two = gated(base, current, "hr", "ndcg").decided.decisions[0]
    assert copied["recall@10"].p_adjusted == copied["hr@10"].p_adjusted == alone["hr@10"].p_adjusted
    assert two["hr@10"].p_adjusted > alone["hr@10"].p_adjusted


def test_policies_take_any_metric():
    policy = Policy(k=5, gated=("HR", "recall@20", "full-ndcg", "full-mrr"))
    assert policy.gated_metrics == ("hr@5", "recall@20", "full-ndcg@5", "full-mrr")
    assert [measure.name for measure in policy.measures] == ["hr@5", "ndcg@5", "recall@20", "full-ndcg@5", "full-mrr"]
    for wrong in ("full-recal", "hr@0", "mrr@5"):
        with pytest.raises(ValueError, match="metric|cut-off"):
            Policy(gated=(wrong,))


def test_the_history_keeps_metrics_of_the_full_ranking():
    (trial,) = trials("bpr", 0.5, 0.3, seeds=1, cases_each=3)
    line = history.Accepted.of(trial, "main", trial.record.started_at)
    for name in ("hr@10", "ndcg@10", "full-hr@10", "full-recall@20", "full-user-ndcg@20"):
        assert line.figure(name) == trial.mean(parse_measure(name))
    old = history.Accepted.of(a_trial("bpr", 0), "main", trial.record.started_at)
    assert old.figure("full-hr@10") is None
    assert history.Accepted.model_validate(old.model_dump(by_alias=True, exclude={"further"})) == old


def test_a_leaderboard_shows_the_metrics_that_were_asked_for_and_lists_the_models_by_the_first():
    models = [*trials("bpr", 0.6, 0.2), *trials("ncf", 0.5, 0.3)]
    measures = read_measures(["full-hr@10", "hr@10"], ())
    page = leaderboard(LeaderboardSources("records", models, None, None, {}, {}, measures))
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in page.splitlines() if line.startswith("|")]
    assert [row[0].split(" ")[0] for row in rows[2:4]] == ["ncf", "bpr"]
    assert "\nrecbench leaderboard records --metrics full-hr@10,hr@10\n" in page
    assert "HR@10 and full HR@10 contradict each other significantly: bpr over ncf by HR@10" in page
    plain = leaderboard(LeaderboardSources("records", models, None, None, {}, {}))
    assert "\nrecbench leaderboard records\n" in plain
    with pytest.raises(RecbenchError, match="full-hr@400: the cut-off is more than the 301 items"):
        leaderboard(LeaderboardSources("records", models, None, None, {}, {}, read_measures(["full-hr@400"], ())))


def test_samples_of_other_users_are_inferred_apart():
    values = np.random.default_rng(0).random(60)
    sixty = np.arange(60, dtype=np.int32)
    of_cases, of_users, others = Sample(values, sixty // 2), Sample(values[:30], sixty[:30]), Sample(values, sixty)
    together, _ = infer([of_cases, of_users, others])
    assert together == [infer([sample])[0][0] for sample in (of_cases, of_users, others)]
