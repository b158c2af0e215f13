"""The README and the documentation: every command and every program runs, and prints what the page shows."""

import re
import textwrap

import pytest

from tests.conftest import ROOT
from tests.documented_examples import Example, File, Page, same, shell, with_outputs

CACHE = "/home/you/.cache/recbench"
"""How pages show the folder of the cache."""
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)]+)\)")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_examples_print_what_the_page_shows(path, tmp_path, fetched_home, program_server, request):
    page, outputs, different = Page.read(path), {}, []
    # The cache of all pages: tasks are built once.
    (folder := tmp_path / "work").mkdir()
    program_server.start()
    with shell(folder, fetched_home, program_server.path) as run:
        for part in page.parts:
            if isinstance(part, File):
                (run.folder / part.name).parent.mkdir(parents=True, exist_ok=True)
                (run.folder / part.name).write_text(part.text, "utf-8")
                continue
            actual = run.run(part).replace(str(run.folder), ".").replace(str(fetched_home), CACHE)
            if part.printed is not None and not same(page.expected(part), actual):
                outputs[part.line] = actual
                different.append(f"{path}, line {part.line}: {part.code}\n{textwrap.indent(actual, '    ')}")
    if outputs and request.config.getoption("--accept-golden"):
        path.write_text(with_outputs(page, outputs), "utf-8", newline="\n")
        different = []
    assert not different, "\n".join(
        [*different, "If this is intended: pytest tests/test_documentation.py --accept-golden"]
    )


def test_the_readme_is_short_and_leads_to_the_documentation():
    text = README.read_text("utf-8")
    links = LINK.findall(text)
    assert text.count("\n") <= 200
    assert len([link for link in links if link.startswith("docs/")]) == 5
    assert [link for link in links if not (ROOT / link).is_file()] == []


PAGE = """# Title

<!-- prepare: printf hidden > seen -->

```console
$ cat seen; echo
hidden
$ echo two \\
    lines
two lines
```

```python title="shop/model.py"
A = 1
```

```console
$ cd shop
$ python -c "import model; print(model.A)"
1
```

1. In a list:

    ```python
    print("a\\n\\nb")
    ```

    ```text
    a

    b
    ```

2. In the same session:

    ```python
    import os
    last = "b"
    os.system(f"echo {last}")
    ```

    ```text
    b
    ```

<!-- not run: it needs a cluster -->
```console
$ false
```
"""


def test_a_page_is_run_from_its_first_line_to_its_last(tmp_path):
    (tmp_path / "page.md").write_text(PAGE)
    page, printed = Page.read(tmp_path / "page.md"), []
    with shell(tmp_path, tmp_path, tmp_path / "no-server") as run:
        for part in page.parts:
            if isinstance(part, File):
                (run.folder / part.name).parent.mkdir()
                (run.folder / part.name).write_text(part.text)
            else:
                actual = run.run(part)
                assert page.expected(part) == actual.rstrip()
                printed.append(actual)
        with pytest.raises(AssertionError, match="(?s)line 9: .*ZeroDivisionError"):
            run.run(Example(9, "1 / 0", is_program=True))
    assert printed == ["", "hidden\n", "two lines\n", "", "1\n", "a\n\nb\n", "b\n"]
    assert list(page.not_run.values()) == ["it needs a cluster"]
    examples = [part for part in page.parts if isinstance(part, Example) and part.printed]
    assert with_outputs(page, {part.line: page.expected(part) for part in examples}) == PAGE
    changed = with_outputs(page, {examples[0].line: "new\n", examples[-2].line: "c\n"})
    assert changed == PAGE.replace("\nhidden\n", "\nnew\n").replace("    a\n\n    b\n", "    c\n")


TABLE = """Task toy sha256:b62dbda8a6d1; 1 thread; AMD EPYC, Linux 6.1, Python 3.11.7

model         HR@10    interactions/s    fit s    epochs
-------  ----------  ----------------  -------  --------
itemknn  *   0.4450           401,891   0.0296         1
ease         0.4583           172,904   0.0694         1

BASE main: 6 records; AMD Turin, 1 core, Linux 6.18, Python 3.11.7

model      speed    peak MiB    s to HR@10 0.3    time (s)
-------  -------  ----------  ----------------  ----------
itemknn    1.40x          84              0.13          19

Took 3.2 s and 17 MB at revision 4f0b25ac9 on 2026-01-02.
"""


@pytest.mark.parametrize(
    ("old", "new", "equal"),
    [
        ("401,891", "2,000", True),
        ("0.0694", "   0.1", True),
        ("172,904", "      -", True),
        ("0.4583", "     -", False),
        ("\n\nTook", "\nA dash (-) stands for the throughput of a fit of 0.1 s.\n\nTook", True),
        ("Took 3.2", "Speed. A dash (-): fits of less than 0.1 s are too short to time.\nTook 3.2", False),
        ("on 2026-01-02.", "on 2026-01-02. A dash (-): fits of less than 0.1 s are too short to time.", True),
        ("3.2 s", "14 s", True),
        ("17 MB", "18.5 MB", True),
        ("4f0b25ac9", "1111111a1", True),
        ("2026-01-02", "2027-12-31", True),
        ("AMD EPYC, Linux 6.1, Python 3.11.7", "Other CPU, Darwin, Python 3.14.0", True),
        ("AMD Turin, 1 core, Linux", "Intel, 8 cores, Darwin", True),
        ("1.40x", "0.97x", True),
        ("0.13", "12.5", True),
        ("  19\n", "   7\n", True),
        ("HR@10 0.3", "HR@10 0.4", False),
        ("0.4450", "0.4451", False),
        ("  1\nease", "  2\nease", False),
        ("sha256:b62dbda8a6d1", "sha256:b62dbda8a6d2", False),
        ("ease", "slim", False),
        ("revision", "version", False),
        ("\n\nTook", "\nMore.\n\nTook", False),
    ],
)
def test_only_costs_dates_and_machines_may_differ(old, new, equal):
    assert old in TABLE
    assert same(TABLE, TABLE.replace(old, new)) is equal


def test_a_block_without_end_or_command_is_refused(tmp_path):
    for text, message in [("```console\n$ ls\n", "no end"), ("```console\nls\n```\n", "begins with a command")]:
        (tmp_path / "page.md").write_text(text)
        with pytest.raises(ValueError, match=message):
            Page.read(tmp_path / "page.md")
