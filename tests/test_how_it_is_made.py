"""The commands of a page: run in another folder, they make the same page."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recbench.cli.app import app
from recbench.records.schema import CurvePoint, Status
from recbench.registry.source_defaults import source_defaults
from recbench.reports.pages.configurations import configurations
from recbench.reports.pages.how_it_is_made import how_it_is_made, repetition
from recbench.reports.pages.run_conditions import curve_text
from recbench.reports.run.summary import summarise
from tests.examples import a_trial, some_trials

MODEL = """
import numpy as np

class My:
    def __init__(self, weight: float = 1.0, noise=0, tags: list[str] = ["a", "b"]):
        self.weight, self.noise = weight, noise

    def fit(self, train, context):
        draws = np.random.default_rng(context.seed).random(train.n_items)
        self.scores = self.weight * np.bincount(train.items, minlength=train.n_items) + self.noise * draws

    def score(self, users, items):
        return self.scores[items]
"""
SPEC = """
name = "toy"

[dataset]
source = "file"
path = "ratings.csv"

[split]
method = "leave-one-out"
order = "timestamp"

[negatives]
method = "uniform"
count = 20
"""


def invoke(*arguments):
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, (arguments, done.output, done.exception)
    return done.output


def run_as_a_shell_does(block, folder):
    """Runs the lines in bash, where ``recbench`` writes its words down; then runs what was written, in this process."""
    written = folder / "words"
    script = f"recbench() {{ printf '%s\\0' \"$@\" '' >> {shlex.quote(str(written))}; }}\nset -e\n{block}"
    subprocess.run(["bash", "-c", script], cwd=folder, check=True)
    commands = [words.split("\0") for words in written.read_text().removesuffix("\0\0").split("\0\0")]
    written.unlink()
    for words in commands:
        invoke(*words, *(["--in-process"] if words[0] == "run" else []))


def without_timings(page):
    return re.sub(r"checksum \w+|## Cost.*?(?=\n## )", "", page, flags=re.DOTALL)


def the_block(page):
    return page.partition("## How it is made")[2].partition("```\n")[2].partition("```")[0]


def test_the_commands_of_a_page_make_the_same_page_in_another_folder(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        (folder / "shop").mkdir(parents=True)
        (folder / "shop" / "my.py").write_text(MODEL)
        rows = [f"u{u},i{(u * 7 + t * t) % 60},{t}" for u in range(40) for t in range(8)]
        (folder / "ratings.csv").write_text("\n".join(["user,item,timestamp", *dict.fromkeys(rows)]))
    monkeypatch.chdir(first)
    Path("toy.toml").write_text(SPEC)
    common = ("--task", "toy.toml", "-o", "records", "--in-process")
    models = "shop/my.py:My,shop/my.py:My:noise=5:weight=0.5,small=shop/my.py:My,popularity"
    invoke("run", "--models", models, "--param", "small.noise=3", "--param", 'small.tags=["x, y", "z"]',
           "--k", "3,10", "--seed", "4", "--seeds", "2", "--full", "--device", "cpu", *common)  # fmt: skip
    invoke("leaderboard", "records", "--metrics", "hr@3,full-ndcg", "-o", "page.md")
    page = Path("page.md").read_text()
    assert "The commands read these files: `ratings.csv`, `shop/my.py`." in page
    assert re.findall(r"^recbench.*", the_block(page), re.MULTILINE) == [
        "recbench run --models shop/my.py:My:noise=5:weight=0.5,small=shop/my.py:My,shop/my.py:My,popularity "
        '--task toy.toml --param small.noise=3 --param \'small.tags=["x, y", "z"]\' --k 3,10 --seed 4 --seeds 2 '
        "--threads 1 --device cpu --full -o records",
        "recbench leaderboard records --metrics hr@3,full-ndcg@10 -o page.md",
    ]
    monkeypatch.chdir(second)
    monkeypatch.setenv("RECBENCH_HOME", str(tmp_path / "another home"))
    run_as_a_shell_does(the_block(page), second)
    again = Path("page.md").read_text()
    assert without_timings(again) == without_timings(page)
    assert (second / "toy.toml").is_file()


def made(*trials, names=None, **changes):
    run_configurations = configurations(summarise(trials, ()), {"models.bpr:Model": {"factors": 64, "epochs": 20}})
    arguments = {"place": "records", "build": (), "page": ["recbench", "leaderboard", "records"], **changes}
    return "\n".join(how_it_is_made(trials, run_configurations, names or {"models.bpr:Model": "bpr"}, **arguments))


def test_what_differs_between_records_differs_in_the_commands():
    seeds = [*some_trials("bpr", seeds=5)[3:], *some_trials("bpr", seeds=2)]
    shared = some_trials("bpr", seeds=1, threads=4, concurrent_trials=2, device="gpu")
    page = made(*seeds, *shared)
    assert the_block(page).splitlines() == [
        "recbench run --models bpr --task toy --seeds 2 --threads 1 -o records",
        "recbench run --models bpr --task toy --seed 3 --seeds 2 --threads 1 -o records",
        "recbench run --models bpr --task toy --seeds 1 --threads 4 --device gpu --jobs 2 -o records",
        "recbench leaderboard records",
    ]


def test_one_command_names_only_what_it_can_tell_apart():
    net_a, net_b = ({"reference": f"{file}.py:Net", "parameters": {}} for file in "ab")
    labels = [some_trials("bpr", seeds=1, label="x", parameters={"factors": n, "epochs": 20})[0] for n in (8, 16)]
    commands = [line for line in made(
        *some_trials("Net", seeds=1, **net_a), *some_trials("Net", 0.4, seeds=1, **net_b), *labels
    ).splitlines() if line.startswith("recbench run")]  # fmt: skip
    assert commands == [
        "recbench run --models a.py:Net,x=bpr --task toy --param x.factors=8 --seeds 1 --threads 1 -o records",
        "recbench run --models b.py:Net,x=bpr --task toy --param x.factors=16 --seeds 1 --threads 1 -o records",
    ]


def test_a_long_command_continues_on_further_lines():
    parameters = {f"a_rather_long_name_{n}": n / 7 for n in range(12)}
    block = the_block(made(*some_trials("bpr", seeds=1, parameters=parameters), *some_trials("ncf", seeds=1)))
    lines = block.splitlines()
    assert [line[-1] == "\\" for line in lines] == [True, True, True, False, False]
    words = shlex.split(block.replace("\\\n", ""))
    assert words.count("--param") == 14
    assert "bpr.a_rather_long_name_11=1.5714285714285714" in words


def test_what_no_command_gives_is_said():
    page = made(
        *some_trials("sent", seeds=1, reference="__main__:Sent (sent by value)", parameters={}),
        *some_trials("function", seeds=1, reference="scores of the function f", parameters={}),
        *some_trials("file", seeds=2, reference="scores of a file", parameters={},
                     facts={"file": "a b.csv", "options": "--ranked --separator '$(x)'"}),
        *some_trials("odd", seeds=1, reference="my.py:Odd", parameters={"text": "a,b=c"}),
    )  # fmt: skip
    assert (
        "recbench score-file 'a b.csv' --name file --task toy --seed 1 --ranked --separator '$(x)' -o records" in page
    )
    assert "\n# sent: its class was sent from Python." in page
    assert "\n# function: the records do not hold the program that computed its scores." in page
    assert "\n# odd: its name or a value cannot be given on a command line; use Python." in page
    assert "The commands read these files: `a b.csv`" in page


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("rm -rf ~", "# The records hold no readable spec of the task toy."),
        (SPEC + 'description = "x"\n', "# The records hold no readable spec"),
        (SPEC.replace("ratings.csv", "a\\nEND_OF_SPEC\\nrm -rf ~"), 'path = "a\\nEND_OF_SPEC\\nrm -rf ~"'),
        (SPEC.replace('source = "file"\npath = "ratings.csv"', 'source = "dataframe"'), "was made from a DataFrame"),
    ],
)
def test_a_spec_from_a_record_is_shown_only_as_a_spec(spec, expected):
    page = made(*some_trials("bpr", seeds=1, task_spec=spec))
    assert expected in page
    assert "\nrm" not in page
    assert page.count("\nEND_OF_SPEC\n") == ("toml" in page)


def test_defaults_are_read_from_the_source_without_importing_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pkg").mkdir()
    source = f"raise SystemExit('imported')\n{MODEL.replace('noise=0', 'noise=N')}{FURTHER_CLASSES}"
    (tmp_path / "pkg" / "net.py").write_text(source)
    names = ("pkg/net.py:My", "pkg.net:My", "pkg.net:Below", "pkg.net:Fields", "pkg.net:More")
    defaults = source_defaults([*names, "none.py:My", "scores of a file", "recbench_models.ease:EASE"])
    assert defaults["pkg/net.py:My"] == defaults["pkg.net:My"] == defaults["pkg.net:Below"]
    assert defaults["pkg.net:Below"] == {"weight": 1.0, "tags": ["a", "b"]}
    assert defaults["pkg.net:Fields"] == {"rate": 0.5}
    assert defaults["pkg.net:More"] == {"rate": 0.25, "depth": 3}
    assert defaults["none.py:My"] == defaults["scores of a file"] == {}
    assert defaults["models.ease:EASE"].keys() == {"l2"}


FURTHER_CLASSES = """
class Below(Other, My):
    rate: float = 0.5

