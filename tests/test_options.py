"""The same option means the same thing in all verbs, and all verbs read their command line in the same way."""

import ast
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import NoneType, UnionType
from typing import get_args, get_origin, get_type_hints

import pytest
import typer.main
from typer.core import TyperOption

from recbench.cli.app import Program, app
from recbench.cli.shared import completion
from recbench.cli.shared.command_words import as_click_words, long_spelling, read_words
from recbench.cli.shared.examples import split_examples
from recbench.cli.shared.hints import own_sentences
from recbench.cli.shared.old_spellings import OLD_ARGUMENTS, OLD_FLAGS, OLD_SPELLINGS
from recbench.cli.shared.output_options import FOLDER, FOLDER_OR_FILE, check_folder, output_file
from recbench.cli.shared.verbs import Verb, VerbGroup
from recbench.data.catalogue import catalogue
from recbench.data.dataset_names import dataset_names
from recbench.errors import RecbenchError, did_you_mean, shortened
from recbench.evaluation.metric_names import read_measures
from recbench.runners.limits import parse_size
from recbench.tasks.named_specs import builtin_specs
from recbench.tasks.names import builtin_task_names

ROOT = typer.main.get_command(app)


def walk(command, path=()):
    """Yields every verb with its words."""
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, (*path, name))
    if path and not hasattr(command, "commands"):
        yield " ".join(path), command


def groups(command):
    """Yields every group."""
    if hasattr(command, "commands"):
        yield command
        for below in command.commands.values():
            yield from groups(below)


VERBS = dict(walk(ROOT))


def context(verb, words, **settings):
    """Reads a command line as the program does, and returns the context, without running the verb."""
    parent, command = None, ROOT
    for name in verb.split():
        parent = command.context_class(command, info_name="recbench" if parent is None else command.name, parent=parent)
        command = command.commands[name]
    return command.make_context(name, list(words), parent=parent, **settings)


def read(verb, *words):
    return context(verb, words).params


def refused(verb, *words):
    with pytest.raises(RecbenchError) as raised:
        read(verb, *words)
    return str(raised.value)


def options(command):
    return [param for param in command.params if isinstance(param, TyperOption)]


