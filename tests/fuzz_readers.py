"""Gives every reader many inputs that are nearly right, and counts: python -m tests.fuzz_readers --inputs 1000000.

The reader of ratings also gets files whose rows are known, see ``tests.written_ratings``: it must find these rows.

What is raised that is not the project's own error is kept as a file, with the name of the exception. Exit code 1 if
there is any.
"""

import argparse
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from unittest import mock

from tests.fuzzed_readers import one_file, readers
from tests.written_ratings import check_reading, written_file

BROKEN = "broken rows"
WRITTEN = {"known rows": 4, BROKEN: 4}
"""Files whose rows are known, by the share of the inputs that they get."""
SECONDS_AN_INPUT = 20
ROUND = 2000
"""Inputs of one task of the pool."""
ROUNDS_A_PROCESS = 50


def fuzz(seed: int, inputs: int, kept: Path, only: str | None) -> Counter[tuple[str, str]]:
    """Counts (reader, outcome) of so many inputs; outcomes are ``read``, ``refused`` and names of exceptions."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    rng = random.Random(seed)
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory(prefix="recbench-fuzz-") as temporary:
        # Where the input stays if it kills the process.
        beside, folder = Path(temporary, "beside"), kept / f"running-{seed}"
        beside.mkdir()
        folder.mkdir(exist_ok=True)
        # A cache of its own, so that nothing is written into the user's.
        with mock.patch.dict(os.environ, RECBENCH_HOME=str(Path(temporary, "home"))):
            known = readers(beside)
            names = [name for name in (*known, *WRITTEN) if only in (None, name)]
            shares = {**{name: reader.share for name, reader in known.items()}, **WRITTEN}
            drawn = rng.choices(names, [shares[name] for name in names], k=inputs)
            for number, name in enumerate(drawn):
                if name in WRITTEN:
                    written = written_file(rng, broken=name == BROKEN)
                    file, content = written.name, written.content
                else:
                    file, content = known[name].input(rng)
                path = one_file(folder, file, content)
                signal.alarm(SECONDS_AN_INPUT)
                try:
                    if name in WRITTEN:
                        outcome = check_reading(written, folder)
                    else:
                        outcome = "refused" if known[name].refuses(path) else "read"
                except (Exception, SystemExit) as error:  # noqa: BLE001 - that is what is looked for
                    outcome = type(error).__name__
                    if counts[name, outcome] < 3:
                        target = kept / f"{name.replace(' ', '-')}--{outcome}--{seed}-{number}-{file}"
                        target.write_bytes(content)
                        target.with_name(target.name + ".txt").write_text(traceback.format_exc(), errors="replace")
                finally:
                    signal.alarm(0)
                counts[name, outcome] += 1
        shutil.rmtree(folder)
    return counts


def _too_slow(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS_AN_INPUT} s")


def _ready() -> None:
    signal.signal(signal.SIGALRM, _too_slow)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", help="one reader")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="folder for what was found")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    rounds = [min(ROUND, options.inputs - start) for start in range(0, options.inputs, ROUND)]
    counts: Counter[tuple[str, str]] = Counter()
    began = time.monotonic()
    together = ROUNDS_A_PROCESS * options.processes
    for first in range(0, len(rounds), together):
        # New processes from time to time, so that memory that a library keeps does not add up. A pool's own way,
        # max_tasks_per_child, comes to a standstill after the first of them (seen in CPython 3.11).
        with ProcessPoolExecutor(options.processes, initializer=_ready) as pool:
            jobs = [
                pool.submit(fuzz, options.seed * 1_000_000 + number, rounds[number], options.keep, options.only)
                for number in range(first, min(first + together, len(rounds)))
            ]
            try:
                for job in as_completed(jobs):
                    counts.update(job.result())
                    seconds = time.monotonic() - began
                    print(f"{counts.total():,} of {options.inputs:,} inputs, {seconds:.0f} s", file=sys.stderr)
            except BrokenProcessPool:
                print(f"A process died over an input; it is the file in one of the folders {options.keep}/running-*.")
                return 1
    unexpected = 0
    for name in sorted({name for name, _ in counts}):
        own = {outcome: count for (reader, outcome), count in sorted(counts.items()) if reader == name}
        unexpected += sum(count for outcome, count in own.items() if outcome not in ("read", "refused"))
        print(f"{name:18}", f"{sum(own.values()):>9,}", ", ".join(f"{outcome} {own[outcome]:,}" for outcome in own))
    seconds = time.monotonic() - began
    print(f"{counts.total():,} inputs in {seconds:.0f} s; {unexpected:,} raised another error than the project's own")
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
