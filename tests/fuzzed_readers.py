"""Every public function that reads a file from disk, with right inputs to start from.

A new form of file joins by an entry of ``readers()``, or by one more content of an entry that is there.
"""

import bz2
import gzip
import io
import lzma
import random
import zipfile
import zlib
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import tomli_w
import typer.main

from recbench.cli.app import app
from recbench.data.fetch import add
from recbench.data.readers.ratings_files import read_interactions
from recbench.errors import RecbenchError
from recbench.evaluation.new_cases import NewCases
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.records import store, tuned_settings
from recbench.records.finished_trial import TrialRanks
from recbench.records.published_results import load_published
from recbench.records.schema import CatalogueValue, CohortValue, MetricValue, Record
from recbench.records.selection import read_records
from recbench.reports.compare.policy import read_policy
from recbench.tasks import task_file
from recbench.tasks.exchange.ncf import import_ncf
from recbench.tasks.spec import Waiver, read_spec
from recbench.testing import checkerboard_task
from recbench.tuning.spaces import read_spaces
from tests.examples import a_curve, a_record, a_trial
from tests.mutations import (
    Mutation,
    changed_bytes,
    changed_json,
    changed_lines,
    changed_members,
    changed_tree,
    mutate,
)


@dataclass(frozen=True, slots=True)
class Reader:
    """One way in.

    Attributes:
        read: Reads the file, in a folder that holds nothing else.
        names: What the file may be called; by their endings some readers choose.
        contents: Files that it reads.
        mutations: In which ways these are changed.
        share: Of every hundred inputs, how many; slow readers get few.
    """

    read: Callable[[Path], object]
    names: tuple[str, ...]
    contents: tuple[bytes, ...]
    mutations: tuple[Mutation, ...]
    share: int

    def refuses(self, path: Path) -> bool:
        """Reads the file; whatever is raised that is not the project's own error passes on."""
        try:
            self.read(path)
        except RecbenchError as error:
            if not (error.message and error.hint):
                raise AssertionError("an error without what is wrong, or what to do next") from error
            return True
        return False

    def input(self, rng: random.Random) -> tuple[str, bytes]:
        """Draws a name and a content."""
        return rng.choice(self.names), mutate(rng, self.contents, self.mutations)


SPECS = (
    b'name = "toy"\n[dataset]\nsource = "catalogue"\nname = "ml-100k"\n[filters]\ndrop_items = ["267"]\nk_core = 6\n'
    b'[split]\nmethod = "leave-last-fraction"\nfraction = 0.1\norder = "file"\n[negatives]\nmethod = "popularity"\n',
    b'name = "a.b"\ndigest = "sha256:' + b"0" * 64 + b'"\n[dataset]\nsource = "file"\npath = "x.csv"\nuser = "u"\n'
    b'separator = ","\n[filters]\nmin_rating = 3.5\n[split]\nmethod = "leave-one-out"\n[negatives]\n'
    b'method = "uniform"\ncount = 5\nseed = 9223372036854775807\n',
    b'name = "s"\nwaivers = []\ndataset = {source = "synthetic", n_users = 9}\nsplit = {method = "published"}\n'
    b'negatives = {method = "published", count = 3}\n',
)
RATINGS = (
    b"user,item,rating,timestamp\nu1,i1,5,100\nu1,i2,3.5,101\nu2,i1,1,99\n",
    b"1\t10\t3\t881250949\n2\t10\t4\t881250950\n2\t11\t4\t881250951\n",
    b'user_id;item_id\n"a;b";x\n"c ""q""";y\n',
    b"\xef\xbb\xbfuser:token\titem:token\trating:float\n007\t1e3\t2\n",
    b"1::10::5::978300760\n1::11::3::978302109\n",
    b'{"user": "a", "item": "x", "rating": 5, "timestamp": 1}\n{"user": "b", "item": "y", "rating": 4}\n',
    b"{'user': 'a', 'item': 'x', 'rating': 5.0}\n",
    b"0 3 4 5\n1 3\n2 4 5\n",
    'user,item,text\nZoë,x,"two\nlines"\nb,"y ""z""",c\n'.encode("utf-16"),
    b'user|item|rating\nu1|"Hits|5\nu2|x|4\nu1|"y|3\nu3|TV 42"|1\n',
)
TIMINGS = (
    b'{"machine_info": {"cpu": {"brand_raw": "CPU"}, "release": "6"}, "benchmarks": [{"fullname": "a.py::t[1]", '
    b'"stats": {"median": 0.5}, "extra_info": {"interactions_per_second": 1000.0}}, {"fullname": "b", "stats": '
    b'{"median": 2.5e-5}}]}'
)
SETTINGS = (
    b'schema = 1\n[task]\nname = "toy"\ndigest = "sha256:' + b"0" * 64 + b'"\n[models.own.parameters]\nfactors = 64\n'
    b'rate = 0.05\nfast = true\nloss = "bpr"\n[models.own.search_space]\nfactors = "8 to 64"\n'
    b'[models.own.provenance]\nobjective = "ndcg@10"\nvalidation_score = 0.5\nbudget_trials = 20\n'
    b"budget_seconds = 60.0\nseconds = 59.75\nseed = 0\nthreads = 1\nprotocol_version = 2\n"
    b'recbench_version = "0.1.0"\npython = "3.12.1"\npackages = {numpy = "2.4.0"}\ntrials = {completed = 12}\n'
    b"tuned_at = 2026-01-01T00:00:00Z\n",
    b'schema = 1\n[task]\nname = "toy"\ndigest = "sha256:' + b"0" * 64 + b'"\n',
)
SPACES = (
    b"[own]\nfactors = { low = 16, high = 256, log = true, integer = true }\nrate = { low = 0.1, high = 0.3 }\n"
    b'loss = { choices = ["bpr", "softmax"] }\n',
)
PUBLISHED_RESULTS = (
    b'schema = 1\ndigest = "sha256:' + b"0" * 64 + b'"\nbuild = ["recbench task build x"]\n[[results]]\nmodel = "own"\n'
    b'method = "Own"\n"hr@10" = 0.5\nfull = { "recall@20" = 0.25 }\nsource = "A paper"\nnote = "A note"\n',
)
POLICIES = (b'floor = 0.01\nk = 5\ngated = ["hr"]\n', b"floor = 0.005\n")


