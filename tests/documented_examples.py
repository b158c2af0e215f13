"""The examples of the README and of the documentation: how they are found, run, and compared with what they print.

A page is a Markdown file. Its fenced blocks are examples:

- ``console``: lines that begin with ``$`` are commands, and the lines after a command are what it prints. Shown is the
  standard output; of a command that fails, also the messages. A ``\\`` at the end of a line continues the command.
- ``python``: a program. A ``text`` block right after it is what the program prints. The programs of a page run in one
  session, as the cells of a notebook do: a later one has the names of the earlier ones.
- ``toml title="NAME"``, ``python title="NAME"`` and so on: a file that the later examples use.

A comment before a block says what a reader does not see. ``<!-- prepare: COMMAND -->`` runs a command first.
``<!-- not run: REASON -->`` leaves the block out.

All examples of a page run in one empty folder, from the first to the last.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from tests.program_client import SOCKET_VARIABLE

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*)(?P<arguments>[^\n`]*)$")
TITLE = re.compile(r'title="([^"]+)"')
COMMENT = re.compile(r"^ *<!-- (?P<kind>prepare|not run): (?P<text>.*?) -->$")

NUMBER = re.compile(r"[-+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
FIGURE = re.compile(rf"{NUMBER.pattern}|(?<!\S)-(?!\S)")
"""A number, or the dash of a figure that is missing."""
NOTE_OF_NO_FIGURE = "A dash (-) stands for the throughput of a fit"
"""Begins a line that is there if a fit was too short to time."""
UNIT_OF_COST = re.compile(r"\s?(?:[kMG]?/s|ms|µs|s|J|[kMG]i?B)\b")
COSTS = ("/s", "fit s", "time", "memory", " MB", " MiB", " s", "(s)", "speed")
"""The ends of the heads of columns of costs."""
TIME_TO_QUALITY = "s to "
RULE = re.compile(r"[\s|:-]*-{3,}[\s|:-]*")
"""The line below the heads of a table."""
DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?")
CHANGING = [
    # One in 69 revisions of nine characters has only digits.
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,10}\b|\b\d{9}\b|\b[0-9a-f]{40}\b"), "REVISION"),
    (re.compile(r"(?<=thread; |ecords; |record; ).*?(?=, Python)|(?<=threads; ).*?(?=, Python)"), "MACHINE"),
    (re.compile(r"Python 3\.\d+\.\d+\S*"), "PYTHON"),
    (re.compile(r"[-─━=]{3,}"), "---"),
    (re.compile(r"\bCOSTx"), "COST"),  # a ratio of speeds, or the dash in its place
    (re.compile(r" A dash \(-\): fits of less than .* are too short to time\."), ""),
    (re.compile(r"\s+"), " "),
]


@dataclass(frozen=True, slots=True)
class Example:
    """One command or program of a page.

    Attributes:
        line: Line of the page, from 1.
        code: The command, or the program.
        is_program: Whether ``code`` is Python.
        printed: Lines of the page that hold the output: the first, and the one behind the last, from 1; None if no
            output is shown.
        indent: Of these lines.
    """

    line: int
    code: str
    is_program: bool = False
    printed: tuple[int, int] | None = None
    indent: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file that a page shows."""

    line: int
    name: str
    text: str


