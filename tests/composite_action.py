"""Just enough of GitHub's runner to run the steps of the action, and a ``gh`` that remembers what it was asked."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.program_client import SOCKET_VARIABLE

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".github" / "actions" / "recbench"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))

GH = f"""\
#!{sys.executable} -IS
import json, os, sys
from pathlib import Path
folder = Path(os.environ["GH_FOLDER"])
given = "" if sys.argv[1] == "pr" else sys.stdin.read()
with (folder / "asked.jsonl").open("a") as file:
    file.write(json.dumps([sys.argv[1:], given]) + "\\n")
refusal = folder / f"refuse-{{sys.argv[1]}}"
if refusal.exists():
    sys.exit(refusal.read_text())
written = '{{"html_url": "https://example.org/1"}}'
print((folder / f"{{sys.argv[-1]}}.json").read_text() if sys.argv[1] == "pr" else written)
"""


def search_path() -> str:
    """Returns a ``PATH`` with the ``recbench`` that the server of the tests runs, and with this Python."""
    folders = [ROOT / "tests" / "programs", Path(sys.executable).parent, os.environ["PATH"]]
    return os.pathsep.join(map(str, folders))


@dataclass
class FakeGh:
    """A ``gh``, the program ``recbench``, and this Python, in an environment of their own.

    Attributes:
        folder: Where it remembers what it was asked.
        server: The socket of the server that runs ``recbench``; see ``tests/program_server.py``.
    """

    folder: Path
    server: Path

    def __post_init__(self):
        self.folder.mkdir()
        (self.folder / "gh").write_text(GH)
        (self.folder / "gh").chmod(0o755)
        self.has_comments()
        self.has_labels()

    def has_comments(self, *comments: dict[str, Any]) -> None:
        (self.folder / "comments.json").write_text(json.dumps({"comments": comments}))

    def has_labels(self, *labels: str) -> None:
        (self.folder / "labels.json").write_text(json.dumps({"labels": [{"name": label} for label in labels]}))

    def refuses(self, verb: str, message: str) -> None:
        (self.folder / f"refuse-{verb}").write_text(message)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "GH_FOLDER": str(self.folder),
            "PATH": os.pathsep.join([str(self.folder), search_path()]),
            SOCKET_VARIABLE: str(self.server),
        }

    @property
    def written(self) -> list[tuple[str, str, str]]:
        """Method, place and body of every comment that was written."""
        log = self.folder / "asked.jsonl"
        asked = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [(words[2], words[3], json.loads(given)["body"]) for words, given in asked if words[0] == "api"]


@dataclass
class Runner:
    """Runs the action's steps in a working folder, as the platform would.

    Attributes:
        workspace: The checked-out repository.
        temporary: For the runner's own files.
        contexts: Values of expressions, by dotted name.
        environment: What is added to the environment of every step.
    """

    workspace: Path
    temporary: Path
    contexts: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, **inputs: str) -> dict[str, subprocess.CompletedProcess[str]]:
        """Returns what became of each step that ran, by its name; installing is left out."""
        self.temporary.mkdir(exist_ok=True)
        values = {
            f"inputs.{name}": self._value(str(definition.get("default", "")))
            for name, definition in ACTION["inputs"].items()
        }
        self.contexts |= values | {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        done, failed = {}, False
        for step in ACTION["runs"]["steps"][1:]:
            condition = step.get("if", "")
            if (failed and "!cancelled()" not in condition) or not self._holds(condition):
                continue
            outputs = self.temporary / "outputs"
            outputs.write_text("")
            own = {name: self._value(text) for name, text in step.get("env", {}).items()}
            completed = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.workspace,
                env={**os.environ, **self._platform(outputs), **self.environment, **own},
                capture_output=True,
                text=True,
                check=False,
            )
            done[step["name"]] = completed
            failed |= completed.returncode != 0
            for line in outputs.read_text().splitlines():
                name, _, value = line.partition("=")
                self.contexts[f"steps.{step['id']}.outputs.{name}"] = value
        return done

    @property
    def summary(self) -> str:
        return (self.temporary / "summary.md").read_text()

    def _platform(self, outputs: Path) -> dict[str, str]:
        return {
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_REPOSITORY": "owner/shop",
            "GITHUB_STEP_SUMMARY": str(self.temporary / "summary.md"),
            "RUNNER_TEMP": str(self.temporary),
        }

    def _value(self, text: str) -> str:
        return re.sub(r"\$\{\{(.*?)\}\}", lambda match: self._first(match[1]), text)

    def _first(self, expression: str) -> str:
        names = [name.strip() for name in expression.split("||")]
        return next((value for name in names if (value := self.contexts.get(name))), "")

    def _holds(self, condition: str) -> bool:
        terms = [term.strip() for term in condition.split("&&") if term.strip()]
        return all(self._term(term) for term in terms)

    def _term(self, term: str) -> bool:
        if term == "!cancelled()":
            return True
        name, sign, value = re.fullmatch(r"(.*?)(?: (==|!=) '(.*)')?", term).groups()
        actual = self._first(name)
        return bool(actual) if sign is None else (actual == value) == (sign == "==")
