"""Quality against speed: what stands in the picture, and where its labels do."""

import itertools
import re

import pytest

from recbench.errors import NothingToCompareError, RecbenchError
from recbench.evaluation.metric_names import parse_measure
from recbench.output_files import OutputFile
from recbench.records.schema import Status, TaskIdentity
from recbench.records.selection import of_models, read_records
from recbench.reports.plots.figures import legend_above, new_figure, plain_text
from recbench.reports.plots.label_placement import Box, place_labels
from recbench.reports.plots.speed_quality import speed_quality
from recbench.reports.plots.speed_quality_axes import Cost
from recbench.reports.plots.speed_quality_plot import draw_speed_quality, picture
from tests.examples import a_set, some_trials, write

HR, NDCG = parse_measure("hr@10"), parse_measure("ndcg@10")


def test_points_are_configurations_with_their_intervals():
    slow = some_trials("ncf", 0.6, fit_seconds=8.0, interactions_per_second=100.0)
    quick = some_trials("bpr", 0.5, fit_seconds=2.0, interactions_per_second=400.0)
    plot_data = speed_quality([a_set("run", slow, quick)], NDCG, Cost.THROUGHPUT)
    ncf, bpr = plot_data.points
    assert (ncf.label, bpr.label) == ("ncf", "bpr")
    assert (ncf.cost.mean, bpr.cost.mean) == (100.0, 400.0)
    assert ncf.quality.mean == pytest.approx(sum(t.record.metrics["ndcg@10"].mean for t in slow) / 3)
    assert ncf.interval.low < ncf.quality.mean < ncf.interval.high
    seconds = speed_quality([a_set("run", slow, quick)], HR, Cost.FIT_SECONDS)
    assert [point.cost.mean for point in seconds.points] == [8.0, 2.0]


def test_only_the_best_of_many_configurations_are_drawn(monkeypatch):
    monkeypatch.setattr("recbench.reports.plots.speed_quality.MOST_COMPARED", 2)
    models = [some_trials(name, skill, seeds=1) for name, skill in (("a", 0.5), ("bad", 0.2), ("b", 0.6))]
    plot_data = speed_quality([a_set("run", *models)], HR, Cost.THROUGHPUT)
    assert [point.label for point in plot_data.points] == ["a", "b"]
    assert all(point.interval for point in plot_data.points)
    assert plot_data.notes[0].startswith("Only the best 2 of 3 configurations are drawn.")
    assert len(speed_quality([a_set("run", *models[:2])], HR, Cost.THROUGHPUT).points) == 2


def test_labels_tell_configurations_and_runs_apart():
    some = some_trials("bpr", parameters={"factors": 8, "epochs": 2})
    others = some_trials("bpr", parameters={"factors": 16, "epochs": 2})
    sides = [a_set("before", some, others), a_set("after", some, some_trials("ncf"))]
    labels = [point.label for point in speed_quality(sides, HR, Cost.THROUGHPUT).points]
    assert labels == ["bpr (factors=8, before)", "bpr (factors=16)", "bpr (factors=8, after)", "ncf"]


def test_failed_trials_are_named_and_shared_machines_told():
    side = a_set("run", some_trials("bpr", concurrent_trials=2), some_trials("ncf", status=Status.FAILED, error="x"))
    plot_data = speed_quality([side], HR, Cost.THROUGHPUT)
    assert plot_data.left_out == ("ncf (failed)",)
    assert any("shared the machine" in note for note in plot_data.notes)
    with pytest.raises(NothingToCompareError, match="None of these trials is done and has timings"):
        speed_quality([a_set("run", some_trials("ncf", status=Status.FAILED))], HR, Cost.THROUGHPUT)
    other = some_trials("bpr", task=TaskIdentity(name="other", digest="sha256:" + "cd" * 32))
    with pytest.raises(RecbenchError, match="of different tasks"):
        speed_quality([side, a_set("b", other)], HR, Cost.THROUGHPUT)
    others = [a_set(f"b{n}", some_trials("bpr", task=TaskIdentity(name=f"t{n}", digest=f"sha256:{n:064x}")))
              for n in range(7)]  # fmt: skip
    with pytest.raises(RecbenchError, match="compared: t0 sha256:000000000000, .* t4 sha256:0+, and 2 more"):
        speed_quality(others, HR, Cost.THROUGHPUT)


def test_fits_that_are_too_short_to_time_have_no_throughput():
    short = some_trials("popularity", fit_seconds=0.01)
    plot_data = speed_quality([a_set("run", short, some_trials("bpr"))], HR, Cost.THROUGHPUT)
    assert [point.label for point in plot_data.points] == ["bpr"]
    assert plot_data.left_out == ("popularity (too short to time)",)
    assert len(speed_quality([a_set("run", short)], HR, Cost.FIT_SECONDS).points) == 1
    with pytest.raises(NothingToCompareError, match=r"took less than 0\.1 s: too short to time"):
        speed_quality([a_set("run", short)], HR, Cost.THROUGHPUT)


@pytest.mark.parametrize("ratio", [1.0, 1 + 2**-52, 1 + 2**-40])
def test_models_of_the_same_speed_have_an_axis(ratio):
    models = [some_trials(name, seeds=1, interactions_per_second=400.0 * by) for name, by in (("a", 1.0), ("b", ratio))]
    plot_data = speed_quality([a_set("run", *models)], HR, Cost.THROUGHPUT)
    low, high = picture(plot_data).axes[0].get_xlim()
    assert low < 400.0 / 1.01 < 400.0 * 1.01 < high


