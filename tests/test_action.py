"""The action for pull requests, step by step: what it decides, what it publishes, and what must never pass."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recbench.requirements import gate_requirements
from tests.composite_action import ACTION, FOLDER, ROOT, FakeGh, Runner

TAG = "<!-- recbench:action:synthetic -->"
FEW = ["--task", "synthetic", "--seeds", "1"]
BASELINE = "results/baselines/synthetic/main"
SHOP = """\
class Shop:
    def fit(self, train, context):
        self.indptr, self.indices, self.items = train.indptr, train.indices, train.n_items
        {fit}

    def score(self, users, items):
        return {score}
"""
GOOD = SHOP.format(fit="self.rows = __import__('numpy').bincount(train.items)", score="self.rows[items] * 1.0")
BAD = SHOP.format(fit="pass", score="items * 1.0")
WORSE = SHOP.format(fit="self.rows = __import__('numpy').bincount(train.items)", score="self.rows[items] % 40 * 1.0")
BROKEN = SHOP.format(fit="raise ValueError('out of <milk>')", score="items * 1.0")


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def upstream(tmp_path_factory, program_server):
    """A repository of somebody else's model, with its accepted baseline on main, and the task built beside it."""
    folder = tmp_path_factory.mktemp("upstream")
    (folder / "shop.py").write_text(GOOD)
    program_server.run(
        ["run", "--models", "shop.py:Shop", *FEW, "-o", BASELINE],
        folder,
        {**os.environ, "RECBENCH_HOME": str(folder.with_name("built"))},
        timeout=300,
    ).check_returncode()
    git(folder, "init")
    git(folder, "add", "-A")
    git(folder, "commit", "-m", "accepted")
    # A target branch on which others have gone on since: their baseline is another one.
    git(folder, "checkout", "-b", "moved")
    git(folder, "rm", "-r", "--quiet", "results")
    git(folder, "commit", "-m", "of others")
    git(folder, "checkout", "main")
    return folder


@pytest.fixture
def gh(tmp_path, program_server):
    program_server.start()
    return FakeGh(tmp_path / "gh", program_server.path)


@pytest.fixture
def runner(upstream, gh, tmp_path):
    """Checked out as the platform does it: one commit of a pull request, and nothing of main."""
    workspace = tmp_path / "workspace"
    git(tmp_path, "clone", "--depth=1", f"file://{upstream}", str(workspace))
    git(workspace, "checkout", "-b", "change")
    git(workspace, "update-ref", "-d", "refs/remotes/origin/main")
    contexts = {"github.base_ref": "main", "github.event.pull_request": "yes", "github.event.pull_request.number": "7"}
    environment = {**gh.environment, "RECBENCH_HOME": str(upstream.with_name("built"))}
    return Runner(workspace, tmp_path / "runner", contexts, environment)


def gate(runner, **inputs):
    """Returns the steps, and the exit code that stops the job."""
    done = runner.run(**{"models": "shop.py:Shop", "task": "synthetic", "seeds": "1", **inputs})
    code = runner.contexts["steps.gate.outputs.exit-code"]
    assert done["Verdict"].returncode == int(code)
    return done, int(code)


def test_a_change_that_passes_gets_a_comment_and_a_summary(runner, gh):
    (runner.workspace / "limits.toml").write_text("floor = 0.01\n")
    runner.contexts["github.base_ref"] = "moved"
    # A label that is about regressions has no effect where there is none.
    gh.has_labels("accept-regression", "docs")
    options = {"arguments": "--threads 1\n--k 5,10\n", "against": f"origin/moved:{BASELINE}", "policy": "limits.toml"}
    done, code = gate(runner, **options)
    assert code == 0, done["Run and gate"].stderr
    base = git(runner.workspace, "rev-parse", "HEAD").strip()
    assert f"origin/moved: is read at {base}" in done["Run and gate"].stderr
    ((method, place, body),) = gh.written
    assert (method, place) == ("POST", "repos/owner/shop/issues/7/comments")
    assert body.startswith(f"{TAG}\n<!-- recbench:gate:synthetic -->\n**Gate passed. Unchanged: Shop.**\n")
    assert (body.count("Gate passed"), body.count("floor = 0.01")) == (2, 2)
    assert "\n<!-- recbench:gate:synthetic -->\n**Gate passed." in runner.summary
    assert "```mermaid" in runner.summary
    assert "NDCG@5" in runner.summary
    assert done["Comment"].stdout == "https://example.org/1\n"
    assert "Not needed: \\*:\\* did not regress" in body


