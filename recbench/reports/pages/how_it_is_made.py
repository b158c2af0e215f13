"""The commands that make a page again, in a folder that holds nothing but the files that they name.

Hyper-parameters are given by their values. A search would not end at the same values again, and a settings file may
have changed since.
"""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from recbench.errors import RecbenchError
from recbench.escaping.file_names import file_name
from recbench.escaping.markdown import code_block, code_span
from recbench.escaping.shell import shell_command
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import SCORES_OF_FILE, Record, class_identity, is_builtin
from recbench.registry.model_entries import ModelEntry, parse_assignment, parse_entry, split_assignments, split_entries
from recbench.registry.parameter_values import as_text
from recbench.reports.pages.configurations import Configuration
from recbench.reports.pages.run_conditions import RunConditions, curve_text, cut_offs_of, run_conditions
from recbench.tasks.named_specs import spec_text
from recbench.tasks.spec import CatalogueData, FileData, SyntheticData, TaskSpec, parse_spec

LONGEST_LINE = 300
"""Characters of a command; a longer one continues on further lines."""
END_OF_SPEC = "END_OF_SPEC"


@dataclass(frozen=True, slots=True)
class Repetition:
    """The commands that make records again.

    Attributes:
        files: The files that the commands read.
        notes: What the commands do not do.
        lines: The commands; a long one has several lines.
    """

    files: Sequence[str]
    notes: Sequence[str]
    lines: Sequence[str]


def how_it_is_made(
    trials: Sequence[FinishedTrial],
    configurations: Sequence[Configuration],
    names: Mapping[str, str],
    place: str,
    build: Sequence[str],
    page: Sequence[str],
) -> list[str]:
    """Renders the commands, in Markdown.

    Args:
        trials: The records, all of one task.
        configurations: Their configurations.
        names: What commands call each class that has a name, by its ``class_identity``.
        place: The folder of the records.
        build: Commands that build the task, if they are known.
        page: The words of the command that makes the page of the records.
    """
    made = repetition(trials, configurations, names, place, build)
    needed = f"The commands read these files: {', '.join(map(code_span, made.files))}." if made.files else ""
    return [
        "## How it is made",
        "",
        *([needed, ""] if needed else []),
        *code_block([*(f"# {note}" for note in made.notes), *made.lines, shell_command(page)]),
        "",
    ]


def repetition(
    trials: Sequence[FinishedTrial],
    configurations: Sequence[Configuration],
    names: Mapping[str, str],
    place: str,
    build: Sequence[str] = (),
) -> Repetition:
    """Returns the commands that make the records of some configurations again; see ``how_it_is_made``."""
    records = [trial.record for trial in trials]
    task = _Task.of(records)
    lines, notes = [*build, *task.lines], [] if build else list(task.notes)
    cut_offs = next((ks for record in records if (ks := cut_offs_of(record))), (10,))
    curve = curve_text([record.curve for record in records if record.curve])
    groups: dict[RunConditions, list[_Entry]] = {}
    for configuration in configurations:
        if note := _no_class(configuration.summary.group.record):
            scored = [_score_file(trial.record, task.word, place) for trial in configuration.summary.trials]
            lines += [shell_command(words) for words in scored if words]
            notes += [] if all(scored) else [f"{configuration.full_name}: {note}"]
            continue
        for conditions in run_conditions(configuration.summary.trials, cut_offs, curve):
            groups.setdefault(conditions, []).append(_Entry.of(configuration, names))
    for conditions, entries in groups.items():
        for of_command in _commands_of(entries):
            lines += _lines(of_command, task.word, [*conditions.words, "-o", place])
            notes += [note for record in of_command if (note := record.problem)]
    files = sorted({*filter(None, [task.ratings]), *(file for record in records for file in _files(record))})
    return Repetition(files, notes, lines)


