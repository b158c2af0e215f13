"""Models that misbehave by means that every operating system has; run by tests/test_operating_system.py."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SLEEPS = "import time; time.sleep(1000)"
LEAVES_A_CHILD = """
import subprocess, sys
from pathlib import Path
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
Path("orphan.tmp").write_text(str(child.pid))
Path("orphan.tmp").replace("orphan.pid")
"""


class Good:
    def fit(self, train, context):
        self.counts = np.bincount(train.items, minlength=train.n_items)

    def score(self, users, items):
        return self.counts[items].astype(np.float32)


class Aborts(Good):
    def fit(self, train, context):
        sys.stdout.write("about to fall\n")
        os.abort()


class ExitsHard(Good):
    def fit(self, train, context):
        sys.stderr.write("last words")
        os._exit(7)


class Leaks(Good):
    def fit(self, train, context):
        kept = []
        while True:
            kept.append(np.ones(2**21))
            time.sleep(0.005)


class Hangs(Good):
    """It leaves a child, and one whose own parent is gone."""

    def fit(self, train, context):
        subprocess.run([sys.executable, "-c", LEAVES_A_CHILD, SLEEPS], check=True)
        child = subprocess.Popen([sys.executable, "-c", SLEEPS])
        Path("child.pid").write_text(str(child.pid), encoding="utf-8")
        time.sleep(1000)


class Sleeps(Good):
    def fit(self, train, context):
        time.sleep(1000)
