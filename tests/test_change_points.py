"""Change points in a series, and the steps of a history that follow from them."""

import itertools
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks import history_steps
from recbench.errors import NothingToCompareError
from recbench.evaluation import change_points
from recbench.evaluation.change_points import find_changes, segment_starts
from recbench.evaluation.metric_names import parse_measure
from recbench.output_files import OutputFile
from recbench.records.history import Accepted
from recbench.reports.plots.trend_plot import draw_trends
from recbench.reports.trend import trends
from recbench.reports.trend_steps import ASSUMED_SEED_SD, trend_steps

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_partition_is_that_of_ruptures_and_of_all_partitions():
    ruptures = pytest.importorskip("ruptures")
    rng = np.random.default_rng(1)
    for steps in ((), (12,), (9, 10, 25)):
        values = rng.normal(0, 1, 40) + sum(4 * (np.arange(40) >= step) for step in steps)
        *expected, _ = ruptures.Pelt(model="l2", min_size=1, jump=1).fit(values).predict(pen=8)
        assert segment_starts(values, np.ones(40), 8) == expected
    # ruptures has no weights.
    values, weights = rng.normal(0, 1, 9), rng.uniform(0.1, 10, 9)

    def cost(starts):
        bounds = [0, *starts, 9]
        segments = [(values[a:b], weights[a:b]) for a, b in itertools.pairwise(bounds)]
        return sum((w * (v - np.average(v, weights=w)) ** 2).sum() for v, w in segments) + 2 * len(starts)

    every = [combination for k in range(9) for combination in itertools.combinations(range(1, 9), k)]
    assert tuple(segment_starts(values, weights, 2)) == min(every, key=cost)


def test_a_change_has_the_size_and_interval_of_weighted_means():
    values = np.array([0.5, 0.5, 0.5, 0.4, 0.4])
    (change,) = find_changes(values, np.array([0.01, 0.01, 0.01, 0.01, 0.02]))
    error = math.sqrt(1 / 3e4 + 1 / (1e4 + 2500))
    assert (change.start, change.size) == (3, pytest.approx(-0.1))
    assert change.interval.low == pytest.approx(-0.1 - change_points.Z * error)
    # A point that is less certain is no change; without any noise, each difference is one.
    assert not find_changes(np.array([0.5, 0.5, 0.46]), np.array([0.01, 0.01, 0.03]))
    assert [change_point.start for change_point in find_changes(np.array([0.5, 0.5, 0.4999]), np.zeros(3))] == [2]
    assert not find_changes(np.array([0.5]), np.zeros(1))


def line(number, seed, hr, **changes):
    fields = {
        "accepted_at": START + timedelta(hours=number), "label": "", "task": "toy", "digest": "sha256:0",
        "model": "m", "parameters": "", "seed": seed, "hr": hr, "ndcg": hr / 2, "hr_interval": None,
        "interactions_per_second": None, "sha": f"{number:040x}", "is_run": True,
    }  # fmt: skip
    return Accepted(**{**fields, **changes})


def steps_of(values, **changes):
    """The commits before and after each step; a list of one value a seed for each commit."""
    lines = [line(n, seed, hr, **changes) for n, seeds in enumerate(values) for seed, hr in enumerate(seeds)]
    return [
        (int(step.before.sha, 16), int(step.after.sha, 16), round(step.size, 3))
        for trend in trends(lines, ["hr@10"])
        for step in trend_steps(trend, "hr@10")
    ]


def test_the_uncertainty_of_a_history_is_that_of_its_seeds():
    same, high, low = [0.603, 0.6, 0.597], [0.602, 0.6, 0.604], [0.580, 0.583, 0.578]
    assert steps_of([same, high, same, low, low, low]) == [(2, 3, -0.02)]
    # One training that many commits share is one measurement, not many.
    assert not steps_of([[0.6, 0.61]] * 50 + [[0.59, 0.60]] * 50)
    assert steps_of([[0.6, 0.61], [0.59, 0.62]] * 9 + [[0.57, 0.58], [0.56, 0.59]] * 9) == [(17, 18, -0.03)]
    # A model that does not vary at all.
    assert steps_of([[0.6, 0.6]] * 3 + [[0.599, 0.599]] * 2) == [(2, 3, -0.001)]
    # Of one seed, the gate's assumption holds, unless neighbours vary more.
    assert not steps_of([[0.6], [0.6 - 2 * ASSUMED_SEED_SD]])
    assert steps_of([[0.6], [0.6 - 6 * ASSUMED_SEED_SD]]) == [(0, 1, -0.018)]
    interval = {"hr_interval": (0.56, 0.64)}
    assert not steps_of([[0.6], [0.6 - 6 * ASSUMED_SEED_SD]], **interval)
    assert steps_of([[0.6], [0.54]], **interval)
    noisy = [[0.6], [0.63], [0.59], [0.62]] * 4
    assert not steps_of(noisy)
    # Uncommitted changes are no commits.
    assert not steps_of([[0.6]] * 3 + [[0.5]] * 3, is_dirty=True)


