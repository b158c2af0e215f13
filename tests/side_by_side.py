"""Runs commands, as many at a time as there are cores; fails if one of them fails.

Usage: ``python tests/side_by_side.py "mypy" "ruff check ."``. Name the longest command first. The output of a
command is printed when it has ended.
"""

import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed


def run(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(shlex.split(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def main(commands: list[str]) -> int:
    failed = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(run, command): command for command in commands}
        for ended in as_completed(running):
            done, command = ended.result(), running[ended]
            print(f"$ {command}\n{done.stdout}", end="", flush=True)
            if done.returncode:
                failed.append(command)
    if failed:
        print("Failed: " + "; ".join(failed))
    return min(len(failed), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
