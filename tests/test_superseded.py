"""Records of an earlier state of the code in the folder of the present one."""

import json
from datetime import UTC, datetime

import pytest

import recbench as rb
from recbench.records.sources import Sources
from recbench.records.superseded import without_superseded
from tests.command_line import CommandLine
from tests.examples import a_set, some_trials, write


def net(shrink, content, hour, skill=0.5, **files):
    return some_trials(
        "net",
        skill,
        seeds=2,
        parameters={"shrink": shrink},
        sources=Sources(modules={"shop/net.py": content}, **files),
        started_at=datetime(2026, 1, 1, hour, tzinfo=UTC),
    )


def names(records):
    return sorted({(trial.record.model, trial.record.parameters.get("shrink")) for trial in records.trials})


def test_a_configuration_of_earlier_code_is_left_out():
    records = without_superseded(a_set("runs", net(10, "old", 1), net(30, "new", 2), some_trials("bpr")))
    assert records.superseded == ("2 records of net (shrink=10), run before shop/net.py changed",)
    assert ("net", 10) not in names(records)
    assert len(records.trials) == 5


@pytest.mark.parametrize(
    "other",
    [net(30, "same", 2), net(30, "same", 2, late_modules={"shop/more.py": "new"}), net(30, "same", 0)],
    ids=["the same code", "a file that only one of them has read", "in another order"],
)
def test_configurations_of_the_same_code_stay(other):
    records = a_set("runs", net(10, "same", 1), other)
    assert without_superseded(records) is records


def test_one_configuration_stays_whatever_its_code():
    records = a_set("runs", net(10, "old", 1)[:1] + net(10, "new", 2)[1:])
    assert without_superseded(records) is records


def test_the_gate_and_an_acceptance_take_the_present_code(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "base", net(10, "base", 0))
    write(tmp_path / "runs", net(10, "old", 1, skill=0.3), net(30, "new", 2, skill=0.6))
    assert [of.match.current.parameters for of in rb.compare("base", "runs").decided.comparison.models] == [
        {"shrink": 30}
    ]
    command = CommandLine(capfd, monkeypatch)
    ended = command("gate", "base", "runs")
    assert "left out of runs: 2 records of net (shrink=10), run before shop/net.py changed." in ended.err
    assert ended.code == 0
    command("baseline", "accept", "base", "--force")
    accepted = command("baseline", "accept", "runs", "--force", "--json")
    assert accepted.code == 0
    assert json.loads(accepted.out)["changes"][0]["written"] == 2
