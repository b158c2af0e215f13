"""An install of recbench that nobody may write to, as in a container: no verb tries to."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

GUARD = """
import os
import sys

FOLDERS = tuple(os.environ["READ_ONLY"].split(os.pathsep))
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.truncate", "sqlite3.connect"}


def guard(event, arguments):
    if event == "open":
        path, _, flags = arguments
        paths = [path] if flags & WRITES else []
    else:
        paths = arguments[:2] if event in CHANGES else []
    for path in paths:
        if isinstance(path, (str, os.PathLike)) and os.path.abspath(path).startswith(FOLDERS):
            if "__pycache__" not in str(path):
                # By its descriptor: opening a file would come here again.
                os.write(2, f"DENIED {event} {path}\\n".encode())
            raise PermissionError(13, "Permission denied", str(path))


sys.addaudithook(guard)
"""
"""Loaded when any Python starts, also that of a trial. Root may write everywhere, so permissions alone show nothing."""


VERBS = """
import sys

from recbench.cli.app import main

for verb in (
    "doctor",
    "tune --models itemknn --task synthetic --trials 1",
    "run --models itemknn --task synthetic --settings tuned --seeds 1",
):
    sys.argv = ["recbench", *verb.split()]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""


@pytest.fixture
def guarded(tmp_path):
    """Runs code in an install that is read-only."""
    (tmp_path / "sitecustomize.py").write_text(GUARD)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
        "READ_ONLY": os.pathsep.join(f"{ROOT}/{folder}/" for folder in ("recbench", "models")),
    }

    def run(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_no_verb_writes_into_the_install(guarded):
    done = guarded(VERBS)
    assert done.returncode == 0, done.stderr
    assert "Settings: results/settings/synthetic.toml, tuned on validation cases" in done.stdout
    assert "DENIED" not in done.stderr


def test_the_guard_notices_a_write(guarded):
    path = ROOT / "recbench" / "page.md"
    done = guarded(f"open({str(path)!r}, 'w')")
    assert f"DENIED open {path}" in done.stderr
    assert not path.exists()