def crowded():
    """A dozen models that are nearly alike."""
    groups = [
        some_trials(f"a-model-of-some-length-{number}", 0.5 + number / 300, seeds=2,
                    fit_seconds=2.0 + number / 10, interactions_per_second=1e6 * (1 + number / 20))
        for number in range(12)
    ]  # fmt: skip
    return speed_quality([a_set("run", *groups, some_trials("far", 0.45, interactions_per_second=1e9))],
                         HR, Cost.THROUGHPUT)  # fmt: skip


def test_labels_cover_neither_each_other_nor_points():
    figure = picture(crowded())
    (axes,) = figure.axes
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 13
    assert not any(box.overlaps(other) for box, other in itertools.combinations(boxes, 2))
    spots = [axes.transData.transform(line.get_xydata()[0]) for bars in axes.containers for line in [bars.lines[0]]]
    assert len(spots) == 13
    assert not any(box.contains(*spot) for box, spot in itertools.product(boxes, spots))
    assert all(axes.bbox.contains(box.x0, box.y0) and axes.bbox.contains(box.x1, box.y1) for box in boxes)


def test_twelve_models_have_their_own_colour_and_marker():
    figure = picture(crowded())
    (axes,) = figure.axes
    assert axes.get_legend() is None
    drawn = [bars.lines[0] for bars in axes.containers]
    assert len({(line.get_color(), line.get_marker()) for line in drawn}) == 13


def test_weak_baselines_are_named_below_the_picture_and_do_not_squeeze_the_others():
    models = [some_trials(f"model-{number}", 0.5 + number / 50, seeds=2) for number in range(4)]
    rates = {"parameters": {"rate": 0.0123456789, "epochs": 2}}
    weak = some_trials("popularity", 0.3, seeds=2, interactions_per_second=4e6)
    bad = some_trials("bpr", 0.1, seeds=2, **rates)
    figure = picture(
        speed_quality([a_set("run", *models, bad, some_trials("bpr", seeds=2), weak)], HR, Cost.THROUGHPUT)
    )
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    assert 0.4 < low < high < 0.65
    note = axes.get_xlabel().replace("\n", " ")
    assert re.search(
        r"Outside of the picture: bpr \(rate=0\.0123, epochs=2\) \(0\.[01]\d+, 5\d\d,\d+ interactions/s\); "
        r"popularity \(0\.[23]\d+, 4,000,000 interactions/s\)",
        note,
    ), note
    figure.draw_without_rendering()
    assert axes.xaxis.get_tightbbox().y0 >= 0


def test_a_legend_is_above_the_axes_and_covers_no_data():
    with plain_text():
        figure = new_figure(6, 4)
        axes = figure.subplots()
        for number in range(5):
            axes.plot([0, 1], [0, number], label=f"line {number}")
        axes.set_title("title")
        legend_above(axes)
        figure.draw_without_rendering()
    legend, title = axes.get_legend().get_window_extent(), axes.title.get_window_extent()
    assert legend.y0 >= axes.bbox.y1
    assert title.y0 >= legend.y1 - 1
    assert title.y1 <= figure.bbox.y1


def test_places_are_near_and_a_label_without_one_is_left_out():
    area = Box(0, 0, 400, 300)
    (alone,) = place_labels([(100, 100)], [(40, 10)], [Box(95, 95, 105, 105)], area)
    assert abs(alone.left - 100) < 20
    assert abs(alone.bottom - 100) < 20
    (corner,) = place_labels([(399, 299)], [(40, 10)], [], area)
    assert area.holds(corner)
    (nowhere,) = place_labels([(100, 100)], [(40, 10)], [area], area)
    assert nowhere is None


@pytest.mark.parametrize(("name", "start"), [("x.png", b"\x89PNG"), ("x.svg", b"<?xml"), ("x.pdf", b"%PDF")])
def test_pictures_of_all_kinds(tmp_path, name, start):
    plot_data = speed_quality([a_set("run", some_trials("bpr"))], HR, Cost.THROUGHPUT)
    assert draw_speed_quality(plot_data, OutputFile(tmp_path / name)).read_bytes().startswith(start)
    with pytest.raises(RecbenchError, match="Use one of the endings .png"):
        draw_speed_quality(plot_data, OutputFile(tmp_path / "x.nothing"))


def test_the_verb(recbench, tmp_path):
    write(tmp_path / "runs", some_trials("bpr"), some_trials("ncf", 0.6))
    assert len(read_records(str(tmp_path / "runs")).trials) == 6
    done = recbench("plot", "runs", "-o", "speed.png", "--metrics", "ndcg@10", "--x-axis", "fit-seconds")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert "Drawn: speed.png" in done.stderr
    nothing = recbench("plot", "nowhere", "-o", "x.png")
    assert nothing.returncode == 4
    assert "There are no records 'nowhere'" in nothing.stderr


def test_only_some_models():
    sides = [a_set("a", some_trials("bpr"), some_trials("ncf")), a_set("b", some_trials("popularity"))]
    (left,) = of_models(sides, ["bpr"])
    assert {trial.record.model for trial in left.trials} == {"bpr"}
    with pytest.raises(RecbenchError, match="'bprr'. Did you mean: bpr"):
        of_models(sides, ["bprr"])