def plain(hint):
    """The type without ``None``, as text."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType] if get_origin(hint) is UnionType else [hint]
    return " ".join(getattr(kind, "__name__", str(kind)) if get_origin(kind) is None else str(kind) for kind in kinds)


EXCEPTIONS = {
    ("leaderboard", "--format"): "two of the forms, which its help names",
    ("leaderboard", "--settings"): "a file; a page cannot be about two choices of settings",
    ("task export", "--form"): "the forms that can be written are others than those that can be read",
}
"""Verb and option: why this option differs from the one of the same name in other verbs."""


def test_every_command_is_a_verb():
    assert len(VERBS) > 20
    assert {type(command) for command in VERBS.values()} == {Verb}
    assert {type(group) for group in groups(ROOT)} == {Program, VerbGroup}


def test_one_spelling_means_one_thing():
    kinds = {}
    for verb, command in VERBS.items():
        hints = get_type_hints(inspect.unwrap(command.callback))
        for option in options(command):
            if (verb, long_spelling(option)) in EXCEPTIONS:
                continue
            metavar = FOLDER if option.metavar == FOLDER_OR_FILE else option.metavar
            kind = (plain(hints[option.name]), option.multiple, option.is_flag, metavar)
            kinds.setdefault(long_spelling(option), {}).setdefault(kind, []).append(verb)
    differing = {spelling: uses for spelling, uses in kinds.items() if len(uses) > 1}
    assert differing == {}
    for verb, spelling in EXCEPTIONS:
        assert spelling in map(long_spelling, options(VERBS[verb]))


def test_no_verb_has_one_list_in_the_singular_and_another_has_it_in_the_plural():
    spellings = {long_spelling(option) for command in VERBS.values() for option in options(command)}
    both = {spelling for spelling in spellings if f"{spelling}s" in spellings}
    # The first seed, and how many there are; the metric that a tuning selects by, and those that a table shows.
    assert both == {"--seed", "--metric"}


def test_old_spellings_name_what_exists():
    for (verb, old), new in OLD_SPELLINGS.items():
        own = {spelling for option in options(VERBS[verb]) for spelling in option.opts}
        assert new in own
        assert old not in own, "an option that exists cannot be an old spelling"
    for (verb, flag), (new, _) in OLD_FLAGS.items():
        own = {spelling: option for option in options(VERBS[verb]) for spelling in option.opts}
        assert not own[flag].is_flag
        assert new in own
    for verb, _ in OLD_ARGUMENTS:
        assert verb in VERBS


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--models", "bpr,ncf"], ["bpr", "ncf"]),
        (["--model", "bpr", "--models=ncf"], ["bpr", "ncf"]),
        (["--models", "bpr,bpr"], ["bpr", "bpr"]),
        (["--models", "a=x.py:Net:layers=[64,32],ncf"], ["a=x.py:Net:layers=[64,32]", "ncf"]),
    ],
)
def test_lists_take_commas_and_repetition_in_both_numbers(words, value):
    assert list(read("run", *words)["models"]) == value
    assert list(read("tune", *words)["models"]) == value


def test_parameters_may_hold_commas():
    words = ("--models", "bpr", "--param", "factors=16,32,epochs=5", "--params", "bpr.layers=[1,2]")
    assert list(read("sweep", *words)["param"]) == ["factors=16,32", "epochs=5", "bpr.layers=[1,2]"]


@pytest.mark.parametrize("verb", ["run", "tune", "sweep", "score-file", "selftest", "history"])
def test_a_value_given_twice_is_an_error(verb):
    assert refused(verb, "--task", "a", "--task=b") == "--task is given twice: a, b.\nGive it only once."


@pytest.mark.parametrize(
    ("words", "spelling"),
    [
        (["run", "-o", ""], "-o"),
        (["run", "--output="], "--output"),
        (["leaderboard", "x", "-o", ""], "-o"),
        (["task export", "x", "-o", ""], "-o"),
        (["run", "--settings", ""], "--settings"),
        (["sweep", "--plot="], "--plot"),
    ],
)
def test_an_empty_path_is_an_error(words, spelling):
    # It would be the working folder.
    assert refused(*words).startswith(f"{spelling} is empty. Check that the shell variable in it is set.\n")


def test_every_option_is_a_list_or_an_error_if_given_twice():
    for verb, command in VERBS.items():
        for option in options(command):
            if option.is_flag:
                continue
            spelling = long_spelling(option)
            words = [spelling, "1", spelling, "2"]
            if option.multiple:
                click_words = as_click_words(list(read_words(words, {spelling: option})))
                assert click_words in (words, [spelling, "1", spelling, "2"])
            else:
                assert f"{spelling} is given twice: 1, 2." in refused(verb, *words)


def test_an_old_and_a_present_spelling_are_one_option():
    assert "--x-axis is given twice" in refused(
        "plot", "r", "-o", "x.png", "--against", "throughput", "--x-axis", "fit-seconds"
    )
    assert "--output is given twice: x, y" in refused("run", "--models", "bpr", "-ox", "--output", "y")


def test_lists_that_are_separated_by_spaces():
    message = refused("run", "--models", "bpr", "popularity", "random", "--seeds", "1")
    assert message.endswith("Separate its items by commas: --models bpr,popularity,random")
    assert "Separate its items by commas: --metrics hr,ndcg" in refused("compare", "a", "b", "--metric", "hr", "ndcg")
    assert "--seeds takes one value, not 0 1 2." in refused("run", "--models", "bpr", "--seeds", "0", "1", "2")
    assert refused("run", "bpr").startswith("recbench run takes no argument, not bpr.")
    assert refused("compare", "a", "b", "c").startswith("recbench compare takes 2 arguments, not a b c.")


def test_words_that_look_like_options():
    assert read("compare", "--k", "5", "--", "-a", "--b")["current"] == "--b"
    assert refused("run", "--models", "--task", "x").startswith("--models needs a value.")
    assert refused("run", "--models").startswith("--models needs a value.")
    assert read("task build", "x", "--ratings", "r.csv", "--rating-column", "")["rating_column"] == ""


def test_near_names():
    assert did_you_mean("BPR", ["bpr", "ncf"]) == " Did you mean: bpr?"
    assert did_you_mean("bpr", ["BPR", "Bpr"]) == " Did you mean: BPR, Bpr?"
    assert "Did you mean: --models?" in refused("run", "--Modles", "bpr")
    message = refused("run", "--models", "bpr", "--format", "MarkDown")
    assert message.startswith("Unknown value of --format 'MarkDown'. Did you mean: markdown?")
    for words, near in ((["RUN"], "run"), (["runn"], "run"), (["task", "Shwo"], "show")):
        with pytest.raises(RecbenchError, match=f"Did you mean: {near}"):
            ROOT.main(words, prog_name="recbench", standalone_mode=False)


def test_old_spellings_work_with_a_note(recbench):
    base = ("run", "--models", "popularity", "--task", "synthetic", "--seeds", "1")
    done = recbench(*base, "--metrics", "--pairs")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == "note: --metrics without a value is now --more-metrics"
    assert "coverage" in done.stdout
    plot = recbench("plot", "results/runs", "-o", "x.svg", "--against", "fit-seconds")
    assert (plot.returncode, plot.stderr.splitlines()[0]) == (0, "note: --against is now --x-axis")
    export = recbench("task", "export", "synthetic", "out")
    assert (export.returncode, export.stderr.splitlines()[0]) == (0, "note: this argument is now the option --output")
    assert "note:" not in recbench(*base, "--metrics", "--quiet").stderr


def test_metrics_with_and_without_a_cut_off():
    names = [measure.name for measure in read_measures(["HR", "recall@20", "mrr", "hr@5"], (5, 10))]
    assert names == ["hr@5", "hr@10", "recall@20", "mrr"]
    assert [measure.name for measure in read_measures(["hr", "mrr", "ndcg"], (5, 10))] == [
        *("hr@5", "ndcg@5", "hr@10", "ndcg@10", "mrr")
    ]


def test_the_output_is_a_folder_or_one_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert "-o file is a file; this command writes a folder." in refused("run", "--models", "a", "-o", "file")
    assert "> t.csv" in refused("score-file", "s", "--name", "a", "-o", "t.csv")
    assert output_file(None, Path("a/t.md")) == Path("a/t.md")
    assert output_file(Path("own.md"), Path("a/t.md")) == Path("own.md")
    assert output_file(Path("own"), Path("a/t.md")) == Path("own/t.md")
    assert (tmp_path / "own").is_dir()
    (tmp_path / "v1.0").mkdir()
    assert output_file(Path("v1.0"), Path("a/t.md")) == Path("v1.0/t.md")
    for check in (lambda path: output_file(path, Path("t.md")), check_folder):
        with pytest.raises(RecbenchError, match="-o - is not a file"):
            check(Path("-"))
    with pytest.raises(RecbenchError, match="file is a file, and a folder is expected"):
        output_file(Path("file"), Path("a/t.md"))


def test_hints_name_options_of_the_verb():
    hint = "Correct it. To skip it: --skip-bad-rows.\nOr: recbench data fetch x --force"
    assert own_sentences(hint, {"--k"}, {"--k", "--force", "--skip-bad-rows"}) == (
        "Correct it.\nOr: recbench data fetch x --force"
    )
    assert own_sentences("Run git fetch --unshallow.", {"--k"}, {"--k"}) == "Run git fetch --unshallow."


def test_numbers_are_read_alike_in_all_verbs():
    """One line that names the option, the value and what the option takes; no traceback, and nothing is guessed."""
    seen = 0
    for verb, command in VERBS.items():
        for spelling, numbers in command.numbers.items():
            wrong = ["x", "nan", "inf", "-inf", "1e999", "９", "1_0", "0x1", " 1", "9" * 5000, f"1.{'9' * 5000}", "-1"]
            wrong += ["1.5", "1e3"] if numbers.whole else []
            wrong += [] if numbers.most is None else [str(numbers.most + 1)]
            for value in wrong:
                message = refused(verb, f"{spelling}={value}")
                assert message.startswith(f"{spelling} {shortened(value, 60)!r} is not {numbers}."), (verb, message)
                assert len(message) < 600
            assert numbers.holds("1")
            seen += 1
    assert seen > 15


def test_what_is_missing_is_one_line():
    assert refused("gate") == "recbench gate needs BASE and CURRENT.\nSee: recbench gate --help"
    assert refused("gate", "main").startswith("recbench gate needs CURRENT.\n")
    assert refused("run").startswith("recbench run needs --models.\n--models: ")
    assert refused("list", "--json=yes").startswith("--json takes no value, not 'yes'.")
    for words in (["--nope"], ["task", "--nope"], ["--versio"]):
        with pytest.raises(RecbenchError, match="No such option of recbench"):
            ROOT.main(words, prog_name="recbench", standalone_mode=False)


@pytest.mark.parametrize("text", ["9" * 400 + "GB", "9e9", "９GB", "1000000TB", "0", "-1GB", "inf", "nan", ""])
def test_amounts_of_memory(text):
    with pytest.raises(RecbenchError, match="is not an amount of memory from 1 byte to 1,000 TB"):
        parse_size(text)


def test_hints_of_writing_name_o_only_where_it_exists():
    hint = "Choose a folder. For results: -o FOLDER. For the cache: export RECBENCH_HOME=FOLDER"
    assert own_sentences(hint, {"-o"}, {"-o"}) == hint
    assert own_sentences(hint, {"--k"}, {"-o"}) == "Choose a folder. For the cache: export RECBENCH_HOME=FOLDER"
    assert own_sentences("Run: git push --force", {"--k"}, {"--force"}) == "Run: git push --force"


def messages_of_the_package():
    """Yields each text of a message in the source, with what is computed in it as ``{}``."""
    for path in sorted((Path(__file__).parent.parent / "recbench").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                pieces = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
                yield path.name, "".join(pieces)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path.name, node.value


def test_commands_in_messages_exist():
    """A command that a message tells to run has a verb that exists, and options that this verb has."""
    seen, wrong = set(), []
    for place, text in messages_of_the_package():
        for advised in re.findall(r"\brecbench ((?:[a-z-]+ )*[a-z-]+(?: [^'\n]*)?)", text):
            words = advised.split()
            verb = next((verb for n in (3, 2, 1) if (verb := " ".join(words[:n])) in VERBS), None)
            if verb is None:
                continue
            own = {spelling for option in options(VERBS[verb]) for spelling in option.opts} | {"--help"}
            used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", re.split(r"[;.,)] |[.)`]$", advised)[0]))
            seen.add(verb)
            wrong += [(place, verb, option) for option in used - own]
    assert wrong == []
    assert len(seen) > 10


EXAMPLES = [(verb, example) for verb, command in VERBS.items() for example in command.examples]


@pytest.mark.parametrize(("verb", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_examples_are_commands_of_their_verb(verb, example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(example.partition(">")[0])
    assert program == "recbench"
    own = verb.split()
    assert words[: len(own)] == own
    context(verb, words[len(own) :])


def test_docstrings_have_no_example_that_the_help_does_not_know():
    for verb, command in VERBS.items():
        text = inspect.getdoc(inspect.unwrap(command.callback)) or ""
        assert len(re.findall(r"^ +recbench ", text, re.MULTILINE)) <= len(command.examples), verb
        assert "recbench" in text or not command.examples


@pytest.mark.parametrize("width", [40, 80, 200])
def test_examples_are_never_broken(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "dumb")
    for verb, command in VERBS.items():
        shown = io.StringIO()
        with redirect_stdout(shown):
            ctx = context(verb, ["x"] * 9, resilient_parsing=True)
            help_text = command.get_help(ctx)
        lines = [line.strip() for line in (shown.getvalue() + help_text).splitlines()]
        assert [example for example in command.examples if example not in lines] == []
    main = split_examples(app.info.help)[1]
    assert main == ["recbench run --models popularity,bpr --task synthetic"]


def test_paragraphs_of_the_help_fill_the_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    shown = io.StringIO()
    with redirect_stdout(shown):
        help_text = VERBS["run"].get_help(context("run", [], resilient_parsing=True))
    lines = [line.strip() for line in (shown.getvalue() + help_text).splitlines()]
    assert "are in the output folder, unless the task, the model's source or parameters," in lines


def test_names_for_completion_are_those_of_the_program():
    assert builtin_task_names() == sorted(builtin_specs())
    assert dataset_names() == list(catalogue())


def complete(shell, line, tmp_path, **environment):
    words = line.split(" ")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "recbench"],
        env={
            **os.environ,
            "_RECBENCH_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
            "_TYPER_COMPLETE_ARGS": line,
            **environment,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    trace = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert len(trace) == len(done.stderr.splitlines()), done.stderr
    assert {"numpy", "pandas", "scipy", "tensorflow"}.isdisjoint(line.split("|")[-1].strip() for line in trace)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("shell", "line", "expected"),
    [
        ("bash", "recbench ru", "run"),
        ("bash", "recbench run --models bpr,pop", "bpr,popularity"),
        ("bash", "recbench run --task synth", "synthetic"),
        ("bash", "recbench data info ml-100", "ml-100k"),
        ("bash", "recbench run --task a --task b --nonsense x --format mark", "markdown"),
        ("bash", "recbench nonsense --x y", ""),
        ("zsh", "recbench task show synth", """_arguments '*: :(("synthetic"))'"""),
        ("zsh", "recbench run --metrics hr,user", """_arguments '*: :(("hr,user-ndcg"))'"""),
    ],
)
def test_completion(shell, line, expected, tmp_path):
    assert complete(shell, line, tmp_path) == expected


def test_no_name_that_a_shell_would_execute_is_completed(home):
    own = home / "tasks" / "own"
    own.mkdir(parents=True)
    for name in ("own", "own x", "own$(id)", "own'))';id", "own\x1b[31m", "own\nown"):
        (own / f"{name}.task").write_text("")
    assert completion.task_name("own") == ["own"]


def test_a_completion_that_fails_is_silent(tmp_path):
    (tmp_path / "file").write_text("")
    assert "Traceback" not in complete(
        "bash", "recbench run --task own", tmp_path, RECBENCH_HOME=str(tmp_path / "file"), PYTHONDEVMODE=""
    )
