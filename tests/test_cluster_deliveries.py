"""A task is sent once to a machine, however many workers and runs it has."""

import os
import time

import pytest

from recbench.runners.dask import remote_trials, tasks
from recbench.runners.dask.remote_trials import SECONDS_BETWEEN_PARTS, Delivery
from recbench.tasks import task_file

pytest.importorskip("distributed")


@pytest.fixture
def sent(tmp_path, board):
    task_file.save(board, tmp_path / "b.task")
    return tmp_path / "b.task"


def test_the_workers_of_a_machine_share_a_task(sent, board, monkeypatch):
    from distributed import LocalCluster

    from recbench.runners.dask.connection import DaskConnection

    received, receive = [], remote_trials.receive_part
    monkeypatch.setattr(remote_trials, "receive_part", lambda *part: (received.append(part[1]), receive(*part)))
    # Without a dashboard, Dask still opens its usual port, which another test's cluster may have.
    any_port = {"dashboard_address": "127.0.0.1:0"}
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, scheduler_kwargs=any_port
    ) as cluster:
        connection = DaskConnection(cluster.scheduler_address, time.sleep)
        try:
            while len(workers := list(connection.workers(wait=True))) < 2:
                time.sleep(0.01)
            assert all(connection.send_task(worker, board.digest, sent) for worker in workers)
            # Another run, which comes at the same time.
            assert tasks.claim_task(board.digest, "other") == Delivery.HERE
        finally:
            connection.close([])
    assert len(received) == 1
    assert task_file.load(remote_trials.task_path(board.digest)).digest == board.digest


def test_one_of_two_runs_sends_a_task_and_the_other_one_waits(sent, board):
    digest, content = board.digest, sent.read_bytes()
    assert tasks.claim_task(digest, "first") == Delivery.NEEDED
    assert tasks.claim_task(digest, "first") == Delivery.NEEDED
    assert tasks.claim_task(digest, "second") == Delivery.COMES
    tasks.receive_part(digest, "first", content[:9], 0)
    assert tasks.claim_task(digest, "second") == Delivery.COMES
    tasks.receive_part(digest, "first", content[9:], 9)
    tasks.install_task(digest, "first")
    assert tasks.claim_task(digest, "second") == Delivery.HERE
    assert [path.suffix for path in remote_trials.task_path(digest).parent.iterdir()] == [".task"]


def test_the_task_of_a_run_that_has_ended_is_sent_by_another_one(sent, board):
    assert tasks.claim_task(board.digest, "first") == Delivery.NEEDED
    (left,) = remote_trials.task_path(board.digest).parent.iterdir()
    before = left.stat().st_mtime - SECONDS_BETWEEN_PARTS - 1
    os.utime(left, (before, before))
    assert tasks.claim_task(board.digest, "second") == Delivery.NEEDED
    assert tasks.claim_task(board.digest, "third") == Delivery.COMES
