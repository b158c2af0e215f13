"""Whether negatives are uniform: what the test says of draws that are known, and what becomes of its answer."""

import dataclasses
import json
import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from typer.testing import CliRunner

from recbench.cli.app import app
from recbench.errors import RecbenchError
from recbench.reports.run.sampling_caution import caution
from recbench.tasks import draw_statistics, task_file
from recbench.tasks.chi_square import chi_square_p_value
from recbench.tasks.draw_statistics import examine_draws
from recbench.tasks.exchange.export import export
from recbench.tasks.exchange.forms import ExportForm, UniformNegatives
from recbench.tasks.exchange.imports import import_folder, import_split
from recbench.tasks.exchange.ncf import import_ncf
from recbench.tasks.exchange.split_files import SplitFiles
from recbench.tasks.make import make_task
from recbench.tasks.spec import Negatives
from recbench.tasks.task import Cases
from recbench.tasks.tuning_task import tuning_task
from recbench.tasks.uniformity import judge
from tests.examples import TASK

N_USERS, N_ITEMS, N_NEGATIVES = 60, 90, 20
NCF_FILES = ("train.rating", "test.rating", "test.negative")
UNIFORM = Negatives(method="uniform", count=3)


def seen_pairs(rng):
    """bool[users, items]: who has interacted with what; early items are popular."""
    seen = rng.random((N_USERS, N_ITEMS)) < np.maximum(0.8 / np.arange(1, N_ITEMS + 1) ** 0.7, 0.05)
    seen[np.arange(N_ITEMS) % N_USERS, np.arange(N_ITEMS)] = True
    return seen


def drawn(rng, seen, power):
    """int32[users, negatives], drawn in proportion to a power of popularity: the shortest exponential waiting times."""
    with np.errstate(divide="ignore"):
        waiting = rng.exponential(size=seen.shape) / seen.sum(axis=0) ** power
    return np.argsort(np.where(seen, np.inf, waiting), axis=1)[:, :N_NEGATIVES].astype(np.int32)


def statistics(rng, seen, power):
    users, items = (column.astype(np.int32) for column in np.nonzero(seen))
    cases = Cases(np.arange(N_USERS, dtype=np.int32), np.zeros(N_USERS, dtype=np.int32), drawn(rng, seen, power))
    return examine_draws(users, items, cases, *seen.shape)


def a_split(power=0.0, seed=0):
    """Train and test rows, and one negative a row, of users 0, 1, ... and items 0, 1, ..."""
    rng = np.random.default_rng(seed)
    seen = seen_pairs(rng)
    users, items = np.nonzero(seen)
    last = np.flatnonzero(np.diff(users, append=-1))
    lists = drawn(rng, seen, power)
    test = pd.DataFrame({"user": users[last], "item": items[last]})
    train = pd.DataFrame({"user": np.delete(users, last), "item": np.delete(items, last)})
    candidates = test.assign(negatives=[lists[user].tolist() for user in test["user"]])
    return train, test, candidates


def in_both_forms(folder, split):
    """The same lists imported from files of the NCF paper and from tables."""
    train, test, candidates = split
    names = [folder / name for name in NCF_FILES]
    for path, frame in zip(names, (train, test), strict=False):
        frame.to_csv(path, sep="\t", index=False, header=False)
    names[2].write_text(
        "".join(f"({u},{i})\t" + "\t".join(map(str, row)) + "\n" for u, i, row in candidates.itertuples(index=False))
    )
    tables = [folder / f"{name}.csv" for name in ("train", "test", "candidates")]
    long = candidates.explode("negatives").rename(columns={"negatives": "negative"})
    for path, frame in zip(tables, (train, test, long), strict=True):
        frame.to_csv(path, index=False)
    files = SplitFiles(tables[0], tables[1], candidates=tables[2])
    return import_ncf("toy", *names), import_split("toy", "pairs", files, UNIFORM)


