"""Prints the requirements of a pipeline that only compares, gates or accepts existing records, for a requirements file.

It runs before any of these requirements is installed, so it imports nothing but the standard library. The commands are
in ``docs/how-to/light-installation.md``.
"""

import sys

from recbench.requirements import gate_requirements

if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in gate_requirements()))
