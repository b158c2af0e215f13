"""Advice that reaches a program names arguments, and no options of the command line."""

import inspect
import re

import pytest

import recbench as rb
from recbench.experiments.python_words import in_python
from tests.popular_model import Popular

RUN = inspect.signature(rb.run).parameters


@pytest.mark.parametrize(
    ("advice", "in_words_of_python"),
    [
        ("Use --full for the exact value.", "Use full=True for the exact value."),
        ("Use --seeds 3 or more.", "Use seeds=3 or more."),
        ("Use at most --threads 4.", "Use at most threads=4."),
        ("Add --curve all, or --curve every:10.", 'Add curve="all", or curve="every:10".'),
        ("--reach needs a learning curve.", "reach needs a learning curve."),
        ("Use a larger --max-memory.", "Use a larger max_memory."),
        ("Choose another folder with -o.", "Choose another folder with the argument output."),
        ("For example: --models popularity,bpr", 'For example: models=["popularity", "bpr"]'),
        ("For example: --cluster tcp://HOST:8786", 'For example: cluster="tcp://HOST:8786"'),
        ("give --settings default, or --settings FILE.", "give settings default, or settings=FILE."),
        ("Run them: leave --collect out.", 'Run them: leave reuse="only" out.'),
        ("train them again with --force.", 'train them again with reuse="repeat".'),
        ("Given by --param instead of the tuned value", "Given by recbench.Model(...) instead of the tuned value"),
        (
            "Run: recbench run --models ... --full. Then use --seeds 3; or recbench run --jobs 2; --jobs 2",
            "Run: recbench run --models ... --full. Then use seeds=3; or recbench run --jobs 2; jobs=2",
        ),
        ("See 'git log --oneline'; use --full", "See 'git log --oneline'; use full=True"),
        ("Replace it with --force (Python: force=True).", "Replace it with --force (Python: force=True)."),
        ("Waive it: --waive cold-cases", "Waive it: --waive cold-cases"),
        ("0.408--0.488 and ----", "0.408--0.488 and ----"),
    ],
)
def test_options_are_written_as_arguments(advice, in_words_of_python):
    assert in_python(advice, RUN) == in_words_of_python


def test_each_line_is_read_alone():
    assert in_python("In Python 3: --full\n--full", RUN) == "In Python 3: --full\nfull=True"


def test_errors_of_functions_name_arguments(synthetic_task):
    for arguments, message, hint in (
        ({"models": []}, "There is no model to run.", 'models=["popularity", "bpr"]'),
        ({"reach": 0.5}, "reach needs a learning curve.", 'Add curve="all", or curve="every:10".'),
        ({"in_process": True, "jobs": 2}, "jobs, timeout, max_memory and cluster need a process", "in_process=True"),
        ({"cluster": "tcp://HOST"}, "cluster 'tcp://HOST' names no port", 'cluster="tcp://HOST:8786"'),
    ):
        with pytest.raises(rb.RecbenchError, match=re.escape(message)) as raised:
            rb.run(**{"models": "random", "task": synthetic_task, "quiet": True, **arguments})
        assert hint in raised.value.hint
        assert "--" not in str(raised.value)


def test_tables_name_arguments_and_documents_do_not_change(synthetic_task, tmp_path):
    run = rb.run([Popular, "random"], synthetic_task, seeds=1, output=tmp_path, quiet=True)
    for form in ("text", "markdown", "html"):
        table = run.table(form)
        assert "full=True" in table
        assert "seeds=3 or more" in table
        assert not re.search(r"--[a-z]", table)
    assert "--full" in run.table("json")