@dataclass(frozen=True, slots=True)
class _Task:
    """The task of a page.

    Attributes:
        word: What commands call it.
        lines: What makes its spec file.
        ratings: The ratings file that the spec names; empty for none.
        notes: What the commands do not do.
    """

    word: str
    lines: Sequence[str] = ()
    ratings: str = ""
    notes: Sequence[str] = ()

    @classmethod
    def of(cls, records: Sequence[Record]) -> Self:
        name, digest = records[0].task.name, records[0].task.digest
        text = next((record.task_spec for record in records if record.task_spec is not None), None)
        if text is None:
            return cls(name)
        try:
            # What is not a spec is not shown: readers copy it into a shell.
            spec = parse_spec(text, name)
        except RecbenchError:
            return cls(name, notes=[f"The records hold no readable spec of the task {name}."])
        spec = spec.model_copy(update={"digest": digest})
        if isinstance(spec.dataset, CatalogueData | FileData | SyntheticData):
            return cls.of_spec(spec)
        kind = "from a DataFrame" if spec.dataset.source == "dataframe" else "from published files"
        return cls(
            name,
            notes=[f"The task {name} was made {kind}: make it again under this name. Its digest must be {digest}."],
        )

    @classmethod
    def of_spec(cls, spec: TaskSpec) -> Self:
        file = f"{file_name(spec.name)}.toml"
        ratings = spec.dataset.path.as_posix() if isinstance(spec.dataset, FileData) else ""
        text = spec_text(spec, pinned=True).splitlines()
        return cls(file, [f"cat > {shell_command([file])} <<'{END_OF_SPEC}'", *text, END_OF_SPEC], ratings)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A configuration as commands name it.

    Attributes:
        model: The model, as ``--models`` takes it.
        label: The user's label; empty for none.
        name: What ``--param`` calls it.
        values: The texts of the hyper-parameters that are not the defaults.
    """

    model: str
    label: str
    name: str
    values: Mapping[str, str]

    @classmethod
    def of(cls, configuration: Configuration, names: Mapping[str, str]) -> Self:
        record = configuration.summary.group.record
        values = {name: as_text(value) for name, value in configuration.changed.items()}
        model = names.get(class_identity(record.reference), record.reference)
        return cls(model, record.label, configuration.summary.group.name, values)

    @property
    def _with_values(self) -> str:
        """The entry that gives the values too, for a command that names the model twice."""
        return ":".join([self.model, *(f"{name}={text}" for name, text in self.values.items())])

    @property
    def can_repeat(self) -> bool:
        """Whether a command can name its model again, with other values: the entry can give its values."""
        return not self.label and _is_entry(self._with_values, self.model, "", self.values)

    def words(self, *, repeated: bool) -> tuple[str, list[str]]:
        """Returns its part of ``--models``, and its options ``--param``.

        Args:
            repeated: Whether the command has another entry of its name.
        """
        if repeated:
            return self._with_values, []
        entry = f"{self.label}={self.model}" if self.label else self.model
        return entry, [f"{self.name}.{name}={text}" for name, text in self.values.items()]

    @property
    def problem(self) -> str:
        """Why no command line can name it; empty if one can."""
        entry, assignments = self.words(repeated=False)
        can_be_read = _is_entry(entry, self.model, self.label, {}) and all(
            _is_assignment(text, *value) for text, value in zip(assignments, self.values.items(), strict=True)
        )
        return "" if can_be_read else f"{self.name}: its name or a value cannot be given on a command line; use Python."


def _is_entry(text: str, model: str, label: str, values: Mapping[str, str]) -> bool:
    """Whether ``--models`` reads a text as this entry."""
    try:
        return split_entries(text) == [text] and parse_entry(text) == ModelEntry(model, label, dict(values))
    except RecbenchError:
        return False


def _is_assignment(text: str, name: str, value: str) -> bool:
    """Whether ``--param`` reads a text as this value."""
    try:
        return split_assignments(text) == [text] and parse_assignment(text)[1:] == (name, value)
    except RecbenchError:
        return False


def _no_class(record: Record) -> str:
    """Returns why no command trains a configuration; empty if one does."""
    if record.reference.startswith("scores of "):
        return "the records do not hold the program that computed its scores."
    if record.reference.endswith("(sent by value)"):
        return "its class was sent from Python. Save the class in a file, and run it as FILE.py:CLASS."
    return ""


def _score_file(record: Record, task: str, place: str) -> list[str]:
    """Returns the words of the command that evaluates a file of scores; none if the scores came from elsewhere."""
    if record.reference != SCORES_OF_FILE:
        return []
    options = shlex.split(str(record.facts.get("options", "")))
    k = ["--k", ",".join(map(str, ks))] if (ks := cut_offs_of(record)) not in ((), (10,)) else []
    words = ["recbench", "score-file", str(record.facts.get("file")), "--name", record.model, "--task", task]
    return [*words, "--seed", str(record.seed), *k, *options, "-o", place]


def _commands_of(entries: Sequence[_Entry]) -> list[list[_Entry]]:
    """Returns the entries by command: as few commands as can name all of them."""
    commands: list[list[_Entry]] = []
    # For each command and each name in it, the model that another entry of the name must have; None for no other.
    named: list[dict[str, str | None]] = []
    for entry in entries:
        model = entry.model if entry.can_repeat else None
        free = (number for number, of_command in enumerate(named) if of_command.get(entry.name, model) == model)
        place = next((number for number in free if model or entry.name not in named[number]), len(commands))
        if place == len(commands):
            commands.append([])
            named.append({})
        commands[place].append(entry)
        named[place][entry.name] = model
    return commands


def _lines(entries: Sequence[_Entry], task: str, options: Sequence[str]) -> list[str]:
    """Returns a command; over several lines if it is long, one for each model's hyper-parameters."""
    counts = Counter(entry.name for entry in entries)
    words = [entry.words(repeated=counts[entry.name] > 1) for entry in entries]
    head = ["recbench", "run", "--models", ",".join(entry for entry, _ in words), "--task", task]
    given = [[word for text in assignments for word in ("--param", text)] for _, assignments in words if assignments]
    commands = [shell_command(part) for part in (head, *given, options)]
    if len(line := " ".join(commands)) <= LONGEST_LINE:
        return [line]
    first, *others = commands
    return [f"{first} \\", *(f"    {part} \\" for part in others[:-1]), f"    {others[-1]}"]


def _files(record: Record) -> list[str]:
    """Returns the files of the user's own that a trial was made from, as its record names them."""
    if is_builtin(record.reference):
        return []
    if record.reference == SCORES_OF_FILE:
        return [str(record.facts.get("file"))]
    module = record.reference.rpartition(":")[0]
    folder = PurePosixPath(module).parent if module.endswith(".py") else PurePosixPath()
    own = record.sources
    modules = [(folder / path).as_posix() for path in (*own.modules, *own.late_modules)]
    return [*modules, *own.named, *own.data]
