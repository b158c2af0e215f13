"""How a process of recbench's own is started."""

import json
import os
import sys
from pathlib import Path

import recbench

# The process runs the same recbench as this one, whatever else on the module search path has that name: a file
# recbench.py of the user's, or another install. The search path is handed over, because it depends on how this process
# was started. -P keeps the current folder out of it: a file there must not take a module's place if it does not here.
START = """
import importlib, importlib.util, json, sys
own, path, parent, module = json.loads(sys.argv[1])
spec = importlib.util.spec_from_file_location("recbench", own)
sys.modules["recbench"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["recbench"])
main = importlib.import_module(module).main
sys.path[:] = path
main(parent)
"""


def start_command(module: str) -> list[str]:
    """Returns the command of a Python process that calls ``main(parent)`` of a module of this recbench.

    Args:
        module: The module's name; ``parent`` is the id of this process.
    """
    path = [entry or str(Path.cwd()) for entry in sys.path]
    # -u: what a process printed last before it died is in its log.
    return [sys.executable, "-u", "-P", "-c", START, json.dumps([recbench.__file__, path, os.getpid(), module])]
