"""Whatever a file holds, a reader returns or raises the project's own error; for millions: tests/fuzz_readers.py."""

import io
import json
import pickle
import random
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recbench.data.archives import DamagedArchiveError, read_npz
from recbench.errors import RecbenchError
from tests.fuzzed_readers import Reader, one_file, readers

NAMES = (
    *("spec", "policy", "record", "record and ranks", "ranks", "ratings", "parquet", "task", "archive"),
    *("ncf train", "ncf test", "ncf negatives", "settings", "search spaces", "published"),
)
IN_VERBS = ("record in a verb", "ranks in a verb", "timings in a verb", "another's file in a verb")
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEWER = settings(FEW, max_examples=8)
DEEP = 100_000


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return readers(tmp_path_factory.mktemp("beside"))


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "input"
    path.mkdir()
    return path


def test_every_reader_is_tried(known):
    assert set(known) == {*NAMES, *IN_VERBS}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("ratings", "archive")])
def test_what_the_changes_start_from_is_read(known, folder, name):
    for content in known[name].contents:
        assert not known[name].refuses(one_file(folder, known[name].names[0], content))


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(seed=st.integers(0, 2**32))
def test_inputs_that_are_nearly_right(known, folder, name, seed):
    known[name].refuses(one_file(folder, *known[name].input(random.Random(seed))))


@pytest.mark.parametrize("name", IN_VERBS)
@FEWER
@given(seed=st.integers(0, 2**32))
def test_damaged_files_in_verbs(known, folder, name, seed):
    """No traceback, and never the exit code of "regressed"."""
    known[name].refuses(one_file(folder, *known[name].input(random.Random(seed))))


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_inputs_that_are_anything(known, folder, name, content):
    known[name].refuses(one_file(folder, known[name].names[0], content))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=8,
)


@FEW
@given(changes=st.data())
def test_records_with_any_value_in_any_field(known, folder, changes):
    content = json.loads(known["record"].contents[0])
    for name in changes.draw(st.lists(st.sampled_from(sorted(content)), min_size=1, max_size=3)):
        content[name] = changes.draw(JSON)
    known["record and ranks"].refuses(one_file(folder, "r.json", json.dumps(content).encode()))


def arrays(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return target.getvalue()


def npy(header: bytes, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


FOUND = [
    ("record", b'{"seed": ' + b"9" * 5000 + b"}"),
    ("record", b"[" * DEEP),
    ("spec", b"name = " + b"9" * 5000),
    ("spec", b"name = " + b"[" * DEEP),
    ("policy", b"floor = " + b"9" * 5000),
    ("policy", b"floor = " + b"[" * DEEP),
    ("policy", b"\xff"),
    ("ncf negatives", b"(" + b"9" * 5000 + b",0)\t1\n"),
    ("ncf negatives", b"(0,0)\t3\t2147483646\n(1,1)\t3\t4\n"),
    ("ranks", arrays(**{"candidates.better": b"no array"})),
    ("ranks", arrays(**{"candidates.better": npy(b"{'descr': '<i4', 'fortran_order': False, 'shape': (9**13,), }\n")})),
    ("ranks", arrays(**{"candidates.better": npy(b"{'descr': (\n")})),
    (
        "ranks",
        arrays(
            **{"candidates.better": npy(b"{'descr': '<i4', 'fortran_order': False, 'shape': (1199999999988,), }\n")}
        ),
    ),
    ("task", arrays(users=b"no array")),
    ("archive", b"PK\x05\x06" + b"\xff" * 18),
    ("ratings", b'user,item\n"' + b"\n" * 10),
]


@pytest.mark.parametrize(("name", "content"), FOUND, ids=[f"{n}-{name}" for n, (name, _) in enumerate(FOUND)])
def test_what_was_found_once(known, folder, name, content):
    assert known[name].refuses(one_file(folder, known[name].names[0], content))


def test_a_whole_number_of_a_billion_digits_is_not_computed(known, folder):
    content = known["spec"].contents[1].replace(b"seed = 9223372036854775807", b"seed = 9e999999999")
    with pytest.raises(RecbenchError, match="out of range"):
        known["spec"].read(one_file(folder, "spec.toml", content))


def test_the_fuzzer_sees_what_is_not_the_projects_own_error(tmp_path):
    def broken(path):
        raise KeyError(path.name)

    def without_hint(path):
        raise RecbenchError("wrong")

    path = one_file(tmp_path, "x", b"")
    for read, error in ((broken, KeyError), (without_hint, AssertionError)):
        with pytest.raises(error):
            Reader(read, ("x",), (b"a",), (), 1).refuses(path)


class Trap:
    """Unpickled, it leaves a mark."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_nothing_is_unpickled(known, folder, tmp_path):
    name, mark = "ranks", tmp_path / "mark"
    target = io.BytesIO()
    np.save(target, np.array([Trap(mark)], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(io.BytesIO(known[name].contents[0])) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    for trap in (target.getvalue(), pickle.dumps(Trap(mark))):
        for member in members:
            changed = io.BytesIO()
            with zipfile.ZipFile(changed, "w") as archive:
                for other, content in members.items():
                    archive.writestr(other, trap if other == member else content)
            assert known[name].refuses(one_file(folder, known[name].names[0], changed.getvalue()))
    for name in ("ranks", "task"):
        assert known[name].refuses(one_file(folder, known[name].names[0], pickle.dumps(Trap(mark))))
    assert not mark.exists()


def test_damage_has_one_error():
    with pytest.raises(DamagedArchiveError, match="BadZipFile"):
        read_npz(io.BytesIO(b"PK\x03\x04"))