def test_a_drop_stops_the_job_and_replaces_the_earlier_comment(runner, gh):
    (runner.workspace / "shop.py").write_text(BAD)
    quoted = {"body": TAG, "url": "https://example.org/shop/pull/7#issuecomment-1", "viewerDidAuthor": False}
    other = {"body": "thanks", "url": "https://example.org/shop/pull/7#issuecomment-2", "viewerDidAuthor": True}
    own = {"body": f"{TAG}\npassed", "url": "https://example.org/shop/pull/7#issuecomment-3", "viewerDidAuthor": True}
    gh.has_comments(quoted, other, own)
    # The address of a web hook is a secret. That nobody answers there changes nothing.
    done, code = gate(runner, comment="on-change", notify="http://me:secret@127.0.0.1:1/hidden")
    ((method, place, body),) = gh.written
    assert code == 1
    log = done["Run and gate"].stderr + done["Run and gate"].stdout
    assert "\n::error title=recbench%3A Shop::Shop HR@10 regressed, from 0." in log
    assert "Warning: --notify: 127.0.0.1 did not take the message: Connection refused." in log
    assert not re.search("secret|hidden", log + body + runner.summary)
    assert 'name="Shop HR@10"' in Path(runner.contexts["steps.gate.outputs.junit"]).read_text()
    assert str(runner.temporary) not in body + runner.summary
    assert (method, place) == ("PATCH", "repos/owner/shop/issues/comments/3")
    assert "**Gate FAILED: Shop HR@10 regressed, from 0." in body


def test_a_maintainer_accepts_a_drop_by_a_label(runner, gh):
    (runner.workspace / "shop.py").write_text(WORSE)
    gh.has_labels("docs", "accept-regression")
    _, code = gate(runner)
    headline = gh.written[0][2].splitlines()[2]
    assert (code, runner.contexts["steps.gate.outputs.result"]) == (0, "changed")
    reason = "the pull request has the label accept-regression (--allow)"
    assert headline.startswith(f"**Gate passed with an accepted regression of Shop HR@10: {reason}. Regressed: Shop (")


