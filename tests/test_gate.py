"""What is compared with what, what passes, and what never does."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.evaluation.metric_names import parse_measure
from recbench.records.schema import Environment, Gpu, Status, TaskIdentity
from recbench.reports.compare.comparison import compare_records
from recbench.reports.compare.gate import GateOutcome, decide_verdicts, gate
from recbench.reports.compare.gate_table import gate_table
from recbench.reports.compare.lines import unknown_seed_noise
from recbench.reports.compare.matching import Match, match_groups
from recbench.reports.compare.policy import Policy, read_policy
from recbench.reports.compare.sanity_checks import CheckName
from recbench.reports.compare.throughput import decide_speed
from recbench.reports.compare.verdict import Verdict
from recbench.reports.formats import Format
from tests.examples import ENVIRONMENT, a_set, a_trial, a_trial_of, some_trials, with_ranks

HR_3, HR_102 = parse_measure("hr@3"), parse_measure("hr@102")
SMALL = {"factors": 8, "epochs": 20}
OTHER = TaskIdentity(name="toy", digest="sha256:" + "cd" * 32)
ELSEWHERE = TaskIdentity(name="elsewhere", digest="sha256:" + "ef" * 32)


def gated(base, current, **limits):
    policy = Policy(**limits)
    return gate(compare_records(a_set("base", *base), a_set("now", *current), policy.measures), policy, "again")


def verdicts(report):
    return [of_model["hr@10"].verdict for of_model in report.decided.decisions]


def fewer_cases(trial, n=1199):
    ranks = replace(
        trial.candidate_ranks,
        **{name: getattr(trial.candidate_ranks, name)[:n] for name in ("users", "n_others", "better", "tied")},
    )
    return a_trial_of(trial.record, ranks)


def speeds(*values, **changes):
    return [a_trial("bpr", seed, interactions_per_second=value, **changes) for seed, value in enumerate(values)]


def test_a_drop_is_rejected_and_a_rise_passes():
    worse = gated([some_trials("bpr", 0.5)], [some_trials("bpr", 0.42)])
    assert (worse.outcome, verdicts(worse)) == (GateOutcome.REJECTED, [Verdict.REGRESSED])
    assert worse.reasons[0].startswith("bpr HR@10 regressed, from 0.4792 to 0.4019: -0.0772 (95 % ")
    better = gated([some_trials("bpr", 0.42)], [some_trials("bpr", 0.5)])
    assert (better.outcome, verdicts(better), better.reasons) == (GateOutcome.PASSED, [Verdict.IMPROVED], ())


def test_a_drop_that_seeds_explain_is_inconclusive():
    trials = [some_trials("bpr", skill, 1)[0] for skill in (0.5, 0.42, 0.46)]
    noisy = [a_trial_of(t.record.model_copy(update={"seed": n}), t.candidate_ranks) for n, t in enumerate(trials)]
    report = gated([some_trials("bpr", 0.5)], [noisy])
    assert (report.outcome, verdicts(report)) == (GateOutcome.PASSED, [Verdict.INCONCLUSIVE])
    assert "the variation between seeds explains" in report.decided.decisions[0]["hr@10"].reasons[1]
    assert gated([some_trials("bpr", 0.5)], [noisy], strict=True).outcome is GateOutcome.REJECTED


def test_with_one_seed_its_noise_is_assumed():
    report = gated([some_trials("bpr", 0.5, 1)], [some_trials("bpr", 0.42, 1)])
    assert verdicts(report) == [Verdict.REGRESSED]
    assert report.decided.decisions[0]["hr@10"].seed_limit == pytest.approx(1.96 * 0.003 * 2**0.5)
    (line,) = unknown_seed_noise(report.decided)
    assert line.startswith("Only one seed of bpr in BASE or CURRENT")
    assert line.endswith(" A standard deviation of 0.003 is assumed.")


def test_ndcg_is_gated_only_if_asked():
    """The same hits, but at the end of the list of ten."""
    trials = some_trials("bpr", 0.5)
    late = [
        a_trial_of(
            t.record,
            replace(t.candidate_ranks, better=np.where(t.candidate_ranks.better < 10, 9, t.candidate_ranks.better)),
        )
        for t in trials
    ]
    assert gated([trials], [late]).outcome is GateOutcome.PASSED
    report = gated([trials], [late], gated=("hr", "ndcg"))
    assert report.outcome is GateOutcome.REJECTED
    assert report.reasons[0].startswith("bpr NDCG@10 regressed")


def test_holm_counts_all_gated_cells():
    base = [some_trials(f"m{n}", 0.5, luck=0) for n in range(8)]
    current = [some_trials(f"m{n}", 0.487, luck=n + 1) for n in range(8)]
    alone = gated(base[:1], current[:1]).decided.decisions[0]["hr@10"]
    together = gated(base, current).decided.decisions[0]["hr@10"]
    assert together.p_adjusted > alone.p_adjusted
    assert together.smallest_drop >= alone.smallest_drop


NEVER_A_PASS = {
    "another digest": (
        lambda: [some_trials("bpr", task=OTHER)],
        GateOutcome.NOT_COMPARABLE,
        "sha256:abababababab.*sha256:cdcdcdcdcdcd",
    ),
    "another task": (
        lambda: [some_trials("bpr", task=ELSEWHERE)],
        GateOutcome.NOT_COMPARABLE,
        "BASE toy .*CURRENT elsewhere",
    ),
    "another protocol": (
        lambda: [some_trials("bpr", protocol_version=3)],
        GateOutcome.NOT_COMPARABLE,
        "protocol versions: BASE 2, CURRENT 3",
    ),
    "fewer cases": (
        lambda: [[fewer_cases(t) for t in some_trials("bpr")]],
        GateOutcome.NOT_COMPARABLE,
        "BASE has 1,200, a trial of CURRENT has 1,199",
    ),
    "fewer cases of one seed": (
        lambda: [[*some_trials("bpr", seeds=2), fewer_cases(a_trial("bpr", 2))]],
        GateOutcome.NOT_COMPARABLE,
        "a trial of CURRENT has 1,199",
    ),
    "other users": (
        lambda: [[with_ranks(t, users=t.candidate_ranks.users[::-1]) for t in some_trials("bpr")]],
        GateOutcome.NOT_COMPARABLE,
        "users or numbers of candidates",
    ),
    "no model in common": (
        lambda: [some_trials("ncf")],
        GateOutcome.NOT_COMPARABLE,
        "no model of CURRENT could be compared",
    ),
    "a missing model": (lambda: [some_trials("bpr")], GateOutcome.REJECTED, "ncf missing"),
    "a failed trial": (
        lambda: [
            some_trials("ncf"),
            [*some_trials("bpr", seeds=2), a_trial("bpr", 2, status=Status.FAILED, error="no")],
        ],
        GateOutcome.FAILED,
        "bpr failed: seed 2 failed: no",
    ),
    "a failed new model": (
        lambda: [some_trials("bpr"), some_trials("ncf"), some_trials("x", seeds=1, status=Status.OUT_OF_MEMORY)],
        GateOutcome.FAILED,
        "x failed: seed 0 out-of-memory: no reason",
    ),
    "fewer seeds": (
        lambda: [some_trials("bpr", seeds=2), some_trials("ncf")],
        GateOutcome.REJECTED,
        "bpr is not complete: 2 seeds, BASE 3",
    ),
    "no better than chance": (
        lambda: [some_trials("bpr"), some_trials("ncf"), some_trials("x", 0.1)],
        GateOutcome.REJECTED,
        "x is not above chance: HR@10 at least 0.0",
    ),
    "below popularity": (
        lambda: [some_trials("bpr"), some_trials("ncf"), some_trials("popularity", 0.6)],
        GateOutcome.REJECTED,
        "bpr is not above popularity",
    ),
    "a further configuration": (
        lambda: [some_trials("bpr"), some_trials("bpr", parameters=SMALL), some_trials("ncf")],
        GateOutcome.NOT_COMPARABLE,
        r"bpr \(factors=8\) not comparable: BASE has bpr with other",
    ),
}


@pytest.mark.parametrize(("current", "outcome", "reason"), NEVER_A_PASS.values(), ids=NEVER_A_PASS)
def test_never_a_pass(current, outcome, reason):
    base = [some_trials("bpr")] if outcome is GateOutcome.NOT_COMPARABLE else [some_trials("bpr"), some_trials("ncf")]
    report = gated(base, current())
    assert report.outcome is outcome
    assert any(re.search(reason, line) for line in report.reasons), report.reasons


def test_a_baseline_that_never_ended_well():
    report = gated([some_trials("bpr", status=Status.FAILED, error="no")], [some_trials("bpr")])
    assert report.outcome is GateOutcome.NOT_COMPARABLE
    assert "no trial of BASE is done: seed 0 failed: no" in report.reasons[0]
    half = [*some_trials("bpr", seeds=2), a_trial("bpr", 2, status=Status.FAILED, error="no")]
    report = gated([half], [some_trials("bpr")])
    assert report.outcome is GateOutcome.PASSED
    assert "left out: seed 2 failed: no" in report.decided.comparison.models[0].notes[0]


def test_a_single_user_is_not_enough():
    trials = [with_ranks(t, users=t.candidate_ranks.users * 0) for t in some_trials("bpr")]
    report = gated([trials], [trials])
    assert report.outcome is GateOutcome.NOT_COMPARABLE
    assert "all cases are of one user" in report.reasons[0]


def test_a_score_that_is_not_finite_in_the_full_ranking_breaks_a_sanity_check():
    error = "score_all() returned nan for user index 3, item index 5, and for 0 more candidates of user indices 0 to 9"
    report = gated([some_trials("bpr")], [some_trials("bpr", catalogue_error=error)])
    assert report.outcome is GateOutcome.REJECTED
    assert report.reasons == (f"bpr is not finite: seed 0: {error}",)
    assert (
        gated([some_trials("bpr")], [some_trials("bpr", catalogue_error="KeyError: 3")]).outcome is GateOutcome.PASSED
    )


def test_random_and_popularity_are_references():
    side = [some_trials("bpr"), some_trials("random", 0.1), some_trials("popularity", 0.3)]
    report = gated(side, side)
    assert report.outcome is GateOutcome.PASSED
    of = {
        model: {f.name for f in report.sanity_checks if f.model == model} for model in ("bpr", "random", "popularity")
    }
    assert of["bpr"] == set(CheckName)
    assert of["random"] == {CheckName.FINITE, CheckName.COMPLETE}
    assert of["popularity"] == {CheckName.FINITE, CheckName.COMPLETE, CheckName.ABOVE_CHANCE}


def test_any_cut_off_is_computed_from_the_ranks():
    comparison = compare_records(
        a_set("a", some_trials("bpr")), a_set("b", some_trials("bpr", 0.4)), [parse_measure("hr@3")]
    )
    (decisions,) = decide_verdicts(comparison, Policy(k=3, seed_z=0), "again").decisions
    assert decisions["hr@3"].verdict is Verdict.REGRESSED
    with pytest.raises(RecbenchError, match="the cut-off is more than the 101 candidates"):
        compare_records(a_set("a", some_trials("bpr")), a_set("b", some_trials("bpr")), [HR_102])


def test_only_the_same_ranks_are_unchanged_if_nothing_shows_how_much_seeds_vary():
    (one,) = some_trials("bpr", seeds=1)
    better = one.candidate_ranks.better
    other = with_ranks(one, better=np.where(better < 10, 9 - better, better).astype(np.int32))
    assert verdicts(gated([[one]], [[one]])) == [Verdict.UNCHANGED]
    # Every hit is a hit as before, at another rank.
    assert verdicts(gated([[one]], [[other]])) == [Verdict.INCONCLUSIVE]


def test_tasks_are_compared_each_with_its_own():
    base = [some_trials("bpr"), some_trials("bpr", task=ELSEWHERE)]
    report = gated(base, [some_trials("bpr", 0.42), some_trials("bpr", task=ELSEWHERE)])
    assert verdicts(report) == [Verdict.REGRESSED, Verdict.UNCHANGED]
    assert report.reasons[0].startswith("bpr on toy HR@10 regressed")
    report = gated(base, [some_trials("bpr")])
    assert verdicts(report) == [Verdict.UNCHANGED, Verdict.MISSING]


def test_configurations_are_matched_by_equal_parameters():
    changed = match_groups(a_set("a", some_trials("bpr")), a_set("b", some_trials("bpr", parameters=SMALL)))
    assert [(match.base is None, match.current is None) for match in changed] == [(False, False)]
    both = [some_trials("bpr"), some_trials("bpr", parameters=SMALL)]
    crossed = match_groups(a_set("a", *both), a_set("b", *both[::-1]))
    assert all(match.base.parameters == match.current.parameters for match in crossed)
    fewer = match_groups(a_set("a", *both), a_set("b", both[1]))
    assert [match.current is None for match in fewer] == [False, True]
    third = some_trials("bpr", parameters={"factors": 9})
    with pytest.raises(RecbenchError, match="not clear which configurations of bpr belong together.*factors=9"):
        match_groups(a_set("a", *both), a_set("b", third))


def test_an_unclear_match_names_a_few_configurations_of_many():
    sides = [
        a_set("a", *(some_trials("bpr", seeds=1, parameters={"size": size + offset}) for size in range(8)))
        for offset in (0, 100)
    ]
    with pytest.raises(RecbenchError, match=r"BASE has .*size=4\); 3 more, CURRENT has") as refused:
        match_groups(*sides)
    assert refused.value.message.count("size=") == 10


def test_a_seed_twice_is_refused():
    twice = [*some_trials("bpr"), a_trial("bpr", 1)]
    with pytest.raises(RecbenchError, match="Seed 1 of bpr occurs twice under the same conditions"):
        match_groups(a_set("a", some_trials("bpr")), a_set("b", twice))


def test_conditions_are_matched_where_a_model_ran_under_several():
    single, two, four = (some_trials("bpr", threads=threads) for threads in (1, 2, 4))
    assert [(m.base is None, m.current is None) for m in match_groups(a_set("a", single), a_set("b", two))] == [
        (False, False)
    ]
    several = match_groups(a_set("a", single), a_set("b", single, two))
    assert [(m.base and m.base.record.threads, m.current.record.threads) for m in several] == [(1, 1), (None, 2)]
    report = gated([single], [single, two])
    assert report.outcome is GateOutcome.NOT_COMPARABLE
    assert report.reasons[0].startswith("bpr (2 threads) not comparable: BASE has bpr with other hyper-parameters or")
    with pytest.raises(RecbenchError, match=r"not clear which.*CURRENT has bpr \(2 threads\); bpr \(4 threads\)"):
        match_groups(a_set("a", single), a_set("b", two, four))


def test_any_metric_can_gate(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text('gated = ["recall"]\nk = 5\n')
    report = gated([some_trials("bpr", 0.5)], [some_trials("bpr", 0.42)], **read_policy(path).to_dict())
    assert report.reasons[0].startswith("bpr Recall@5 regressed, from 0.2403 to 0.2019: -0.0")
    path.write_text('gated = ["recal"]')
    with pytest.raises(RecbenchError, match=r"gated.0: Unknown metric 'recal'. Did you mean: recall"):
        read_policy(path)


BASE_SPEEDS = (100.0, 110.0, 120.0)
SPEED = {
    "lower, and apart": ((70.0, 80.0, 85.0), {}, "regressed", "-27%"),
    "lower, but overlapping": ((70.0, 80.0, 105.0), {}, "inconclusive", "ranges overlap"),
    "a little lower, and apart": ((95.0, 96.0, 97.0), {}, "unchanged", "-13%"),
    "exactly the limit": ((88.0, 88.0, 88.0), {}, "unchanged", "-20%"),
    "higher, and apart": ((150.0, 160.0, 170.0), {}, "improved", "+45%"),
    "another processor": (
        (70.0, 70.0, 70.0),
        {"environment": Environment(**{**ENVIRONMENT.model_dump(), "cpu": "Other"})},
        None,
        "different machines: cpu Example CPU against Other",
    ),
    "another numpy": (
        (70.0, 70.0, 70.0),
        {"environment": Environment(**{**ENVIRONMENT.model_dump(), "packages": {"numpy": "9"}})},
        None,
        "different versions: numpy 2.4.0 against 9",
    ),
    "more threads": ((70.0, 70.0, 70.0), {"threads": 2}, None, "threads 1 against 2"),
    "beside other trials": ((70.0, 70.0, 70.0), {"concurrent_trials": 2}, None, "at the same time as others"),
    "fewer epochs": ((70.0, 70.0, 70.0), {"epochs": 5}, None, "different numbers of epochs, 20 and 5"),
    "too few seeds": ((70.0, 70.0), {}, None, "3 and 2 seeds; 3 are needed in each run"),
    "too short to time": ((70.0, 70.0, 70.0), {"fit_seconds": 0.01}, None, "too short to time (< 0.1 s)"),
}


@pytest.mark.parametrize(("current", "changes", "word", "reason"), SPEED.values(), ids=SPEED)
def test_throughput(current, changes, word, reason):
    (match,) = match_groups(a_set("a", speeds(*BASE_SPEEDS)), a_set("b", speeds(*current, **changes)))
    decision = decide_speed(match, Policy())
    assert (decision.verdict, reason in decision.reason) == (word, True), decision


def timed(*seconds_and_cpu, **changes):
    """Trials of a fit that took these wall seconds and CPU seconds."""
    return [
        a_trial(
            "bpr", seed, fit_seconds=wall, fit_cpu_seconds=cpu, interactions_per_second=56_000 * 20 / wall, **changes
        )
        for seed, (wall, cpu) in enumerate(seconds_and_cpu)
    ]


CALM = [(1.0, 0.9), (1.1, 1.0), (1.2, 1.0)]
CPU = {
    "the same code on a busy machine": ([(2.0, 0.9), (2.4, 1.1), (1.9, 1.0)], {}, None, "the machine was busy"),
    "slower code": ([(2.0, 1.9), (2.1, 2.0), (2.2, 2.0)], {}, Verdict.REGRESSED, "-48%"),
    "the same code on a calm machine": ([(0.5, 0.9), (0.5, 1.0), (0.5, 1.0)], {}, None, "improved by wall"),
    "more CPU time in the same wall time": ([(1.0, 2.9), (1.1, 3.0), (1.2, 3.0)], {}, None, "regressed by CPU time"),
    "faster code": ([(0.5, 0.4), (0.5, 0.5), (0.5, 0.5)], {}, Verdict.IMPROVED, "+120%"),
    "an older record": ([(2.0, 0.9), (2.4, None), (1.9, 1.0)], {}, Verdict.REGRESSED, "-45%"),
    "a GPU, whose work is no CPU time": (
        [(2.0, 0.9), (2.4, 1.0), (1.9, 1.0)], {"facts": {"device": "gpu"}}, Verdict.REGRESSED, "-45%"
    ),
    "a doubtful number of passes": (
        [(2.0, 1.9), (2.1, 2.0), (2.2, 2.0)],
        {"throughput_doubts": ("9 passes were counted, more than epochs=2",)},
        None,
        "in doubt in CURRENT, seed 0: 9 passes were counted, more than epochs=2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("current", "changes", "word", "reason"), CPU.values(), ids=CPU)
def test_throughput_is_gated_only_if_wall_time_and_cpu_time_agree(current, changes, word, reason):
    report = gated([timed(*CALM)], [timed(*current, **changes)])
    (decision,) = report.speed
    assert (decision.verdict, reason in decision.reason) == (word, True), decision
    assert (report.outcome is GateOutcome.REJECTED) == (word is Verdict.REGRESSED)
    noted = "throughput of CURRENT is in doubt: 9 passes" in " ".join(report.decided.comparison.models[0].notes)
    assert noted == ("throughput_doubts" in changes)
    if word is None:
        assert f"Throughput of bpr: not gated; {decision.reason}." in gate_table(report, Format.TEXT)


@pytest.mark.parametrize(("base", "current", "reason"), [
    ({"packages": {"tensorflow": "2"}}, {"packages": {"tensorflow": "3"}}, "versions: tensorflow 2 against 3"),
    ({"packages": {"RecTools": "1"}}, {"packages": {"rectools": "2"}}, "different versions: rectools 1 against 2"),
    ({}, {"python": "3.13.0"}, "different versions: Python 3.12 against 3.13"),
    (
        {"python": "3.11.1", "packages": {"numpy": "1", "scipy": "1", "torch": "1", "numba": "1", "keras": "1"}},
        {"python": "3.12.1", "packages": {"numpy": "2", "scipy": "1", "torch": "2", "numba": "2", "keras": "2"}},
        "versions: Python 3.11 against 3.12, keras 1 against 2, numba 1 against 2, 2 more packages",
    ),
    # A patch release of Python, a package without numerics, and the model's own package do not decide the speed.
    ({"python": "3.12.1"}, {"python": "3.12.9"}, "the seeds' ranges do not overlap"),
    ({"packages": {"certifi": "1", "shop": "1"}}, {"packages": {"certifi": "2", "shop": "2"}}, "do not overlap"),
    ({"gpus": (Gpu(name="A", driver="1"),)}, {"gpus": (Gpu(name="B", driver="1"),)}, "machines: gpu A against B"),
    # A model that does not import TensorFlow lists no version; some older records list it for every model.
    ({"packages": {"tensorflow": "2"}}, {"packages": {}}, "the seeds' ranges do not overlap"),
])  # fmt: skip
def test_throughput_needs_the_same_versions_and_gpu(base, current, reason):
    sides = [{"environment": ENVIRONMENT.model_copy(update=change)} for change in (base, current)]
    (match,) = match_groups(
        a_set("a", speeds(*BASE_SPEEDS, **sides[0])), a_set("b", speeds(70.0, 70.0, 70.0, **sides[1]))
    )
    assert reason in decide_speed(match, Policy()).reason


def test_lower_throughput_is_rejected_unless_the_policy_does_not_care():
    base, current = [speeds(*BASE_SPEEDS)], [speeds(70.0, 80.0, 85.0)]
    assert gated(base, current).reasons[0].startswith("bpr throughput regressed")
    assert gated(base, current, gate_throughput=False).outcome is GateOutcome.PASSED
    assert decide_speed(Match(None, None), Policy()).verdict is None


def test_a_policy_from_a_file(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text('floor = 0.01\ngated = ["hr", "ndcg"]\nk = 5\n')
    policy = read_policy(path)
    assert (policy.floor, policy.gated_metrics, policy.seed_z) == (0.01, ("hr@5", "ndcg@5"), 1.96)
    for text, message in (
        ("flor = 1", "flor: Extra inputs are not permitted"),
        ("floor = -1", "floor: Input should be greater than or equal to 0"),
        ("gated = []", "gated: Tuple should have at least 1 item"),
        ("floor", "is not valid TOML"),
    ):
        path.write_text(text)
        with pytest.raises(RecbenchError, match=message):
            read_policy(path)
    with pytest.raises(RecbenchError, match="Cannot read the policy"):
        read_policy(tmp_path / "none.toml")


def test_the_documentation_shows_the_default_policy(tmp_path):
    page = (Path(__file__).parent.parent / "docs" / "how-to" / "gate-elsewhere.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r'```toml title="gate.toml"\n(.*?)```', page, re.DOTALL)
    path = tmp_path / "gate.toml"
    path.write_text(shown)
    assert read_policy(path) == Policy()
    assert all(f"{name} = " in shown for name in Policy.model_fields)
