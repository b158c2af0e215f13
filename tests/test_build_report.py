"""The line on what a build read and kept, ties in time, and rules for users with too few negatives."""

import logging

import numpy as np
import pandas as pd
import pytest

from recbench.errors import RecbenchError
from recbench.tasks.leakage import leakage
from recbench.tasks.make import make_task
from recbench.tasks.spec import TaskSpec, parse_spec
from recbench.tasks.verify import verify


def rows(users=20, items=12, own=4, step=86_400, start=1_400_000_000):
    return pd.DataFrame(
        [(u, (u * 5 + i) % items, start + u + i * step) for u in range(users) for i in range(own)],
        columns=["user", "item", "timestamp"],
    )


def test_a_build_says_what_it_read_and_kept(caplog):
    caplog.set_level(logging.INFO, "recbench")
    make_task(
        rows(), name="mine", negatives=2, filters={"since": pd.Timestamp(1_400_050_000, unit="s").to_pydatetime()}
    )
    assert "mine: read 80 rows of DataFrame 'ratings' (" in caplog.text
    assert (
        "times are seconds since 1970); kept 60 rows, 20 users, 12 items, dates 2014-05-14 to 2014-05-16" in caplog.text
    )
    assert "a tie" not in caplog.text
    train, test = rows(own=3), rows(own=4)[3::4]
    make_task((train, test), negatives=2)
    assert "read 60 rows of DataFrame 'train' (" in caplog.text
    assert " and 20 rows of DataFrame 'test' (" in caplog.text
    make_task(rows(start=0, step=1), negatives=2)
    assert "kept 80 rows, 20 users, 12 items, times 0 to 22" in caplog.text


def test_ties_in_time_are_told(caplog):
    caplog.set_level(logging.INFO, "recbench")
    task = make_task(rows(step=0), negatives=2)
    assert "20 of 20 cases have the same time as a train row of their user (a tie)" in caplog.text
    assert caplog.records[-1].levelno == logging.WARNING
    assert leakage(task).cases_tied_in_time == 1
    caplog.clear()
    some = rows()
    some.loc[2, "timestamp"] = some.loc[3, "timestamp"]
    assert leakage(make_task(some, negatives=2)).cases_tied_in_time == 1 / 20
    assert [r.levelno for r in caplog.records if "a tie" in r.message] == [logging.INFO]
    caplog.clear()
    make_task(rows(step=0), negatives=2, split={"method": "random-fraction", "fraction": 0.2})
    assert "a tie" not in caplog.text


def test_times_of_two_files_are_brought_to_one_unit():
    train, test = rows(own=3), rows(own=4)[3::4]
    fine_train, fine_test = (part.assign(timestamp=part["timestamp"] * 1000) for part in (train, test))
    assert make_task((train, fine_test), negatives=2).digest == make_task((fine_train, fine_test), negatives=2).digest
    with pytest.raises(RecbenchError, match="count different things: order, seconds"):
        make_task((train, test.assign(timestamp=3)), negatives=2)


def with_a_bot():
    """Returns rows in which user 99 has interacted with 11 of the 13 items, two of which nobody else has."""
    bot = pd.DataFrame({"user": 99, "item": [*range(10), 50], "timestamp": 1_500_000_000})
    return pd.concat([rows(), bot])


@pytest.mark.parametrize("split", ["leave-one-out", {"method": "global-time", "fraction": 0.3, "unknown": "keep"}])
def test_one_user_who_knows_nearly_everything_blocks_no_task(caplog, split):
    task = make_task(with_a_bot(), negatives=3, split=split)
    assert "1 of 21 users have too few items without an interaction: user '99' has 2" in caplog.text
    assert (task.n_users, task.n_items) == (20, 12)
    without = make_task(rows(), negatives=3, split=split)
    if split == "leave-one-out":
        assert task.digest == without.digest
    explicit = make_task(with_a_bot(), negatives={"count": 3, "too_few": "leave-out"}, split=split)
    assert np.array_equal(explicit.test.negatives, task.test.negatives)
    fewer = make_task(with_a_bot(), negatives={"count": 3, "too_few": "fewer"}, split=split)
    assert (fewer.n_users, fewer.n_items) == (21, 13)
    assert sorted(set(fewer.test.n_negatives.tolist())) == [2, 3]
    verify(fewer)


def test_a_published_split_leaves_such_a_user_out_too():
    every = with_a_bot().reset_index(drop=True)
    last = every.groupby("user").tail(1).index
    split = (every.drop(last), every.loc[last])
    assert make_task(split, negatives=3).n_users == 20
    fewer = make_task(split, negatives={"count": 3, "too_few": "fewer"})
    assert sorted(set(fewer.test.n_negatives.tolist())) == [2, 3]
    # The bot's held-out item has no train row, and no other user has it.
    assert make_task(split, negatives=2).n_users == 21


SPEC = (
    'name = "x"\n[dataset]\nsource = "dataframe"\n[split]\nmethod = "leave-one-out"\n[negatives]\nmethod = "uniform"\n'
)


def test_rules_that_are_unset_change_no_digest_and_no_file_name():
    plain: TaskSpec = parse_spec(SPEC, "x.toml")
    assert "too_few" not in plain.rules()
    fewer = parse_spec(f'{SPEC}too_few = "fewer"\n', "x.toml")
    assert '"too_few":"fewer"' in fewer.rules()
    assert (
        fewer.fingerprint() != plain.fingerprint() == "9ca40e05695f5eb0c33cd3147f43bc413835b07d2fd2b07c4694744ec640d894"
    )
