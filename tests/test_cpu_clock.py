"""The CPU seconds of a process and of its children."""

from recbench.trials import cpu_clock
from recbench.trials.cpu_clock import CpuClock
from tests.busy_work import work


def test_reading_the_children_is_no_work_of_the_model(monkeypatch):
    reads = []

    def read_slowly(child):
        reads.append(child)
        work(0.02)
        return 0.0

    monkeypatch.setattr(cpu_clock, "_children", lambda: ["a child"])
    monkeypatch.setattr(cpu_clock, "_seconds_of", read_slowly)
    clock = CpuClock()
    for _ in range(3):
        clock.start()
        work(0.01)
        clock.stop()
    assert len(reads) == 6
    assert 0.03 <= clock.seconds < 0.05
