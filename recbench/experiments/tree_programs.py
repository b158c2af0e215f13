"""``recbench`` in the work tree of a commit, in a process of its own, with the modules of that commit.

If the repository is recbench's own, the recbench of that commit runs; otherwise the recbench of this process.
"""

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Final

import recbench
from recbench.data.cache import HOME_VARIABLE
from recbench.git_commands import OF_WORK_TREE
from recbench.git_work_trees import WorkTree
from recbench.operating_system.process_tree import ProcessTree
from recbench.requirements import is_checkout

# The process runs the recbench of the given file, whatever else on the module search path has that name.
_START: Final = """
import importlib.util, runpy, sys
own = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location("recbench", own)
sys.modules["recbench"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["recbench"])
runpy.run_module("recbench", run_name="__main__", alter_sys=True)
"""

SECONDS_BETWEEN_LOOKS: Final = 0.05
_ERROR: Final = re.compile(r"^Error: ", re.MULTILINE)
_PROTOCOL_VERSION: Final = re.compile(r"^PROTOCOL_VERSION\b[^=\n]*= *([0-9]+)", re.MULTILINE)
MOST_LINES: Final = 5


class RefusedError(Exception):
    """recbench has refused the command in the work tree.

    Args:
        why: Its error, in one line.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def document_from_tree(
    tree: WorkTree, arguments: Sequence[str], python: str = sys.executable, watch: Callable[[], None] | None = None
) -> dict[str, Any]:
    """Returns the JSON document that a command of recbench prints in a work tree.

    Args:
        tree: The work tree.
        arguments: The verb and its options, with ``--json``.
        python: The Python of the environment in which it runs.
        watch: Called again and again while the command runs; what it raises ends the command.

    Raises:
        RefusedError: It prints no document, or the commit has no recbench.
    """
    command = [python, "-u", "-P", "-c", _START, str(own_recbench(tree)), *arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = ProcessTree(command, _environment(tree), cwd=tree.working_folder, stdout=out, stderr=err)
        try:
            while not process.has_ended():
                if watch is not None:
                    watch()
                time.sleep(SECONDS_BETWEEN_LOOKS)
        finally:
            code = process.kill()
        try:
            document = json.loads(_text(out))
        except ValueError:
            raise RefusedError(_reason(_text(err), code)) from None
    if not isinstance(document, dict):
        raise RefusedError("its recbench prints a document in an unknown format")
    return document


def protocol_version(tree: WorkTree) -> int | None:
    """Returns the version of the protocol that the recbench of a work tree follows; None if its code does not say.

    Raises:
        RefusedError: The repository is recbench's own, and the commit has none.
    """
    try:
        text = own_recbench(tree).with_name("protocol.py").read_text(encoding="utf-8")
    except OSError:
        # An old commit has its protocol elsewhere; whether it can run, its own program says.
        return None
    match = _PROTOCOL_VERSION.search(text)
    return int(match[1]) if match else None


def own_recbench(tree: WorkTree) -> Path:
    """Returns the file of the recbench that runs in a work tree.

    Raises:
        RefusedError: The repository is recbench's own, and the commit has none.
    """
    of_tree = tree.root / "recbench" / "__init__.py"
    if of_tree.is_file() and is_checkout(tree.root):
        return of_tree
    own = Path(recbench.__file__).resolve()
    in_tree = tree.in_tree(own)
    # A virtual environment may lie in the repository, and no commit has it.
    if in_tree is None or not is_checkout(tree.repository):
        return own
    if not in_tree.is_file():
        raise RefusedError(f"the commit has no {in_tree.relative_to(tree.root)}")
    return in_tree


def _environment(tree: WorkTree) -> dict[str, str]:
    """Returns the environment of a process that looks for modules in the work tree first.

    What this process finds in the user's work tree, such as a folder ``src`` of an editable install, is looked for in
    the work tree of the commit.
    """
    kept = {name: value for name, value in os.environ.items() if name not in OF_WORK_TREE}
    if home := kept.get(HOME_VARIABLE):
        kept[HOME_VARIABLE] = str(Path(home).absolute())
    here = [Path(entry or ".") for entry in sys.path]
    folders = [tree.working_folder, tree.root, tree.root / "src"]
    folders += [place for entry in here if (place := tree.in_tree(entry)) is not None]
    before = [
        entry for entry in kept.get("PYTHONPATH", "").split(os.pathsep) if entry and tree.in_tree(Path(entry)) is None
    ]
    present = dict.fromkeys(str(folder) for folder in folders if folder.is_dir())
    return {**kept, "PYTHONPATH": os.pathsep.join([*present, *before])}


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _reason(err: str, code: int) -> str:
    """Returns the error that recbench has printed, in one line; or else the last lines."""
    messages = _ERROR.split(err)
    if len(messages) > 1:
        return " ".join(messages[-1].split())
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    return " / ".join(lines[-MOST_LINES:]) or f"recbench ended with exit code {code}"