def _zip(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def _parquet() -> bytes:
    target = io.BytesIO()
    columns = {"user": ["a", "b", "a"], "item": [1, 2, 3], "rating": [1.0, 2.0, 3.5], "timestamp": [1, 2, 3]}
    pa.parquet.write_table(pa.table(columns), target)
    return target.getvalue()


def _record() -> Record:
    trial = a_trial("bpr", 0, n=12)
    metrics = trial.record.metrics
    return a_record(
        "bpr",
        0,
        metrics=metrics,
        n_cases=12,
        n_users=12,
        curve=a_curve(0.1, 0.2),
        catalogue=CatalogueValue(metrics=metrics, list_length=10, coverage=0.5, gini=0.5, popularity=0.5, seconds=1.0),
        cohorts={"history": (CohortValue(lowest=1, highest=2, n_cases=12, hr=0.5),)},
        facts={"device": "cpu"},
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _saved(folder: Path) -> tuple[bytes, bytes, bytes]:
    """Contents of a record, of its ranks, and of a task file."""
    ranks = a_trial("bpr", 0, n=12).candidate_ranks
    assert ranks is not None
    new = NewCases(np.array([0, 3], np.int32), np.array([5], np.int32))
    values = {name: MetricValue(mean=m.mean, user_mean=m.user_mean, optimistic=m.optimistic, pessimistic=m.pessimistic)
              for name, m in compute_metrics(ranks, (10,)).items()}  # fmt: skip
    stored = store.save(_record().model_copy(update={"metrics": values}), TrialRanks(ranks, ranks, new), folder)
    task = folder / "task.npz"
    task_file.save(checkerboard_task(), task)
    return stored.path.read_bytes(), stored.path.with_suffix(".npz").read_bytes(), task.read_bytes()


def run_verb(*words: str) -> None:
    """Runs a verb in this process; its exit code must be one of bad input, never the one of "regressed"."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        code = typer.main.get_command(app).main(list(words), prog_name="recbench", standalone_mode=False)
    assert code in (None, 0, 2, 3, 4), (words, code)


def _changed_toml(rng: random.Random, content: bytes) -> bytes:
    import tomllib

    try:
        return tomli_w.dumps(changed_tree(rng, tomllib.loads(content.decode()))).encode()
    except (TypeError, ValueError, AttributeError, OverflowError):
        # Not everything can be written as TOML.
        return changed_lines(rng, content)


def readers(folder: Path) -> dict[str, Reader]:
    """Returns every reader by its name; ``folder`` is for files that are needed beside the one that is read."""
    record, ranks, task = _saved(folder)
    base = store.save((large := a_trial("bpr", 0, n=300)).record, large.ranks, folder / "base").path
    (folder / "timings.json").write_bytes(TIMINGS)

    def side(path: Path) -> object:
        path.with_suffix(".npz").write_bytes(ranks)
        return read_records(str(path))

    def ranks_of_side(path: Path) -> object:
        path.with_suffix(".json").write_bytes(record)
        return read_records(str(path.with_suffix(".json")))

    def verb(path: Path) -> object:
        """Sends a damaged record, its ranks or a file of timings through a verb."""
        content = path.read_bytes()
        for name in ("r.json", "r.npz"):
            right = base.with_suffix(Path(name).suffix).read_bytes()
            if path.name != name:
                path.with_name(name).write_bytes(right)
        if path.name == "timings.json":
            return run_verb("compare", "--timings", str(folder / path.name), str(path))
        good, side = str(base), str(path.with_name("r.json"))
        words = (
            ["compare", good, side, "--json"], ["compare", side, good], ["gate", good, side, "--format", "markdown"],
            ["gate", side, good], ["leaderboard", str(path.parent), "-o", str(path.with_name("page.md"))],
            ["plot", side, "-o", str(path.with_name("p.svg")), "--x-axis", "fit-seconds"],
        )[zlib.crc32(content) % 6]  # fmt: skip
        return run_verb(*words)

    ncf = {
        "train": b"0\t1\t5\t100\n0\t2\t4\t101\n1\t2\t3\t102\n1\t0\t3\t103\n",
        "test": b"0\t0\t5\t104\n1\t1\t4\t105\n",
        "negatives": b"(0,0)\t3\t4\n(1,1)\t3\t4\n",
    }
    for name, content in ncf.items():
        (folder / name).write_bytes(content)

    def published(part: str) -> Callable[[Path], object]:
        def read(path: Path) -> object:
            files = {name: folder / name for name in ncf} | {part: path}
            return import_ncf("toy", files["train"], files["test"], files["negatives"], frozenset(Waiver))

        return read

    lines = (changed_lines, changed_bytes)
    packed = (gzip.compress(RATINGS[0]), bz2.compress(RATINGS[0]), lzma.compress(RATINGS[1]))
    any_text = (*RATINGS, *packed, _zip(**{"u.data": RATINGS[1]}), _parquet())
    zipped = (_zip(**{"ml-100k/u.data": RATINGS[1], "ml-100k/README": b"x"}),)
    is_zip = task[:2] == b"PK"
    return {
        "spec": Reader(read_spec, ("spec.toml",), SPECS, (changed_lines, changed_bytes, _changed_toml), 34),
        "policy": Reader(read_policy, ("policy.toml",), POLICIES, (*lines, _changed_toml), 6),
        "settings": Reader(tuned_settings.load, ("s.toml",), SETTINGS, (*lines, _changed_toml), 4),
        "search spaces": Reader(read_spaces, ("s.toml",), SPACES, (*lines, _changed_toml), 4),
        "published": Reader(load_published, ("p.toml",), PUBLISHED_RESULTS, (*lines, _changed_toml), 2),
        "record": Reader(store.load, ("r.json",), (record,), (changed_json, changed_json, changed_bytes), 27),
        "record and ranks": Reader(side, ("r.json",), (record,), (changed_json, changed_bytes), 6),
        "ranks": Reader(ranks_of_side, ("r.npz",), (ranks,), (changed_members, changed_members, changed_bytes), 12),
        "record in a verb": Reader(
            verb, ("r.json",), (base.read_bytes(),), (changed_json, changed_json, changed_bytes), 2
        ),
        "ranks in a verb": Reader(
            verb, ("r.npz",), (base.with_suffix(".npz").read_bytes(),), (changed_members, changed_bytes), 1
        ),
        "timings in a verb": Reader(verb, ("timings.json",), (TIMINGS,), (changed_json, changed_bytes), 1),
        "another's file in a verb": Reader(verb, ("r.json", "r.npz", "timings.json"), (record, ranks, task), lines, 1),
        "ratings": Reader(read_interactions, ("r.csv", "r.inter", "r.json", "r.zip"), any_text, lines, 4),
        "parquet": Reader(read_interactions, ("r.parquet",), (_parquet(),), (changed_bytes,), 2),
        "task": Reader(
            task_file.load, ("t.npz",), (task,), (changed_members, changed_bytes) if is_zip else (changed_bytes,), 3
        ),
        "archive": Reader(lambda path: add("ml-100k", [path]), ("a.zip",), zipped, (changed_members, changed_bytes), 3),
        **{
            f"ncf {part}": Reader(published(part), ("f",), (content, gzip.compress(content)), lines, 1)
            for part, content in ncf.items()
        },
    }


def one_file(folder: Path, name: str, content: bytes) -> Path:
    """Writes the only file of a folder."""
    for left in folder.iterdir():
        left.unlink()
    path = folder / name
    path.write_bytes(content)
    return path