@dataclass(frozen=True)
class Fields:
    needed: int
    rate: float = 0.5

@dataclasses.dataclass
class More(Fields):
    depth: int = 3
    rate: float = 0.25

class Other(Below):
    pass
"""


def points(*epochs):
    return [CurvePoint(epoch=epoch, fit_seconds=1.0, metrics={"hr@10": 0.5}) for epoch in epochs]


@pytest.mark.parametrize(
    ("curves", "text"),
    [
        ([[1, 2, 3]], "all"),
        # A model with one pass beside one with many.
        ([[1], [1, 2, 3, 4]], "all"),
        ([[1], [5, 10, 12], [5, 10, 15, 16]], "every:5"),
        ([[5, 10]], "every:5"),
        ([[2, 7, 20], [2, 5]], "2,7"),
        ([[10], [4]], "every:10"),
        ([[2, 7, 20], [3, 30]], ""),
        ([[0, 3]], ""),
        ([[5, 10**18]], "5"),
        ([], ""),
    ],
)
def test_the_epochs_of_curves_follow_from_their_points(curves, text):
    assert curve_text([points(*epochs) for epochs in curves]) == text


def test_the_commands_measure_the_curves_again():
    def commands(*trials):
        made = repetition(trials, configurations(summarise(trials, []), {}), {}, "runs")
        return [re.search(r"(?:--curve (\S+) )?-o runs", line)[1] for line in made.lines]

    every = [a_trial("bpr", seed, n=60, curve=points(5, 7 + seed)) for seed in range(2)]
    assert commands(*every) == ["every:5"]
    # A trial that failed belongs to the same command; a run without curves has none.
    failed = a_trial("bpr", 2, n=60, status=Status.FAILED, error="x")
    assert commands(*every, failed) == ["every:5"]
    assert commands(*every, a_trial("ncf", 0, n=60)) == ["every:5", None]
    # Two runs in one folder.
    assert commands(every[0], a_trial("ncf", 0, n=60, curve=points(2, 3, 9))) == ["every:5", "2,3"]