@pytest.mark.parametrize("degrees", [1, 2, 3, 8, 9, 41])
def test_the_tail_is_scipys(degrees):
    for statistic in (0.0, 0.3, 7.0, 60.0, 500.0):
        assert chi_square_p_value(statistic, degrees) == pytest.approx(stats.chi2.sf(statistic, degrees), rel=1e-9)


@pytest.mark.parametrize("power", [0, 1])
def test_p_values_of_the_true_distribution_are_uniform(power):
    rng = np.random.default_rng(1)
    seen = seen_pairs(rng)
    results = [statistics(rng, seen, power) for _ in range(300)]
    p_values = [result.p_popularity if power else result.p_uniform for result in results]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    others = [result.p_uniform if power else result.p_popularity for result in results]
    assert max(others) < 0.001


def test_draws_by_the_root_of_popularity_are_found():
    rng = np.random.default_rng(2)
    seen = seen_pairs(rng)
    assert np.mean([statistics(rng, seen, 0.5).p_uniform < 0.001 for _ in range(30)]) > 0.9


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(2, 25), st.integers(1, 9))
def test_any_lists_have_an_answer_or_none(seed, n_users, n_items, width):
    """Users with all items, lists of all that is left, short and empty lists, items without a row, equal popularity."""
    rng = np.random.default_rng(seed)
    rows, lists = [], np.full((n_users, width), -1, dtype=np.int32)
    for user in range(n_users):
        order, n_seen = rng.permutation(n_items), int(rng.integers(1, n_items + 1))
        rows += [(user, item) for item in order[:n_seen]]
        left = order[n_seen:][: int(rng.integers(0, width + 1))]
        lists[user, : len(left)] = left
    users, items = np.array(rows, dtype=np.int32).T
    result = examine_draws(users, items, Cases(np.arange(n_users), np.zeros(n_users), lists), n_users, n_items)
    assert result is None or (0 <= result.p_uniform <= 1 and 0 <= result.p_popularity <= 1)


@pytest.mark.parametrize(("power", "answer"), [(0, UniformNegatives.YES), (1, UniformNegatives.NO)])
def test_the_answer_does_not_depend_on_the_form_of_the_files(tmp_path, power, answer):
    split = a_split(power)
    ncf, pairs = in_both_forms(tmp_path, split)
    frames = make_task(split)
    for task in (ncf, pairs, frames):
        assert (task.uniformity.uniform, task.uniformity.source) == (answer, "tested")
        assert task.spec.negatives.uniformity == task.uniformity
        assert task.uniformity.p_uniform == pytest.approx(ncf.uniformity.p_uniform)
    assert ncf.summary()["uniform_negatives"] is (power == 0)
    # A task that is read from the file of an older version has no answer yet.
    older = pairs.spec.negatives.model_copy(update={"uniformity": None})
    bare = dataclasses.replace(pairs, spec=pairs.spec.model_copy(update={"negatives": older}))
    assert bare.uniformity == pairs.uniformity
    assert bare.digest == pairs.digest
    assert bare.spec.fingerprint() == pairs.spec.fingerprint()
    task_file.save(pairs, tmp_path / "toy.task")
    assert task_file.load(tmp_path / "toy.task").spec.negatives.uniformity == pairs.uniformity


@pytest.mark.parametrize("most", [N_USERS, 40])
def test_the_order_of_the_cases_changes_nothing(most, monkeypatch):
    """Where users have several cases, or are too many, the test looks at the same lists in any order of lines."""
    monkeypatch.setattr(draw_statistics, "MOST_CASES", most)
    rng = np.random.default_rng(4)
    seen = seen_pairs(rng)
    users, items = (column.astype(np.int32) for column in np.nonzero(seen))
    of_cases = np.tile(np.arange(N_USERS, dtype=np.int32), 2), np.arange(2 * N_USERS, dtype=np.int32) % 7
    lists = np.concatenate([drawn(rng, seen, 0), drawn(rng, seen, 0)])
    results = []
    for order in (np.arange(2 * N_USERS), rng.permutation(2 * N_USERS)):
        cases = Cases(*(column[order] for column in (*of_cases, lists)))
        results.append(examine_draws(users, items, cases, *seen.shape))
    assert results[1].p_uniform == pytest.approx(results[0].p_uniform)
    assert results[1].n_negatives == results[0].n_negatives == most * N_NEGATIVES


