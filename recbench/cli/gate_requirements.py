"""Prints the requirements of a gate that compares existing records, for ``pip install --requirement``.

    pip install --no-deps CHECKOUT
    python -m recbench.cli.gate_requirements > gate.txt
    pip install -r gate.txt

It runs before any of these requirements is installed, so it imports nothing but the standard library.
"""

import sys

from recbench.requirements import gate_requirements

if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in gate_requirements()))
