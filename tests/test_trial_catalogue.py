"""The pass over the whole catalogue is the last part of a trial: where it fails, all before it is kept."""

import json

import numpy as np
import pytest

from recbench.records.ranks_file import load_ranks
from recbench.records.schema import Status
from recbench.records.store import load, save
from recbench.registry.hyperparameters import configure
from recbench.registry.models import ModelReference, Origin
from recbench.reports.run.summary import summarise
from recbench.trials.events import ignore
from recbench.trials.trial import Conditions, run_trial


class Whole:
    def fit(self, train, context):
        self.n_items = train.n_items

    def score(self, users, items):
        return (users[:, None] * 7 + items) % 5 / 5.0


class BlindToTheUnseen(Whole):
    """No score for an item that nobody was asked about."""

    def score_all(self, users):
        scores = np.zeros((len(users), self.n_items))
        scores[0, 3] = np.nan
        return scores


class OutOfMemory(Whole):
    def score_all(self, users):
        raise MemoryError("no room")


class Exits(Whole):
    def score_all(self, users):
        raise SystemExit(3)


def trial(task, model):
    configuration = configure(ModelReference("toy", "toy:Toy", Origin.MODULE), model, {})
    return run_trial(task, configuration, 0, Conditions(ks=(1,), catalogue=True), ignore)


@pytest.mark.parametrize(
    ("model", "error"),
    [
        (BlindToTheUnseen, "score_all() returned nan for user index 0, item index 3"),
        (OutOfMemory, "MemoryError: no room"),
        (Exits, "SystemExit: 3"),
    ],
)
def test_a_model_without_scores_for_all_items_loses_the_catalogue_only(board, tmp_path, capsys, model, error):
    outcome, plain = trial(board, model), trial(board, Whole)
    assert outcome.record.status is Status.DONE
    assert outcome.record.catalogue is None
    assert error in outcome.record.catalogue_error
    assert "Traceback" in capsys.readouterr().err
    assert outcome.record.metrics == plain.record.metrics
    stored = save(outcome.record, outcome.ranks, tmp_path)
    assert load(stored.path) == outcome.record
    assert load_ranks(stored.path).catalogue is None
    (summary,) = summarise([stored], ())
    assert summary.status is Status.DONE
    assert summary.errors[0].startswith("seed 0, full ranking: ")


def test_where_the_pass_succeeds_there_is_no_error(board):
    record = trial(board, Whole).record
    assert record.catalogue is not None
    assert record.catalogue_error is None


def test_records_from_before_have_none(board, tmp_path):
    outcome = trial(board, Whole)
    stored = save(outcome.record, outcome.ranks, tmp_path)
    content = json.loads(stored.path.read_text())
    del content["catalogue_error"]
    stored.path.write_text(json.dumps(content))
    assert load(stored.path).catalogue_error is None