@dataclass(slots=True)
class Page:
    """The examples of a page.

    Attributes:
        path: Of the page.
        lines: Of the page.
        parts: Examples and files, in the order of the page.
        not_run: Lines of the blocks that are left out, and why.
    """

    path: Path
    lines: list[str]
    parts: list[Example | File] = field(default_factory=list)
    not_run: dict[int, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Page":
        """Reads a page.

        Raises:
            ValueError: A block has no end, or a block of commands begins with an output.
        """
        page = cls(path, path.read_text("utf-8").splitlines())
        comments: list[re.Match[str]] = []
        number = 0
        while number < len(page.lines):
            line = page.lines[number]
            if found := COMMENT.match(line):
                comments.append(found)
            elif found := FENCE.match(line):
                end = page._end(number, found["indent"])
                page._add(number, end, found, comments)
                comments, number = [], end
            elif line.strip():
                comments = []
            number += 1
        return page

    def _end(self, start: int, indent: str) -> int:
        for number in range(start + 1, len(self.lines)):
            if self.lines[number] == f"{indent}```":
                return number
        raise ValueError(f"{self.path}, line {start + 1}: the block has no end")

    def _add(self, start: int, end: int, fence: re.Match[str], comments: list[re.Match[str]]) -> None:
        indent, language = fence["indent"], fence["language"]
        text = [line.removeprefix(indent) for line in self.lines[start + 1 : end]]
        reasons = [one["text"] for one in comments if one["kind"] == "not run"]
        if reasons:
            self.not_run[start + 1] = reasons[0]
            return
        self.parts += [Example(start + 1, one["text"]) for one in comments]
        title = TITLE.search(fence["arguments"])
        if title:
            self.parts.append(File(start + 1, title[1], "\n".join(text) + "\n"))
        elif language == "console":
            self.parts += self._commands(start + 1, text, indent)
        elif language == "python":
            self.parts.append(Example(start + 1, "\n".join(text) + "\n", is_program=True))
        elif language == "text" and self.parts and isinstance(last := self.parts[-1], Example) and last.is_program:
            between = self.lines[last.line + last.code.count("\n") + 1 : start]
            if not any(line.strip() for line in between):
                self.parts[-1] = replace(last, printed=(start + 2, end + 1), indent=indent)

    def _commands(self, first: int, text: list[str], indent: str) -> Iterator[Example]:
        starts = [number for number, line in enumerate(text) if line.startswith("$ ")]
        if not starts or starts[0] != 0:
            raise ValueError(f"{self.path}, line {first}: a block of commands begins with a command")
        for start, stop in pairwise([*starts, len(text)]):
            head = start
            while text[head].endswith("\\"):
                head += 1
            code = "\n".join([text[start][2:], *text[start + 1 : head + 1]])
            # Lines of the page count from 1, and the fence is the one before the text.
            printed = (first + head + 2, first + stop + 1)
            yield Example(first + start + 1, code, printed=printed, indent=indent)

    def expected(self, example: Example) -> str:
        """Returns the output that the page shows."""
        if example.printed is None:
            return ""
        first, stop = example.printed
        return "\n".join(line.removeprefix(example.indent) for line in self.lines[first - 1 : stop - 1])


PROGRAMS = Path(__file__).parent / "programs"

SESSION = """
import json, os, sys, traceback
requests, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
for request in map(json.loads, requests):
    os.chdir(request["folder"])
    for descriptor in (1, 2):
        os.dup2(os.open(request["outputs"][descriptor - 1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    try:
        exec(compile(request["code"], "<example>", "exec"))
        failed = False
    except BaseException:
        traceback.print_exc()
        failed = True
    sys.stdout.flush()
    print(json.dumps(failed), file=answers, flush=True)
"""
"""Runs programs that come line by line, and answers each with whether it failed."""


@dataclass(slots=True)
class Shell:
    """Runs the examples of a page. A context manager: at its end the session of the programs ends.

    Attributes:
        folder: Where they run; a command ``cd`` changes it.
        environment: The environment's variables.
        session: The process in which the page's programs run; it starts with the first one.
    """

    folder: Path
    environment: dict[str, str]
    session: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        if self.session is not None:
            self.session.communicate()

    def run(self, example: Example) -> str:
        """Returns what an example prints.

        Raises:
            AssertionError: A program fails.
        """
        if example.is_program:
            return self._run_program(example)
        note = self.folder / ".folder"
        done = subprocess.run(
            ["bash", "-c", f"{example.code}\nstatus=$?; pwd > '{note}'; exit $status"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if note.exists():
            self.folder = Path(note.read_text("utf-8").strip())
            note.unlink()
        return done.stdout if done.returncode == 0 else done.stdout + done.stderr

    def _run_program(self, example: Example) -> str:
        if self.session is None:
            served = Path(self.environment[SOCKET_VARIABLE]).exists()
            self.session = subprocess.Popen(
                [str(PROGRAMS / "recbench") if served else sys.executable, "-c", SESSION],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
        assert self.session.stdin
        assert self.session.stdout
        with tempfile.TemporaryDirectory() as folder:
            outputs = [Path(folder, name) for name in ("output", "errors")]
            request = {"code": example.code, "folder": str(self.folder), "outputs": [str(path) for path in outputs]}
            print(json.dumps(request), file=self.session.stdin, flush=True)
            answer = self.session.stdout.readline()
            printed, errors = (path.read_text("utf-8") for path in outputs)
        assert answer == "false\n", f"line {example.line}: {errors}"
        return printed


def shell(folder: Path, home: Path, server: Path) -> Shell:
    """Returns a shell in ``folder`` in which ``recbench`` and ``python`` are those of this environment.

    Args:
        folder: Where the examples run.
        home: The cache of recbench.
        server: The socket of the server that runs ``recbench`` and the programs.
    """
    programs = [PROGRAMS, Path(sys.executable).parent, os.environ["PATH"]]
    variables = {
        "PATH": os.pathsep.join(map(str, programs)),
        "RECBENCH_HOME": str(home),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        SOCKET_VARIABLE: str(server),
    }
    return Shell(folder, {**os.environ, **variables})


def same(expected: str, actual: str) -> bool:
    """Whether two outputs are the same. Costs, dates, revisions and machines may differ."""
    return _comparable(expected) == _comparable(actual)


def _comparable(text: str) -> list[str]:
    lines = text.replace("\u00a0", " ").rstrip().splitlines()
    masked, costs = [], []
    for line, below in pairwise([*lines, ""]):
        if line.startswith(NOTE_OF_NO_FIGURE):
            continue
        if RULE.fullmatch(below) and line.strip():
            masked.append(_without_costs(line, []))
            heads = [found.span() for found in re.finditer(r"[^\s|](?:[^|\n]*?[^\s|])??(?=\s{2,}|\s*\||$)", line)]
            costs = [(first, last) for first, last in heads if _is_cost(line[first:last])]
            continue
        if not line.strip():
            costs = []
        masked.append(_without_costs(line, costs))
    return masked


def _is_cost(head: str) -> bool:
    return head.startswith(TIME_TO_QUALITY) or any(head.endswith(cost) or head == cost.strip() for cost in COSTS)


def _without_costs(line: str, columns: list[tuple[int, int]]) -> str:
    def mask(found: re.Match[str]) -> str:
        first, last = found.span()
        in_column = any(first < stop and last > start for start, stop in columns)
        return "COST" if in_column or UNIT_OF_COST.match(line, last) else found[0]

    # A date is no cost, also in a column "time"; the columns stay where they are.
    line = DATE.sub(lambda found: "DATE".ljust(len(found[0])), line)
    line = FIGURE.sub(mask, line)
    for pattern, name in CHANGING:
        line = pattern.sub(name, line)
    return line.strip()


def with_outputs(page: Page, outputs: dict[int, str]) -> str:
    """Returns the page's text with new outputs, by the lines of their examples."""
    lines = list(page.lines)
    for part in reversed(page.parts):
        if isinstance(part, Example) and part.printed and part.line in outputs:
            first, stop = part.printed
            lines[first - 1 : stop - 1] = [
                (part.indent + line).rstrip() for line in outputs[part.line].rstrip().splitlines()
            ]
    return "\n".join(lines) + "\n"
