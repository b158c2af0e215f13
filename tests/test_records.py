import json

import numpy as np
import pytest
from pydantic import ValidationError

from recbench.errors import RecbenchError
from recbench.evaluation.ranking import Ranks
from recbench.evaluation.stored_metrics import compute_metrics
from recbench.records import ranks_file, store
from recbench.records.finished_trial import TrialRanks
from recbench.records.schema import Record, Status
from tests.examples import a_record

CANDIDATES, CATALOGUE = (
    Ranks(*(np.array(array, dtype=np.int32) for array in ([0, 1], [n, n], [0, 3], [0, 1]))) for n in (100, 4000)
)
RANKS = TrialRanks(CANDIDATES)


def same(ranks, other):
    return all(np.array_equal(getattr(ranks, name), getattr(other, name)) for name in ranks_file.RANK_ARRAYS)


def test_a_record_comes_back_as_it_went_in(tmp_path):
    record = a_record("bpr", 0, hr=1 / 3, ndcg=0.1)
    stored = store.save(record, RANKS, tmp_path / "new" / "folder")
    assert store.load(stored.path) == record
    assert same(ranks_file.load_ranks(stored.path).candidates, CANDIDATES)
    assert ranks_file.load_ranks(stored.path).catalogue is None
    content = json.loads(stored.path.read_text(encoding="utf-8"))
    assert content["schema"] == 1
    assert content["metrics"]["hr@10"]["mean"] == 1 / 3
    assert list(content) == sorted(content)
    assert {path.name for path in stored.path.parent.glob("*")} == {
        ".lock", f"{record.stem()}.json", f"{record.stem()}.npz"
    }  # fmt: skip


def test_ranks_in_the_catalogue_are_kept_beside_the_others(tmp_path):
    stored = store.save(a_record("bpr", 0), TrialRanks(CANDIDATES, CATALOGUE), tmp_path)
    ranks = ranks_file.load_ranks(stored.path)
    assert same(ranks.candidates, CANDIDATES)
    assert same(ranks.catalogue, CATALOGUE)


def test_any_cut_off_can_be_computed_later(tmp_path):
    stored = store.save(a_record("bpr", 0), RANKS, tmp_path)
    later = compute_metrics(ranks_file.load_ranks(stored.path).candidates, (4,))
    assert later["hr@4"].mean == 0.75


def test_the_same_trial_has_the_same_name_and_others_another(tmp_path):
    stems = {
        a_record("bpr", 0).stem(),
        a_record("bpr", 1).stem(),
        a_record("ncf", 0).stem(),
        a_record("bpr", 0, parameters={"factors": 8}).stem(),
    }
    assert len(stems) == 4
    assert a_record("bpr", 0, hr=0.1).stem() == a_record("bpr", 0, hr=0.2).stem()


def test_records_are_open_to_those_whom_the_umask_allows(tmp_path):
    stored = store.save(a_record("bpr", 0), None, tmp_path)
    plain = tmp_path / "plain"
    plain.touch()
    assert stored.path.stat().st_mode == plain.stat().st_mode


def test_records_that_cannot_be_read(tmp_path):
    path = tmp_path / "record.json"
    with pytest.raises(RecbenchError, match="Cannot read the record"):
        store.load(path)
    whole = a_record("bpr", 0).to_json()
    path.write_text(whole[:-30], encoding="utf-8")
    with pytest.raises(RecbenchError, match="is not a record"):
        store.load(path)
    path.write_text(whole.replace('"seed": 0', '"seed": "zero"'), encoding="utf-8")
    with pytest.raises(RecbenchError, match="seed: Input should be a valid integer"):
        store.load(path)
    path.write_text(whole.replace('"schema": 1', '"schema": 2'), encoding="utf-8")
    with pytest.raises(RecbenchError, match="its schema is 2, and this one reads 1(.|\n)*Update recbench"):
        store.load(path)
    path.write_text(whole.replace('"schema": 1', '"schema": 0'), encoding="utf-8")
    with pytest.raises(RecbenchError, match="schema: Input should be 1"):
        store.load(path)
    with pytest.raises(RecbenchError, match="ranks .* are missing"):
        ranks_file.load_ranks(path)
    path.with_suffix(".npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(RecbenchError, match="ranks .* cannot be read"):
        ranks_file.load_ranks(path)


def test_a_failed_repetition_leaves_no_ranks_of_before(tmp_path):
    stored = store.save(a_record("bpr", 0), RANKS, tmp_path)
    again = store.save(a_record("bpr", 0, status=Status.FAILED, error="no luck"), None, tmp_path)
    assert again.path == stored.path
    assert not stored.path.with_suffix(".npz").exists()


def test_a_failed_record_has_no_ranks(tmp_path):
    stored = store.save(a_record("bpr", 0, status=Status.FAILED, error="no luck"), None, tmp_path)
    assert store.load(stored.path).error == "no luck"
    assert not stored.path.with_suffix(".npz").exists()


def test_times_of_any_offset_are_kept_in_utc():
    text = a_record("bpr", 0).to_json().replace("2026-01-01T00:00:00Z", "2026-01-31T23:30:00+05:00")
    record = Record.model_validate_json(text)
    assert record.started_at.isoformat() == "2026-01-31T18:30:00+00:00"
    assert '"started_at": "2026-01-31T18:30:00Z"' in record.to_json()
    with pytest.raises(ValidationError, match="before the year 1"):
        Record.model_validate_json(text.replace("2026-01-31T23:30:00+05:00", "0001-01-01T00:00:00+05:00"))
