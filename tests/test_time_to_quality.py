import pytest

from recbench.reports.run.summary import summarise
from recbench.reports.run.time_to_quality import time_to_quality
from recbench.trials.curve_epochs import CurveEpochs
from tests.examples import a_curve, a_record, stored


def test_the_first_point_that_is_good_enough_counts():
    records = [
        a_record("bpr", 0, curve=a_curve(0.2, 0.494, 0.51, 0.5)),
        a_record("bpr", 1, curve=a_curve(0.1, 0.2, 0.4)),
    ]
    [result] = time_to_quality(summarise(stored(*records), ()), [5, 10], 0.45)
    assert result.metric == "hr@10"
    assert result.to_final.values == pytest.approx((3.0, 3.0))
    assert result.to_target.values == pytest.approx((2.0,))
    assert (result.reached, result.seeds) == (1, 2)


def test_a_curve_that_was_lost_tells_nothing_but_why():
    record = a_record("bpr", 0, curve=a_curve(0.5), curve_error="after epoch 1: no")
    [result] = time_to_quality(summarise(stored(record), ()), [10], 0.1)
    assert (result.to_final, result.to_target, result.seeds) == (None, None, 0)
    assert result.errors == ("seed 0, curve: after epoch 1: no",)


def test_curves_with_other_cut_offs_have_no_time_to_quality():
    record = a_record("bpr", 0, curve=a_curve(0.2, 0.5))
    [result] = time_to_quality(summarise(stored(record), ()), [5], 0.1)
    assert (result.to_final, result.to_target, result.seeds) == (None, None, 0)


@pytest.mark.parametrize(
    ("text", "epochs"), [("all", [1, 2, 3, 4, 5, 6]), ("every:3", [3, 6]), ("2,5", [2, 5]), ("4", [4])]
)
def test_reading_epochs(text, epochs):
    chosen = CurveEpochs.parse(text)
    assert [epoch for epoch in range(1, 7) if epoch in chosen] == epochs


@pytest.mark.parametrize("text", ["", "none", "every", "every:", "every:0", "every:2,3", "0", "-1,2", "some:3", "1.5"])
def test_epochs_that_cannot_be_read(text):
    with pytest.raises(ValueError, match="is not all, every:N"):
        CurveEpochs.parse(text)
