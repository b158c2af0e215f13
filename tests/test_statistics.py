import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench.data.statistics import doubling_histogram, rows_gini, statistics
from recbench.errors import RecbenchError
from recbench.output_files import OutputFile
from recbench.reports.plots.histograms import plot_histograms, text_histogram


@given(st.lists(st.integers(1, 300), min_size=1))
def test_bins_double_and_hold_all(values):
    histogram = doubling_histogram(np.array(values))
    for lowest, highest, count in zip(histogram.lowest, histogram.highest, histogram.counts, strict=True):
        assert count == sum(lowest <= value <= highest for value in values)
        assert highest == 2 * lowest - 1
    assert sum(histogram.counts) == len(values)


def test_gini_from_all_alike_to_one_has_all():
    assert rows_gini(np.full(10, 7)) == pytest.approx(0)
    assert rows_gini(np.array([0] * 9 + [5])) == pytest.approx(0.9)
    assert rows_gini(np.array([1, 3])) == pytest.approx(0.25)


def test_figures_of_rows():
    row_statistics = statistics(np.array([0, 0, 0, 5]), np.array([1, 2, 3, 1]))
    assert (row_statistics.rows, row_statistics.users, row_statistics.items, row_statistics.density) == (4, 2, 3, 4 / 6)
    assert (row_statistics.median_history, row_statistics.median_popularity) == (2, 1)
    assert (row_statistics.histories.lowest, row_statistics.histories.counts) == ((1, 2), (1, 1))


def test_a_histogram_in_the_terminal():
    lines = text_histogram("users", doubling_histogram(np.array([1, 1, 1, 1, 4, 5]))).splitlines()
    assert lines[1] == "  1  " + "#" * 40 + "  4"
    assert lines[2].split() == ["2-3", "0"]
    assert lines[3] == "4-7  " + "#" * 20 + " " * 20 + "  2"


def test_a_picture(tmp_path, monkeypatch):
    row_statistics = statistics(np.array([0, 0, 0, 5]), np.array([1, 2, 3, 1]))
    plot_histograms("toy", row_statistics, OutputFile(tmp_path / "toy.png"))
    assert (tmp_path / "toy.png").read_bytes().startswith(b"\x89PNG")
    for bad in (tmp_path / "no" / "toy.png", tmp_path / "toy.xyz"):
        with pytest.raises(RecbenchError, match="Cannot write the picture"):
            plot_histograms("toy", row_statistics, OutputFile(bad))
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(RecbenchError, match="Pictures need matplotlib") as caught:
        plot_histograms("toy", row_statistics, OutputFile(tmp_path / "toy.png"))
    assert "pip install 'matplotlib>=" in caught.value.hint


def test_info_and_show(recbench, tmp_path):
    (tmp_path / "r.csv").write_text(
        "user,item,time\n" + "".join(f"{u},{i % (u + 2)},{i}\n" for u in range(9) for i in range(9))
    )
    shown = recbench("data", "info", "r.csv", "--plot", "r.png")
    assert shown.returncode == 0, shown.stderr
    assert "users by number of rows" in shown.stdout
    assert (tmp_path / "r.png").exists()
    document = json.loads(recbench("data", "info", "r.csv", "--json").stdout)["dataset"]
    assert (document["statistics"]["users"], document["timestamps"]) == (9, [0, 8])
    entry = recbench("data", "info", "ml-1m")
    assert "@article{harper2015movielens," in entry.stdout
    assert "no commercial use" in entry.stdout
    assert recbench("data", "info", "ml-1m", "--plot", "x.png").returncode == 2
    task = recbench("task", "show", "synthetic", "--plot", "t.png")
    assert "train rows later than a case of their own user" in task.stdout
    assert (tmp_path / "t.png").exists()
    document = json.loads(recbench("task", "show", "synthetic", "--json").stdout)
    assert document["leakage"]["train_rows_after_own_case"] == 0
    assert sum(document["train"]["histories"]["counts"]) == document["task"]["n_users"]
