"""Intended regressions, limits of single models, chosen and renamed models; and what the history keeps of them."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.experiments.comparison import compare
from recbench.records import baselines, history
from recbench.records.gate_notes import FILE, read_notes
from recbench.records.renaming import read_renames
from recbench.records.schema import Revision
from recbench.records.selection import read_records
from recbench.records.target import parse_target
from recbench.reports.compare.policy import Policy, read_policy
from recbench.reports.compare.verdict import Verdict
from recbench.reports.trend import trends
from tests.command_line import CommandLine
from tests.examples import some_trials, write
from tests.test_baselines import git

COMMITTED = {"n": 300, "revision": Revision(sha="1" * 40, dirty=False, reasons=())}


@pytest.fixture
def command(capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return CommandLine(capfd, monkeypatch)


def run(name, *models, **changes):
    """Writes runs of models with their skills: ``("bpr", 0.5)``."""
    write(Path(name), *(some_trials(model, skill, **{**COMMITTED, **changes}) for model, skill in models))
    return name


@pytest.fixture
def drop(command):
    """An accepted run of two models, of which one has become worse."""
    baselines.accept(read_records(run("before", ("bpr", 0.5), ("ncf", 0.5))), "main")
    return run("after", ("bpr", 0.4), ("ncf", 0.5))


def test_a_reason_lets_a_regression_pass_and_the_history_keeps_it(command, drop):
    assert command("gate", "main", drop).code == 1
    assert not Path(drop, FILE).exists()
    done = command("gate", "main", drop, "--allow", "bpr:hr", "half the memory, half the time", "--format", "markdown")
    tag, headline = done.out.splitlines()[:2]
    reason = "half the memory, half the time (--allow)"
    assert (done.code, tag) == (0, "<!-- recbench:gate:toy -->")
    assert headline.startswith(
        f"**Gate passed with an accepted regression of bpr HR@10: {reason}. Regressed: bpr (HR@10 -0."
    )
    assert "- Accepted: bpr HR@10 regressed, from 0." in done.out
    assert "recbench gate main after --allow bpr:hr 'half the memory, half the time'" in done.out
    assert done.out.endswith("<!-- recbench:result:changed -->\n")
    document = json.loads(command("gate", "main", drop, "--allow=bpr:*", reason, "--json").out)
    assert [(regression["metric"], regression["reason"]) for regression in document["accepted"]] == [("hr@10", reason)]
    command("gate", "main", drop, "--allow", "*:hr", "first", "--allow", "ncf:hr", "second")
    assert read_notes(read_records(drop))[0].accepted == {"hr@10": "first (--allow)"}
    assert command("baseline", "accept", drop).code == 0
    lines = {(line.model, *line.accepted_regressions.items()) for line in history.read()[-3:]}
    assert lines == {("bpr", ("hr@10", "first (--allow)"))}
    assert "regression of hr@10 accepted: first (--allow)\n" in command("history").out
    # A later run in the same folder is another one.
    later = {"started_at": datetime(2026, 2, 1, tzinfo=UTC)}
    baselines.accept(read_records(run(drop, ("bpr", 0.3), **later)), "main")
    assert history.read()[-1].accepted_regressions == {}


@pytest.mark.parametrize(
    ("target", "reason", "message"),
    [
        ("bprr:hr", "x", "Unknown model of --allow 'bprr'. Did you mean: bpr?"),
        ("bpr:ndcg", "x", "--allow bpr:ndcg: ndcg@10 is not gated, so it cannot fail the gate."),
        ("bpr:hr@5", "x", "hr@5 is not gated"),
        ("bpr:hits", "x", "Unknown metric 'hits'"),
        ("bpr", "x", "'bpr' is not MODEL:METRIC."),
        ("bpr:hr", " ", "The accepted regression bpr:hr in --allow has no reason."),
    ],
)
def test_a_permission_that_means_nothing_is_an_error(command, drop, target, reason, message):
    done = command("gate", "main", drop, "--allow", target, reason)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_two_values_are_needed(command, drop):
    assert "--allow needs 2 values." in command("gate", "main", drop, "--allow", "bpr:hr").err
    assert "--allow needs 2 values." in command("gate", "main", drop, "--allow", "bpr:hr", "--strict").err
    assert "recbench gate needs CURRENT." in command("gate", "--allow", "bpr:hr", "main", drop).err


def test_an_intended_drop_below_popularity_passes_and_one_to_chance_does_not(command):
    run("before", ("bpr", 0.5), ("popularity", 0.45))
    for name, skill, reasons in (("below", 0.4, []), ("chance", 0.1, ["bpr is not above chance"])):
        run(name, ("bpr", skill), ("popularity", 0.45))
        assert "bpr is not above popularity" in str(compare("before", name).gate().reasons)
        gate = compare("before", name).gate(allow={"bpr:hr": "x"})
        assert [reason.partition(":")[0] for reason in gate.reasons] == reasons


def test_what_was_allowed_does_not_hide_the_rest(command):
    run("before", ("bpr", 0.5), ("ncf", 0.5), ("ease", 0.5))
    run("after", ("bpr", 0.4), ("ncf", 0.4))
    report = compare("before", "after").gate(allow={"bpr:hr": "x", "ncf:throughput": "y"}).report
    assert [reason.split(", from")[0].partition(":")[0] for reason in report.reasons] == [
        "ease missing",
        "ncf HR@10 regressed",
    ]
    assert [str(allowance.target) for allowance in report.unused] == ["ncf:throughput"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_file_counts_for_the_pull_request_that_adds_it(command, tmp_path, drop):
    git(tmp_path, "init", "-q", "-b", "main")

    def commit():
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x")

    def passes(base):
        return compare(base, drop).gate().passed

    main = "results/baselines/toy/main"
    commit()
    file = Path("results/accepted-regressions.toml")
    file.write_text('"bpr:hr" = "half the memory"\n')
    assert passes("main")
    assert passes(f"HEAD:{main}")
    commit()
    assert passes("main")
    assert passes(f"HEAD~1:{main}")
    assert not passes(f"HEAD:{main}")
    file.write_text('"bpr:hr" = "half the memory"\n"*:hr" = "another reason"\n')
    assert passes(f"HEAD:{main}")
    # It is in the history once, and for the model that fell.
    baselines.accept(read_records(drop), "main")
    reasons = [line.accepted_regressions.get("hr@10") for line in history.read()[-3:]]
    assert reasons == ["another reason (accepted-regressions.toml)"] * 3
    commit()
    baselines.accept(read_records(run("later", ("bpr", 0.3))), "main")
    assert history.read()[-1].accepted_regressions == {"hr@10": "half the memory (accepted-regressions.toml)"}
    baselines.accept(read_records(run("last", ("bpr", 0.2))), "main")
    assert history.read()[-1].accepted_regressions == {}
    for text, message in (('"bpr:hr" = ""', "bpr:hr: String should have at least 1"), ('"bpr" = "x"', "MODEL:METRIC")):
        file.write_text(text)
        with pytest.raises(RecbenchError, match=message):
            passes("main")


def test_limits_of_single_models_and_metrics(command, tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text('[limits]\n"*:hr" = 0.2\n"bpr:*" = 0.3\n"bpr:hr@10" = 0.01\n"bpr:throughput" = 0.5\n')
    policy = read_policy(file)
    floors = {
        (name, metric): policy.floor_of({name}, metric) for name in ("bpr", "ncf") for metric in ("hr@10", "ndcg@10")
    }
    assert floors == {("bpr", "hr@10"): 0.01, ("bpr", "ndcg@10"): 0.3, ("ncf", "hr@10"): 0.2, ("ncf", "ndcg@10"): 0.005}
    assert [policy.throughput_drop_of({name}) for name in ("bpr", "ncf")] == [0.5, 0.2]
    run("before", ("bpr", 0.5), ("ncf", 0.5))
    run("after", ("bpr", 0.4), ("ncf", 0.4))
    gate = compare("before", "after").gate(policy)
    assert [decisions["hr@10"].verdict for decisions in gate.report.decided.decisions] == [
        Verdict.REGRESSED,
        Verdict.UNCHANGED,
    ]
    assert 'limits = {"*:hr" = 0.2, "bpr:*" = 0.3' in gate.table()
    assert "has no effect" not in gate.table()
    file.write_text('[limits]\n"bpp:hr" = 0.2\n"*:recall@20" = 0.1\n"*:latency" = 0.3\n')
    notes = [
        "The limit 'bpp:hr' of the policy has no effect: bpp is not among the compared models (bpr, ncf). Did you "
        "mean: bpr?",
        "The limit '*:recall@20' of the policy has no effect: recall@20 is not compared (hr@10, ndcg@10). To compare "
        "it, add it to the field gated.",
    ]
    useless = compare("before", "after").gate(read_policy(file))
    assert useless.document()["notes"] == notes
    assert all(note in useless.table() for note in notes)
    assert useless.table("markdown").count("has no effect") == 2
    for text, message in (
        ('[limits]\n"bpr:hits" = 0.1', "Unknown metric 'hits'"),
        ("[limits]\nbpr = 0.1", "'bpr' is not MODEL:METRIC"),
        ('[limits]\n"bpr:hr" = 2', "less than 1"),
        ('[limits]\n"bpr:throughput" = 0', "a share above 0"),
        ('[renamed]\na = "b"\nb = "c"', "b is an old and a new name"),
        ('[renamed]\na = "c"\nb = "c"', "Two models are renamed to c"),
    ):
        file.write_text(text)
        with pytest.raises(RecbenchError, match=message):
            read_policy(file)
    assert parse_target("shop:Net:hr").model == "shop:Net"


def test_only_the_models_that_are_named_are_gated(command):
    run("before", ("bpr", 0.5), ("ncf", 0.5))
    run("after", ("bpr", 0.4), ("ncf", 0.5))
    run("other", ("ease", 0.5))
    assert command("gate", "before", "after", "--models", "ncf").code == 0
    assert "recbench gate before after --models ncf" in command("gate", "before", "after", "--models", "ncf").out
    assert command("gate", "before", "after", "--models", "ncf,bpr").code == 1
    assert (
        "Unknown model of these records 'nfc'. Did you mean: ncf?"
        in command("gate", "before", "after", "--models", "nfc").err
    )
    # A base without the model is no first baseline.
    done = command("gate", "before", "other", "--models", "ease")
    assert done.code == 4
    assert "no model of CURRENT could be compared with BASE (BASE has none, CURRENT has ease)" in done.out


def test_a_renamed_model_continues(command):
    baselines.accept(read_records(run("first", ("bpr", 0.6), ("ncf", 0.5))), "main")
    run("second", ("neumf", 0.5), ("bpr", 0.5))
    assert command("gate", "main", "second", "--models", "ncf,neumf").code == 4
    done = command("gate", "main", "second", "--models", "neumf", "--renamed", "ncf=neumf", "--against", "best")
    assert (done.code, done.out.splitlines()[0]) == (0, "Gate passed. Unchanged: neumf.")
    assert "Renamed since BASE: ncf is now neumf." in done.out
    Path("policy.toml").write_text('[renamed]\nncf = "neumf"\nold = "gone"\n')
    assert compare("main", "second", models=["ncf", "neumf"]).gate("policy.toml").passed
    # The gate has told the run folder, so that accepting it replaces the old name, in the best records too.
    assert command("baseline", "accept", "second", "--models", "neumf").code == 0
    accepted = {key: {group.name for group in groups} for key, groups in baselines.accepted_groups().items()}
    assert accepted == {("toy", "main"): {"bpr", "neumf"}, ("toy", "best"): {"bpr", "neumf"}}
    assert {trial.record.model for trial in read_records("best").trials} == {"bpr", "neumf"}
    lines = history.read()
    assert [(line.model, line.renamed_from) for line in lines[-3:]] == [("neumf", "ncf")] * 3
    for name in ("ncf", "neumf"):
        (trend,) = trends(lines, ["hr@10"], models=[name])
        assert (trend.model, len(trend.acceptances)) == ("neumf", 2)
    assert "renamed from ncf" in command("history", "--models", "neumf").out
    # To name it again does no harm.
    assert command("gate", "main", "second", "--models", "neumf", "--renamed", "ncf=neumf").code == 0


def test_a_best_record_of_an_earlier_name_gets_the_new_one(command):
    baselines.accept(read_records(run("first", ("ncf", 0.6))), "main")
    baselines.accept(read_records(run("second", ("neumf", 0.5))), "main", renamed={"ncf": "neumf"})
    (best,) = baselines.accepted_groups()["toy", "best"]
    level = read_records("first").trials[0].record.metrics
    assert (best.name, best.trials[0].record.metrics) == ("neumf", level)
    assert all(trial.candidate_ranks is not None for trial in read_records("best").trials)


def test_names_that_cannot_be_renamed(command):
    run("before", ("bpr", 0.5), ("ncf", 0.5))
    run("after", ("bpr", 0.5), ("neumf", 0.5))
    for renamed, message in (
        ({"nfc": "neumf"}, "Unknown model of BASE 'nfc'. Did you mean: ncf?"),
        ({"ncf": "neunf"}, "Unknown model of CURRENT 'neunf'. Did you mean: neumf?"),
        ({"ncf": "bpr"}, "BASE has ncf and bpr: they are two models."),
        ({"bpr": "neumf"}, "CURRENT still has bpr beside neumf."),
    ):
        with pytest.raises(RecbenchError) as caught:
            compare("before", "after", renamed=renamed)
        assert caught.value.message == message
    for texts in (["a"], ["a="], ["a=b", "a=c"], ["a=b", "b=c"], ["a=c", "b=c"]):
        with pytest.raises(RecbenchError, match="--renamed|old and a new name|renamed to c"):
            read_renames(texts)
    for renamed, message in (({"x": "neumf"}, "accepted model 'x'"), ({"ncf": "x"}, "model of this run 'x'")):
        with pytest.raises(RecbenchError, match=f"Unknown {message}"):
            baselines.accept(read_records("after"), "main", renamed=renamed)
    with pytest.raises(RecbenchError, match="The run has bpr and neumf"):
        baselines.accept(read_records("after"), "main", renamed={"bpr": "neumf"})


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_first_run_without_a_baseline_is_told_how_to_accept_one(command, tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x")
    run("after", ("bpr", 0.5))
    for base, label in (("main", ""), ("HEAD:results/baselines/toy/v1", " --label v1")):
        done = command("gate", base, "after", "--against", "best", "--format", "markdown")
        assert (done.code, done.err) == (4, "")
        assert f"**No baseline yet, so nothing was compared: {base} has no records.**" in done.out
        assert f"```\nrecbench baseline accept RUN{label}\ngit add results\n```" in done.out
        assert done.out.endswith("<!-- recbench:result:no-baseline -->\n")
    assert json.loads(command("gate", "main", "after", "--json").out)["outcome"] == "no baseline"
    # What needs no baseline still counts.
    run("chance", ("bpr", 0.1))
    assert command("gate", "main", "chance").code == 1
    # A baseline that is gone is no first one; nor is a further base that is missing.
    baselines.accept(read_records("after"), "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "rm", "-r", "-q", "--cached", "results/baselines")
    git(tmp_path, "commit", "-q", "-m", "x")
    run("later", ("bpr", 0.5))
    assert (
        "Revision HEAD has no results/baselines/toy/main."
        in command("gate", "HEAD:results/baselines/toy/main", "later").err
    )
    done = command("gate", "main", "later", "--against", "HEAD:results/baselines/toy/v1")
    assert (done.code, done.out) == (4, "")
    with pytest.raises(NothingToCompareError):
        compare("HEAD:results/baselines/toy/v1", "later")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(
    ("base", "alternatives"),
    [
        (
            "HEAD:results/baselines/toy/mein",
            "Labels of toy at {}: best, main. Did you mean: main? Correct the label, or accept a first baseline after "
            "the merge.",
        ),
        (
            "HEAD:./results/baselines/toi/main",
            "toi has no baseline at {}; tasks with one: toy. Did you mean: toy? Correct the task, or accept a first "
            "baseline after the merge.",
        ),
    ],
)
def test_a_baseline_that_was_never_accepted_names_those_that_exist(command, tmp_path, base, alternatives):
    run("before", ("bpr", 0.5))
    baselines.accept(read_records("before"), "main")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "x")
    run("after", ("bpr", 0.5))
    alternatives = alternatives.format(git(tmp_path, "rev-parse", "HEAD").strip()[:12])
    headline = f"No baseline yet, so nothing was compared: {base} has no records. {alternatives}"
    files = ["--annotations", "a.txt", "--summary", "s.md"]
    done = command("gate", base, "after", *files)
    assert (done.code, done.out.splitlines()[0]) == (4, headline)
    assert f"::warning title=recbench%3A no baseline::{headline}" in Path("a.txt").read_text().splitlines()
    assert f"**{headline}**" in Path("s.md").read_text()
    document = json.loads(command("gate", base, "after", "--json").out)
    assert (document["headline"], document["exit_code"]) == (headline, 4)
    assert alternatives in command("compare", base, "after").err
    run("chance", ("bpr", 0.1))
    assert alternatives in command("gate", base, "chance").out


def test_a_change_is_told_from_none(command):
    run("before", ("bpr", 0.5))
    for name, skill, result in (("same", 0.5, "unchanged"), ("better", 0.6, "changed"), ("worse", 0.4, "changed")):
        run(name, ("bpr", skill))
        mark = f"<!-- recbench:result:{result} -->\n"
        assert command("gate", "before", name, "--format", "markdown").out.endswith(mark)
    assert Policy().to_dict().keys().isdisjoint({"limits", "renamed"})