def test_the_labels_of_the_event_count_if_github_cannot_be_asked(gh):
    def accepted(labels, **environment):
        done = subprocess.run(
            [sys.executable, str(FOLDER / "labels.py"), "owner/shop", "7", labels],
            env={**gh.environment, **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip(), done.stderr

    assert accepted('["accept-regression"]') == ("accepted=false", "")
    output, message = accepted('["accept-regression"]', PATH=str(gh.folder.parent))
    assert output == "accepted=true"
    assert message.startswith("::notice title=Labels of the event::GitHub cannot be asked for the labels: [Errno ")
    gh.refuses("pr", "gh: Bad credentials (HTTP 401)")
    assert accepted("")[0] == "accepted=false"


def test_the_first_pull_request_gets_a_neutral_comment(runner, gh, upstream):
    runner.contexts["github.base_ref"] = "empty"
    git(runner.workspace, "checkout", "-q", "--orphan", "first")
    git(runner.workspace, "rm", "-r", "-q", "-f", "results")
    git(runner.workspace, "commit", "-q", "-m", "first")
    git(upstream, "fetch", "-q", str(runner.workspace), "first:empty")
    done, code = gate(runner, against="origin/empty:results/baselines/synthetic/best", comment="on-change")
    assert (code, runner.contexts["steps.gate.outputs.result"]) == (0, "no-baseline")
    body = gh.written[0][2]
    assert "**No baseline yet, so nothing was compared: " in body
    assert "FAILED" not in body
    assert "recbench baseline accept RUN\n" in body
    warning = "::warning title=recbench%3A no baseline::No baseline yet, so nothing was compared: "
    assert warning in done["Run and gate"].stdout


def test_a_label_of_several_tasks_is_compared_by_the_task_of_the_job(runner, upstream):
    for label in ("main", "v1.0"):
        target = runner.workspace / "results" / "baselines" / "other" / label
        shutil.copytree(runner.workspace / BASELINE, target)
        for path in target.glob("*.json"):
            path.write_text(
                path.read_text().replace('"name": "synthetic"', '"name": "other"').replace("sha256:b", "sha256:a")
            )
    shutil.copytree(runner.workspace / BASELINE, runner.workspace / "results" / "baselines" / "synthetic" / "v1.0")
    records = upstream.with_name("same")
    shutil.copytree(runner.workspace / BASELINE, records, dirs_exist_ok=True)
    done, code = gate(runner, models="", records=str(records), comment="false", against="v1.0", baseline="main")
    assert code == 0, done["Run and gate"].stderr
    done, code = gate(
        runner, models="", records=str(records), comment="false", against="v1.0", baseline="main", task=""
    )
    assert (code, "Shop on other missing" in done["Run and gate"].stdout + runner.summary) == (1, True)


def test_a_misspelled_label_is_a_warning_with_the_labels_that_exist(runner, gh):
    done, code = gate(runner, baseline="HEAD:results/baselines/synthetic/mein")
    assert code == 0
    names = "Labels of synthetic at [0-9a-f]{12}: main. Did you mean: main\\? Correct the label, or accept a first "
    (warning,) = [line for line in done["Run and gate"].stdout.splitlines() if line.startswith("::warning")]
    for text in (warning, gh.written[0][2], runner.summary):
        assert re.search(names, text), text


def test_without_a_change_there_is_no_new_comment(gh, tmp_path):
    (tmp_path / "report.md").write_text("x")
    done = comment(gh, tmp_path / "report.md", "on-change", "unchanged")
    assert (done.returncode, done.stdout, gh.written) == (0, "Nothing has changed, so there is no comment.\n", [])
    tag = "<!-- recbench:action:a-task-b- -->"
    gh.has_comments({"body": tag, "url": "https://example.org/shop/pull/7#issuecomment-3", "viewerDidAuthor": True})
    assert comment(gh, tmp_path / "report.md", "on-change", "unchanged").returncode == 0
    assert [place for _, place, _ in gh.written] == ["repos/owner/shop/issues/comments/3"]
    done = comment(gh, tmp_path / "report.md", "sometimes", "changed")
    assert done.returncode == 1
    assert "The input 'comment' is 'sometimes'. Use always, on-change or never." in done.stdout


def test_a_model_that_fails_is_told_of(runner, gh):
    (runner.workspace / "shop.py").write_text(BROKEN)
    _, code = gate(runner)
    assert code == 3
    assert "Gate FAILED: Shop failed: seed 0 failed: ValueError: out of &lt;milk>" in gh.written[0][2]


def test_with_ab_the_commit_that_was_merged_with_is_trained_too(runner, gh):
    program = gh.folder / "recbench"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >"$0.words"\necho "<!-- recbench:gate:synthetic -->"\nexit 1\n')
    program.chmod(0o755)
    gh.has_labels("accept-regression")
    inputs = {"seeds": "", "ab": "true", "arguments": "--threads 1\n--own-environments", "policy": "limits.toml"}
    done, code = gate(runner, **inputs)
    assert code == 1, done["Run and gate"].stderr
    records = Path(runner.contexts["steps.gate.outputs.records"])
    *options, dashes, base, head = program.with_suffix(".words").read_text().splitlines()
    folder = records.parent.parent
    files = [f"--junit={folder}/junit.xml", f"--annotations={folder}/annotations.txt", f"--summary={folder}/summary.md"]
    assert options == [
        *("ab", "--models=shop.py:Shop", "--task=synthetic", "--threads", "1", "--own-environments"),
        *(f"--output={records.parent}", *files, "--format=markdown"),
        *("--allow", "*:*", "the pull request has the label accept-regression", "--policy=limits.toml"),
    ]
    assert (records.name, dashes, head) == ("head", "--", "HEAD")
    assert base == git(runner.workspace, "rev-parse", "HEAD").strip()
    assert gh.written[0][2] == f"{TAG}\n<!-- recbench:gate:synthetic -->\n"
    for wrong, message in (
        ("yes", "the input 'ab' is 'yes'"),
        ("true", "leave 'records', 'baseline' and 'against' out"),
    ):
        done, code = gate(runner, ab=wrong, baseline="main")
        assert (code, message in done["Run and gate"].stderr) == (2, True)


@pytest.mark.parametrize(
    ("inputs", "code", "message"),
    [
        ({"models": "shop.py:Shopp"}, 2, "Error: Unknown class in shop.py 'Shopp'"),
        ({"baseline": "HEAD:nowhere"}, 4, "nowhere"),
        ({"baseline": "--help"}, 2, "the input 'baseline' begins with a dash: --help"),
        ({"records": "--help"}, 2, "the input 'records' begins with a dash"),
        ({"against": "-h"}, 2, "the input 'against' begins with a dash"),
        ({"arguments": "--help"}, 2, "records"),
    ],
    ids=["no such model", "no baseline", "an option as baseline", "as records", "as further base", "help of run"],
)
def test_what_could_not_be_decided_is_published_as_not_passed(runner, gh, inputs, code, message):
    done, exit_code = gate(runner, **inputs)
    assert exit_code == code, done["Run and gate"].stderr
    body = gh.written[0][2]
    assert body.startswith(f"{TAG}\n**Gate FAILED: recbench ended with exit code {code}.**\n\n    ")
    assert message in body
    assert message in runner.summary


def test_a_branch_that_cannot_be_fetched_is_no_pass(runner, gh):
    runner.contexts["github.base_ref"] = "gone"
    _, code = gate(runner)
    assert code == 2
    assert "refs/heads/gone" in gh.written[0][2]


def test_a_comment_that_cannot_be_written_hides_no_verdict(runner, gh):
    gh.refuses("api", "gh: Validation Failed (HTTP 422)")
    done, code = gate(runner, arguments="--wrong")
    assert (code, done["Comment"].returncode) == (2, 1)
    assert done["Comment"].stdout == "::error title=No comment::gh: Validation Failed (HTTP 422)\n"


def test_outside_of_pull_requests_or_unasked_nothing_is_written(runner, gh):
    for when in ("never", "false"):
        assert list(gate(runner, arguments="--wrong", comment=when)[0]) == ["Labels", "Run and gate", "Verdict"]
    del runner.contexts["github.event.pull_request"]
    assert list(gate(runner, arguments="--wrong", comment="always")[0]) == ["Run and gate", "Verdict"]
    assert gh.written == []


def comment(gh, report, when="always", result="changed", **environment):
    return subprocess.run(
        [sys.executable, str(FOLDER / "comment.py"), "owner/shop", "7", str(report), "a task/b-->", when, result],
        env={**gh.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("verb", "refusal"),
    [
        ("pr", "gh: Resource not accessible by integration (HTTP 403)"),
        ("api", "gh: Resource not accessible by integration (HTTP 403)"),
        ("api", "gh: Not Found (HTTP 404)"),
        ("pr", "gh: Bad credentials (HTTP 401)"),
        ("pr", "gh: To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable."),
        ("pr", "GraphQL: Could not resolve to a Repository with the name 'owner/shop'. (repository)"),
    ],
)
def test_a_token_without_permission_fails_nothing(gh, tmp_path, verb, refusal):
    (tmp_path / "report.md").write_text("x")
    gh.refuses(verb, refusal)
    done = comment(gh, tmp_path / "report.md")
    assert done.returncode == 0
    assert done.stdout.startswith(f"::warning title=No comment::{refusal}")
    assert done.stdout.endswith("The report is in the summary of the job.\n")


def test_a_key_cannot_end_the_tag_and_a_long_report_is_not_refused(gh, tmp_path):
    (tmp_path / "report.md").write_text("ä" * 65_536)
    assert comment(gh, tmp_path / "report.md").returncode == 0
    body = gh.written[0][2]
    assert body.startswith("<!-- recbench:action:a-task-b- -->\n**The report is too long for a comment.")


def test_a_machine_without_gh_is_told_what_is_missing(gh, tmp_path):
    (tmp_path / "report.md").write_text("x")
    done = comment(gh, tmp_path / "report.md", PATH=str(tmp_path))
    assert done.returncode == 0
    assert done.stdout.startswith("::warning title=No comment::gh cannot be run")


def test_every_input_is_used_and_nothing_else_is():
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])
    script = (FOLDER / "gate.sh").read_text(encoding="utf-8")
    (gate_step,) = [step for step in ACTION["runs"]["steps"] if step.get("id") == "gate"]
    used = set(re.findall(r"\$\{?([A-Z_]+)", script)) - {"RUNNER_TEMP", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}
    assert used == set(gate_step["env"])
    (step,) = [step for step in ACTION["runs"]["steps"] if step["name"] == "Comment"]
    assert set(step["env"]) - {"GH_TOKEN"} == set(re.findall(r"\$([A-Z_]+)", step["run"])) - {
        "GITHUB_REPOSITORY",
        "GITHUB_ACTION_PATH",
    }


FAKE_PYTHON = f"""\
#!/bin/sh
case "$2" in
  pip) echo "$@" >>"$PIP_LOG" ;;
  *) exec {sys.executable} "$@" ;;
esac
"""
FROM_HERE = f"--editable {ROOT}"


@pytest.mark.parametrize(
    ("install", "records", "commands"),
    [
        ("", "", [FROM_HERE]),
        ("core", "runs", [FROM_HERE]),
        ("all", "", [f"{FROM_HERE}[all]"]),
        ("implicit,plot", "", [f"{FROM_HERE}[implicit,plot]"]),
        ("", "runs", ["--requirement REQUIREMENTS", f"--no-deps {ROOT}"]),
        ("gate", "", ["--requirement REQUIREMENTS", f"--no-deps {ROOT}"]),
        ("tensorflow,jax", "", []),
    ],
)
def test_the_step_that_installs_takes_what_the_job_needs(tmp_path, install, records, commands):
    (tmp_path / "python").write_text(FAKE_PYTHON)
    (tmp_path / "python").chmod(0o755)
    log = tmp_path / "log"
    log.touch()
    (step,) = [step for step in ACTION["runs"]["steps"] if step["name"] == "Install recbench"]
    environment = {"INSTALL": install, "RECORDS": records, "RUNNER_TEMP": str(tmp_path), "PIP_LOG": str(log)}
    assert set(step["env"]) == {"INSTALL", "RECORDS"}
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={**os.environ, **environment, "PATH": path, "GITHUB_ACTION_PATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    logged = [line.removeprefix("-m pip install --quiet ") for line in log.read_text().splitlines()]
    assert [re.sub(r"ment .*/recbench\.\w+$", "ment REQUIREMENTS", line) for line in logged] == commands, done.stderr
    assert (done.returncode == 0) == bool(commands)
    if not commands:
        assert "install: jax. Use gate, core, or of these: all, cluster," in done.stderr
    if "--requirement REQUIREMENTS" in commands:
        (requirements,) = tmp_path.glob("recbench.*")
        assert requirements.read_text().splitlines() == gate_requirements()


def test_records_of_an_earlier_step_are_gated_without_training(runner):
    records = runner.workspace / BASELINE
    done, code = gate(runner, models="", records=str(records), comment="false", baseline="HEAD:" + BASELINE)
    assert (code, runner.contexts["steps.gate.outputs.records"]) == (0, str(records)), done["Run and gate"].stderr
    assert "fit" not in done["Run and gate"].stderr


def test_neither_models_nor_records_is_bad_input(runner):
    done, code = gate(runner, models="", comment="false")
    assert code == 2
    assert "give 'models' to train, or 'records'" in done["Run and gate"].stderr


def test_the_documentation_names_every_input():
    page = (ROOT / "docs" / "how-to" / "gate-github.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in ACTION["inputs"])