def test_configurations_and_renamed_models(tmp_path):
    small = [line(n, seed, 0.5, parameters="a") for n in range(4) for seed in (0, 1)]
    large = [line(n, seed, 0.6 - 0.1 * (n > 1), parameters="b") for n in range(4) for seed in (0, 1)]
    (trend,) = trends([*small, *large], ["hr@10"])
    (step,) = trend_steps(trend, "hr@10")
    assert (step.before.sha[-1], step.after.sha[-1], step.after.parameters) == ("1", "2", "b")
    # A sweep at one commit: other hyper-parameters are no step.
    swept = [line(n, seed, 0.6 - 0.1 * n, parameters="abc"[n], sha="f" * 40) for n in range(3) for seed in (0, 1)]
    assert not [step for trend in trends(swept, ["hr@10"]) for step in trend_steps(trend, "hr@10")]
    renamed = [
        line(n, seed, 0.6 - 0.1 * (n > 1), model="old" if n < 2 else "new", renamed_from="old" if n == 2 else None)
        for n in range(4)
        for seed in (0, 1)
    ]
    (trend,) = trends(renamed, ["hr@10"])
    (step,) = steps = trend_steps(trend, "hr@10")
    assert (trend.model, round(step.size, 3), step.before.sha[-1]) == ("new", -0.1, "1")
    pytest.importorskip("matplotlib")
    picture = draw_trends([trend], [steps], parse_measure("hr@10"), OutputFile(tmp_path / "history.svg"))
    assert "-0.100" in picture.read_text()


def steps_of_lines(lines, metrics=("hr@10",)):
    return [
        (step.after.label, round(step.size, 3))
        for trend in trends(sorted(lines, key=lambda line: line.accepted_at), metrics)
        for step in trend_steps(trend, "hr@10")
    ]


def alternating(apart, drop=0.0):
    """Two kinds of acceptances in turns; the first has the higher figures, and falls after half of its acceptances."""
    return [
        line(n, seed, (0.3 if n % 2 else 0.6 - drop * (n > 5)) + seed / 1000, **{"is_run": False, "label": "main"} | of)
        for n in range(10)
        for of in [apart[n % 2]]
        for seed in (0, 1)
    ]


def test_labels_are_series_of_their_own(tmp_path):
    full, quick = {"label": "full", "parameters": "a"}, {"label": "quick", "parameters": "b"}
    assert steps_of_lines(alternating([full, quick])) == []
    assert steps_of_lines(alternating([full, quick], drop=0.1)) == [("full", -0.1)]
    # A tracked run is no acceptance under any label.
    assert steps_of_lines(alternating([{"label": "run"}, {"is_run": True, "label": ""}])) == []
    # The hyper-parameters of a label were changed, and back.
    back = [line(n, seed, 0.6 - 0.1 * (n == 1), parameters="aba"[n], is_run=False) for n in range(3) for seed in (0, 1)]
    assert [size for _, size in steps_of_lines(back)] == [-0.1, 0.1]
    pytest.importorskip("matplotlib")
    (trend,) = trends(alternating([full, quick], drop=0.1), ["hr@10"])
    picture = draw_trends(
        [trend], [trend_steps(trend, "hr@10")], parse_measure("hr@10"), OutputFile(tmp_path / "history.svg")
    ).read_text()
    assert [text in picture for text in ("<!-- full -->", "<!-- quick -->", "<!-- -0.100 -->")] == [True] * 3


@pytest.mark.parametrize("apart", [{"threads": 2}, {"device": "gpu"}, {"reference": "other:Model"}])
def test_configurations_side_by_side_are_series_of_their_own(apart):
    lines = [
        line(n, seed, hr + seed / 1000, is_run=False, label="main", **of)
        for n in range(5)
        for of, hr in (({}, 0.6), (apart, 0.3))
        if n != 3 or of
        for seed in (0, 1)
    ]
    assert steps_of_lines(lines) == []


def test_the_shown_metrics_do_not_change_the_steps():
    # The same HR by chance, while NDCG moves: many measurements, whichever of the two is shown.
    every = [
        line(n, seed, (0.45 if n < 10 else 0.4465) + 0.0025 * (seed - 1), ndcg=0.2 + n / 1e4 + seed / 5000)
        for n in range(20)
        for seed in range(3)
    ]
    assert [steps_of_lines(every, metrics) for metrics in (["hr@10"], ["hr@10", "ndcg@10"])] == [[("run", -0.003)]] * 2
    # The width of the interval of HR@10 stands for the variation between seeds, also where HR@10 is not shown.
    wide = [line(n, 0, 0.6, ndcg=0.3 - 0.02 * (n > 0), hr_interval=(0.56, 0.64)) for n in range(2)]
    for metrics in (["ndcg@10"], ["ndcg@10", "hr@10"]):
        (trend,) = trends(wide, metrics)
        assert not trend_steps(trend, "ndcg@10")


def test_a_trend_without_the_metric_has_no_panel(tmp_path):
    pytest.importorskip("matplotlib")
    both = trends([line(0, 0, 0.6), line(0, 0, 0.5, model="lacks").model_copy(update={"hr": None})], ["hr@10"])
    picture = draw_trends(both, [[], []], parse_measure("hr@10"), OutputFile(tmp_path / "history.svg")).read_text()
    assert ("m on toy" in picture, "lacks on toy" in picture) == (True, False)
    with pytest.raises(NothingToCompareError, match=r"that is shown has HR@10"):
        draw_trends(both[1:], [[]], parse_measure("hr@10"), OutputFile(tmp_path / "none.svg"))


def test_planted_drops_of_a_simulated_repository_are_found():
    noises = history_steps.real_noise(Path(__file__).parent.parent / "results" / "baselines")
    assert noises
    scores = history_steps.scores(2, noises, 3, 0.5)
    assert [score.found for score in scores] == [3] * 2
    assert all(score.false <= 1 for score in scores)
