"""Suites: runs, reports over the tasks that every model has, results of others, and the gate."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import recbench as rb
from recbench.errors import NothingToCompareError, RecbenchError
from recbench.experiments.execution import Execution
from recbench.experiments.suite import SuiteRequest, load_suite, run_suite
from recbench.experiments.suite_lint import lint_suites
from recbench.experiments.suite_merge import merge_suites
from recbench.experiments.task_source import task_source
from recbench.output_files import OutputFile
from recbench.progress.choice import NoProgress
from recbench.records.schema import TaskIdentity
from recbench.records.suite_folder import Manifest, task_folder, write_manifest
from recbench.records.tuned_settings import TunedModel, TunedSettings, project_settings_path, save
from recbench.registry.requested import request_models
from recbench.tasks.suite_spec import builtin_suites, find_suite
from tests.command_line import CommandLine
from tests.examples import ENVIRONMENT, a_trial, write
from tests.golden_files import check_golden
from tests.test_record_selection import SPEC
from tests.test_settings import a_provenance

TASKS = ("one", "two", "three")


def identity(name, digit=None):
    return TaskIdentity(name=name, digest="sha256:" + (digit or f"{TASKS.index(name)}") * 64)


def a_suite(folder, skills, *, tasks=TASKS, digests=None, seeds=1, cpu="Example CPU"):
    """Writes the records of a suite: ``skills`` has the skill of each model on each task, or what its record says."""
    identities = [identity(name, (digests or {}).get(name)) for name in tasks]
    write_manifest(folder, Manifest(name="toys", metric="hr@10", tasks=tuple(identities)))
    for number, task in enumerate(identities):
        for model, by_task in skills.items():
            skill = by_task[number]
            if skill is None:
                continue
            changes = {} if isinstance(skill, float) else {"status": "failed", "error": skill}
            trials = [
                a_trial(
                    model, seed, skill if isinstance(skill, float) else 0.5, luck=number, n=200, task=task,
                    environment=ENVIRONMENT.model_copy(update={"cpu": cpu}), **changes,
                )
                for seed in range(seeds)
            ]  # fmt: skip
            write(task_folder(folder, task.name), trials)
    return folder


SKILLS = {"ease": (0.7, 0.6, 0.5), "knn": (0.5, 0.55, 0.52), "popularity": (0.2, 0.3, 0.25)}


@pytest.fixture
def command(capfd, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return CommandLine(capfd, monkeypatch)


def test_a_suite_runs_resumes_and_reports(tmp_path, monkeypatch, command):
    request = SuiteRequest(
        name="tiny",
        tasks=["synthetic", "skewed-synthetic"],
        models=request_models(["popularity", "random"]),
        seeds=(0,),
        output=tmp_path / "tiny",
        execution=Execution(in_process=True),
    )
    suite = run_suite(request, NoProgress)
    assert [standing.name for standing in suite.report.standings] == ["popularity", "random"]
    assert suite.report.standings[0].scores[0] == pytest.approx(suite.runs[0].to_frame()["value"][0])
    frame = suite.to_frame()
    assert frame["task"].tolist() == ["synthetic", "skewed-synthetic"] * 2
    # A second time, no trial runs.
    ran = []
    monkeypatch.setattr("recbench.experiments.train.run_plan", lambda _, missing, *__: ran.extend(missing))
    assert run_suite(request, NoProgress).document() == suite.document()
    assert ran == []
    assert load_suite([tmp_path / "tiny"]).document() == suite.document()
    assert command("report", "tiny", "-o", "page.html").code == 0
    page = (tmp_path / "page.html").read_text()
    assert "Suite tiny" in page
    assert "Relative NDCG@10 against training time" in page
    assert '<td data-label="2 random">2</td>' in page
    assert "<h1>recbench report: suite tiny</h1>" in page
    assert "<li>★: lowest mean rank" in page
    assert "<li>[ ]: 95 % confidence interval" in page
    assert "machine" not in suite.table()
    assert command("site", "tiny", "-o", "public").code == 0
    index = (tmp_path / "public" / "index.html").read_text()
    link = re.search(r'<li><a href="(pages/[^"]*)#suite-1">Suite tiny, tiny</a>: NDCG@10, 2 tasks: [^<]*', index)
    assert link
    assert "Best mean rank: popularity" in link[0]
    assert 'id="suite-1"' in (tmp_path / "public" / link[1]).read_text()


def test_the_report_reads_as_accepted(tmp_path, request):
    a_suite(tmp_path / "toys", SKILLS | {"slim": (0.6, "no room", 0.5)}, tasks=TASKS)
    suite = load_suite([tmp_path / "toys"])
    check_golden("suite.txt", suite.table() + "\n", request)
    assert [task.name for task in suite.report.tasks] == ["one", "three"]
    # Without the model that failed, all tasks count.
    others = load_suite([tmp_path / "toys"], models=["ease", "knn", "popularity"])
    assert (len(others.report.tasks), others.report.missing) == (3, ())
    for form in ("markdown", "html", "latex", "csv", "json"):
        assert "slim" in suite.table(form)
    document = json.loads(suite.table("json"))
    assert document["missing"] == [{"task": "two", "model": "slim", "reason": "seed 0 failed: no room"}]
    pairs = {(pair["first"], pair["second"]): (pair["won"], pair["lost"]) for pair in document["pairs"]}
    assert pairs["ease", "popularity"] == (2, 0)
    assert suite.metric("mrr").report.measure.name == "mrr"


def test_too_little_to_compare(tmp_path):
    folder = a_suite(tmp_path / "toys", {"ease": (0.7, None, None), "knn": (None, 0.5, 0.5)})
    with pytest.raises(NothingToCompareError, match=r"no task has: one: knn \(no records\); two: ease"):
        _ = load_suite([folder]).report
    with pytest.raises(NothingToCompareError, match="there is ease"):
        _ = load_suite([folder], models=["ease"]).report
    with pytest.raises(RecbenchError, match=r"no model 'eas' .*Did you mean: ease"):
        _ = load_suite([folder], models=["eas"]).report


def test_the_metric_must_exist_on_every_task(tmp_path):
    folder = a_suite(tmp_path / "toys", SKILLS)
    with pytest.raises(NothingToCompareError, match="no full ranking, which full HR@10"):
        _ = load_suite([folder], "full-hr@10").report
    request = SuiteRequest(
        name="s", tasks=["synthetic", "skewed-synthetic"], models=request_models(["random"]), metric="hr@500"
    )
    with pytest.raises(RecbenchError, match="hr@500 cannot be computed on every task"):
        run_suite(request, NoProgress)


@pytest.mark.parametrize(
    ("tasks", "problem"),
    [
        ('["synthetic"]', "there is one, and a suite has at least 2"),
        ("[]", "there is none"),
        ('["synthetic", "synthetic"]', "'synthetic' occurs twice"),
        ('["synthetic", {name = "ml-100k", metric = "mrr"}]', "'metric' of the suite holds for all tasks"),
        ("3", "tasks: Input should be a valid tuple"),
    ],
)
def test_bad_suite_files(command, tmp_path, tasks, problem):
    (tmp_path / "s.toml").write_text(f'name = "s"\ntasks = {tasks}\nmodels = ["random"]\n')
    ended = command("suite", "run", "s.toml")
    assert ended.code == 2
    assert problem in ended.err


def test_bad_suites(tmp_path, command):
    def run(*tasks):
        rb.suite(tasks=tasks, models="random", output=tmp_path / "out", quiet=True)

    with pytest.raises(RecbenchError, match="synthetik.*Did you mean: synthetic"):
        run("synthetic", "synthetik")
    with pytest.raises(RecbenchError, match="synthetic occurs twice"):
        run("synthetic", rb.load_task("synthetic"))
    copy = tmp_path / "copy.toml"
    spec = command("task", "show", "synthetic", "--spec").out.replace('name = "synthetic"', 'name = "copy"')
    copy.write_text(spec)
    with pytest.raises(RecbenchError, match="copy is the same task as synthetic"):
        run("synthetic", copy)
    with pytest.raises(RecbenchError, match="at least 2 tasks, and there is one"):
        run("synthetic")
    copy.write_text(spec.replace("[dataset]", "replicas = 3\n\n[dataset]").replace("timestamp", "random"))
    with pytest.raises(RecbenchError, match=r"copy.toml has replicas"):
        run("synthetic", copy)
    with pytest.raises(RecbenchError, match="either a suite"):
        rb.suite("small", tasks=["synthetic"])
    assert not (tmp_path / "out").exists()
    assert "Did you mean: small" in command("suite", "run", "smal").err


def test_the_builtin_suite(command, tmp_path):
    (tmp_path / "mine.toml").write_text(command("suite", "show", "small").out)
    assert find_suite(tmp_path / "mine.toml") == builtin_suites()["small"]
    assert json.loads(command("suite", "list", "--json").out)["suites"][0]["name"] == "small"


def test_results_of_others(tmp_path, command):
    a_suite(tmp_path / "results/suites/toys/me", SKILLS)
    a_suite(tmp_path / "other", {"ease": (0.65, 0.6, 0.55)}, cpu="Another CPU")
    ended = command("suite", "merge", "other", "-o", "results/suites/toys")
    assert ended.code == 0, ended.err
    assert "ease [other]" in ended.out
    assert command("site", "-o", "public").code == 0
    assert sorted(path.name for path in (tmp_path / "public/pages").iterdir()) == [
        "suites-toys-me.html",
        "suites-toys-other.html",
    ]
    assert command("report", "results/suites/toys", "-o", "page.html").code == 0
    assert "ease [other]" in (tmp_path / "page.html").read_text()
    assert "Another CPU" in ended.out
    assert "Not all trials ran on the same machine" in ended.out
    # What is merged again changes nothing, and other records under the same name are refused.
    assert command("suite", "merge", "other", "-o", "results/suites/toys").out == ended.out
    shutil.rmtree(tmp_path / "other")
    a_suite(tmp_path / "other", {"ease": (0.1, 0.1, 0.1)})
    assert "has another record than" in command("suite", "merge", "other", "-o", "results/suites/toys").err
    assert command("suite", "lint").out == "No problem\n"
    # As folders of records without the file, for the folder's name is enough.
    shutil.move(tmp_path / "other", tmp_path / "third")
    (tmp_path / "third/suite.toml").unlink()
    assert merge_suites([tmp_path / "third"], tmp_path / "results/suites/toys") == 3
    assert len(load_suite([tmp_path / "results/suites/toys"]).sources) == 3


def test_people_with_the_same_folder_name_are_not_mixed(tmp_path, command):
    own = a_suite(tmp_path / "own" / "local", {"ease": SKILLS["ease"]})
    a_suite(tmp_path / "bob" / "local", {"knn": SKILLS["knn"]})
    before = sorted(path.relative_to(own) for path in own.rglob("*"))
    refused = command("suite", "merge", "bob/local", "-o", "own")
    assert refused.code == 2
    assert "the two may be of different people" in refused.err
    assert sorted(path.relative_to(own) for path in own.rglob("*")) == before
    # A folder that has grown is merged again; an older copy of it adds nothing.
    a_suite(tmp_path / "newer" / "local", SKILLS)
    assert command("suite", "merge", "newer/local", "-o", "own").code == 0
    assert command("suite", "merge", "bob/local", "-o", "own").code == 0
    assert len(load_suite([own]).report.standings) == 3


def test_a_second_configuration_on_one_task_leaves_the_complete_one_whole(tmp_path):
    folder = a_suite(tmp_path / "toys", SKILLS)
    other = a_trial("ease", 0, 0.4, n=200, task=identity("one"), parameters={"factors": 32, "epochs": 20})
    write(task_folder(folder, "one"), [other])
    whole = load_suite([folder], models=["ease (factors=64)", "knn", "popularity"]).report
    assert [standing.name for standing in whole.standings] == ["ease (factors=64)", "knn", "popularity"]
    assert len(whole.tasks) == 3


def test_records_of_a_task_that_is_no_longer_of_the_suite_are_named_and_not_used(tmp_path):
    folder = a_suite(tmp_path / "toys", SKILLS)
    # The task three was removed, and the task two has another digest now.
    a_suite(folder, {model: skills[:2] for model, skills in SKILLS.items()}, tasks=("one", "two"), digests={"two": "f"})
    suite = load_suite([folder])
    assert [task.name for task in suite.report.tasks] == ["one", "two"]
    left_out = f"three sha256:{'2' * 12}, two sha256:{'1' * 12}"
    assert f"Not used: 6 records of toys of tasks that are not in its suite.toml: {left_out}." in suite.table()


def test_a_suite_that_was_tuned_on_some_tasks_only_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    request = SuiteRequest(
        name="tiny", tasks=["synthetic", "skewed-synthetic"], models=request_models(["popularity", "random"]),
        seeds=(0,), output=tmp_path / "tiny", settings="tuned", execution=Execution(in_process=True),
    )  # fmt: skip
    with pytest.raises(RecbenchError, match="No model was tuned on the task"):
        run_suite(request, NoProgress)
    assert not (tmp_path / "tiny").exists()


def test_a_suite_says_on_which_tasks_a_model_was_tuned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tuned = TunedModel(parameters={"overlap": 2.0}, provenance=a_provenance())
    for name in ("synthetic", "skewed-synthetic"):
        task = TaskIdentity(name=name, digest=task_source(name).task.digest)
        settings = TunedSettings(task=task, models={"itemknn" if name == "synthetic" else "ease": tuned})
        save(settings, OutputFile(project_settings_path(name)))
    request = SuiteRequest(
        name="tiny", tasks=["synthetic", "skewed-synthetic"], models=request_models(["popularity", "itemknn"]),
        seeds=(0,), output=tmp_path / "tiny", settings="tuned", execution=Execution(in_process=True),
    )  # fmt: skip
    suite = run_suite(request, NoProgress)
    assert suite.document()["settings_notes"] == [
        f"synthetic: Settings: {project_settings_path('synthetic')}, tuned on validation cases with up to 20 trials "
        "and 60 s a model: itemknn 20 in 60 s.",
        "synthetic: Not tuned, so with defaults: popularity.",
        "synthetic: The source has changed since the tuning of: itemknn.",
        f"skewed-synthetic: Settings: {project_settings_path('skewed-synthetic')}, which has none of these models.",
        "skewed-synthetic: Not tuned, so with defaults: popularity, itemknn.",
    ]
    assert all(note in suite.table("markdown") for note in suite.report.settings_notes)
    defaults = run_suite(replace(request, settings="default", output=tmp_path / "defaults"), NoProgress)
    assert defaults.report.settings_notes == ("Settings: each model's defaults.",)
    assert load_suite([tmp_path / "tiny"]).report.settings_notes == ()


def test_a_replica_of_a_spec_file_is_found_from_the_folder_of_the_suite(tmp_path):
    (tmp_path / "s.toml").write_text('name = "s"\ntasks = ["twice.toml@0", "synthetic"]\nmodels = ["ease", "random"]\n')
    assert find_suite(tmp_path / "s.toml").tasks == (str(tmp_path / "twice.toml@0"), "synthetic")


def test_the_name_of_a_task_is_no_markup(tmp_path):
    a_suite(
        tmp_path / "toys",
        SKILLS | {"slim": (0.6, "no room", 0.5)},
        tasks=("one", "# two", "three"),
        digests={"# two": "1"},
    )
    assert "\n\\# two: slim" in load_suite([tmp_path / "toys"]).table("markdown").replace("<br>", "")


def test_records_of_another_digest_are_refused(tmp_path, command):
    a_suite(tmp_path / "toys/me", SKILLS)
    a_suite(tmp_path / "other", {"ease": (0.6, 0.6, 0.5)}, digests={"two": "f"})
    ended = command("suite", "merge", "other", "-o", "toys")
    assert ended.code == 2
    assert "The records of other are of another task 'two': sha256:ffffffffffff" in ended.err
    assert not (tmp_path / "toys/other").exists()


def test_records_are_checked_from_their_ranks(tmp_path, command):
    a_suite(tmp_path / "toys/me", SKILLS)
    folder = a_suite(tmp_path / "other", {"ease": (0.6, 0.6, 0.5)})
    record = next((folder / "one").glob("*.json"))
    content = json.loads(record.read_text())
    content["metrics"]["hr@10"]["mean"] = 0.99
    record.write_text(json.dumps(content))
    ended = command("suite", "merge", "other", "-o", "toys")
    assert (ended.code, (tmp_path / "toys/other").exists()) == (2, False)
    assert "0.99" in ended.err


def test_lint_names_each_problem(tmp_path):
    suite = tmp_path / "toys"
    a_suite(suite / "good", SKILLS)
    a_suite(suite / "moved", SKILLS)
    (suite / "moved/one").rename(suite / "moved/uno")
    a_suite(suite / "bare", SKILLS)
    (suite / "bare/suite.toml").unlink()
    a_suite(suite / "partly", SKILLS)
    write_manifest(suite / "partly", Manifest(name="toys", metric="hr@10", tasks=(identity("one", "e"),)))
    (suite / "empty").mkdir()
    next((suite / "good/one").glob("*.npz")).unlink()
    problems = "\n".join(lint_suites([suite]))
    for words in (
        "it is a record of one, whose folder is",
        "bare: suite.toml is missing",
        "two is not a task of",
        "it is of another task 'one': sha256:000000000000, not sha256:eeeeeeeeeeee",
        "empty: suite.toml is missing",
        ".npz",
    ):
        assert words in problems
    task = TaskIdentity(name="synthetic", digest="sha256:" + "a" * 64)
    write_manifest(tmp_path / "old/me", Manifest(name="old", metric="hr@10", tasks=(task,)))
    assert (
        "the digest of synthetic is sha256:aaaaaaaaaaaa, and that of this version" in lint_suites([tmp_path / "old"])[0]
    )


def test_the_gate_takes_a_suite(tmp_path, command):
    a_suite(tmp_path / "base", SKILLS)
    a_suite(tmp_path / "same", SKILLS)
    a_suite(tmp_path / "worse", SKILLS | {"ease": (0.7, 0.35, 0.5)})
    a_suite(tmp_path / "less", SKILLS | {"ease": (0.7, None, 0.5)})
    same = command("gate", "base", "same")
    assert (same.code, same.out.splitlines()[0]) == (0, "Gate passed. Unchanged: 3 models on 3 tasks.")
    same = command("compare", "base", "less").out.splitlines()[0]
    assert same == "Missing: ease on two; unchanged: 8 results (3 models on 3 tasks)."
    ended = command("gate", "base", "worse")
    assert ended.code == 1
    assert "ease on two HR@10 regressed" in ended.out
    assert "ease on one" not in ended.out.split("\n\n")[0]
    assert "ease on two missing" in command("gate", "base", "less").out
    one = command("gate", "base", "worse", "--task", "one")
    assert (one.code, one.out.splitlines()[0]) == (0, "Gate passed. Unchanged: ease, knn, popularity.")
    assert one.out.splitlines()[-1].endswith("recbench gate base worse --task one")
    assert command("gate", "base", "worse", "--task", "two").code == 1
    assert "popularity on one" not in command("compare", "base", "worse", "--task", "two").out
    # A spec file names its task, also one of which nothing is built.
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/first.toml").write_text(f'name = "one"\n{SPEC}')
    by_spec = command("gate", "base", "worse", "--task", "specs/first.toml")
    assert (by_spec.code, by_spec.out) == (0, one.out)
    assert rb.compare("base", "worse", task=Path("specs/first.toml")).gate().passed
    unknown = command("gate", "base", "worse", "--task", "four")
    assert (unknown.code, "Unknown task of these records 'four'" in unknown.err) == (2, True)
    a_suite(tmp_path / "bad", SKILLS | {"ease": (0.1, 0.1, 0.1)})
    first = command("gate", "main", "bad")
    assert first.code == 1
    assert first.out.split("\n")[0].endswith(". There is no baseline yet: main has no records.")
    assert "ease on one is not above popularity" in first.out.split("; failed: ")[1]
    # Holm adjusts over all tasks and models together: 3 x 3 tests by each metric.
    decided = rb.compare("base", "worse").gate().report.decided
    tests = [evidence for model in decided.comparison.models for evidence in model.measured.evidence.values()]
    adjusted = [decision.p_adjusted for _, _, decision in decided.cells()]
    assert min(adjusted) == pytest.approx(9 * min(test.p for test in tests))