def test_few_negatives_decide_nothing():
    train, test, candidates = a_split()
    few = candidates.assign(negatives=[negatives[:3] for negatives in candidates["negatives"]])
    assert make_task((train, test, few)).summary()["uniform_negatives"] is None
    tiny_train = pd.DataFrame({"user": ["u", "v"], "item": ["a", "b"]})
    tiny_test = pd.DataFrame({"user": ["u", "v"], "item": ["b", "a"]})
    tiny = make_task((tiny_train, tiny_test, tiny_test.assign(negative="c")), items=["a", "b", "c", "d"])
    assert tiny.uniformity.uniform is UniformNegatives.UNKNOWN
    assert tiny.uniformity.p_uniform is None
    assert "not known whether" in caution({**TASK, "uniform_negatives": None}, [10], ())


@pytest.mark.parametrize(
    ("power", "declared", "warning"),
    [
        (1, "yes", "declared as uniform, but a chi-square test rejects uniform draws (p < 1e-15)"),
        (0, "no", "declared as not uniform, but a chi-square test finds them uniform"),
        (0, "yes", None),
        (1, "unknown", None),
    ],
)
def test_a_declaration_takes_precedence_and_is_tested(tmp_path, caplog, power, declared, warning):
    split = a_split(power)
    with caplog.at_level(logging.WARNING):
        task = make_task(split, uniform_negatives=declared)
    assert (task.uniformity.uniform.value, task.uniformity.source) == (declared, "declared")
    assert task.digest == make_task(split).digest
    assert task.uniformity.tested is judge(task).tested
    assert (warning in caplog.text) if warning else "declared" not in caplog.text
    if declared == "yes":
        line = caution({**TASK, "uniformity": task.uniformity.model_dump(mode="json")}, [10], ())
        assert ("chi-square" in line) == (warning is not None)
    # A declaration is about the negatives of the test cases; recbench draws those of validation.
    assert tuning_task(task).spec.negatives.uniformity.source == "tested"
    export(task, tmp_path, ExportForm.CSV)
    assert import_folder("again", tmp_path).uniformity == task.uniformity


def test_the_command_line_takes_a_declaration(tmp_path, monkeypatch):
    monkeypatch.setenv("RECBENCH_HOME", str(tmp_path / "home"))
    in_both_forms(tmp_path, a_split())
    pairs = [f"--{name}={tmp_path / name}.csv" for name in ("train", "test", "candidates")]
    ncf = [f"--{name}={tmp_path / file}" for name, file in zip(("train", "test", "candidates"), NCF_FILES, strict=True)]
    for form, files in (("pairs", pairs), ("ncf", ncf)):
        done = CliRunner().invoke(app, ["task", "import", form, *files, "--uniform-negatives", "no", form])
        assert "no (declared; chi-square test: uniform p = " in done.stdout
        shown = json.loads(CliRunner().invoke(app, ["task", "show", form, "--json"]).stdout)["task"]
        assert (shown["uniform_negatives"], shown["uniformity"]["source"]) == (False, "declared")


def test_declarations_that_make_no_sense():
    train, test, candidates = a_split()
    with pytest.raises(RecbenchError, match="recbench draws the negatives"):
        make_task((train, test), uniform_negatives="yes")
    with pytest.raises(RecbenchError, match="need a split"):
        make_task(train, uniform_negatives="yes")
    with pytest.raises(RecbenchError, match="Did you mean: yes"):
        make_task((train, test, candidates), uniform_negatives="yess")


def test_drawn_negatives_are_known():
    train, test, _ = a_split()
    for method, uniform in (("uniform", True), ("popularity", False)):
        task = make_task((train, test), negatives={"method": method, "count": 20})
        assert (task.uniform_negatives, task.uniformity.source) == (uniform, "drawn")
        assert judge(task).uniform is (UniformNegatives.YES if uniform else UniformNegatives.NO)
