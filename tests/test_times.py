"""Times: what they count is decided by the whole column, and nothing is read as another date silently."""

import datetime as dt
import logging

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from recbench.data.readers.dataframes import read_frame
from recbench.data.readers.layout import Layout
from recbench.data.readers.ratings_files import read_interactions
from recbench.data.time_column import check_time_form
from recbench.data.times import Unit
from recbench.errors import RecbenchError
from recbench.tasks.make import make_task

START = 1_400_000_000


def read(tmp_path, times, **layout):
    path = tmp_path / "r.csv"
    path.write_text("user,item,timestamp\n" + "".join(f'1,{i},"{text}"\n' for i, text in enumerate(times)))
    return read_interactions(path, Layout(**layout))


def moments(n=40):
    """Returns n times, some of them of the 13th day of a month or later."""
    return [dt.datetime.fromtimestamp(START + 86_399 * i, dt.UTC) for i in range(n)]


FORMS = {
    "compact": "%Y%m%d%H%M%S",
    "bigquery": "%Y-%m-%d %H:%M:%S UTC",
    "offset": "%Y-%m-%dT%H:%M:%S+00:00",
    "day first with points": "%d.%m.%Y %H:%M:%S",
    "day first": "%d/%m/%Y %H:%M:%S",
    "month first": "%m/%d/%Y %I:%M:%S %p",
    "rfc 2822": "%a, %d %b %Y %H:%M:%S GMT",
    "twitter": "%a %b %d %H:%M:%S +0000 %Y",
    "date": "%a %b %d %H:%M:%S UTC %Y",
    "web server": "%d/%b/%Y:%H:%M:%S +0000",
    "seconds": "%s",
}


@pytest.mark.parametrize("pattern", FORMS.values(), ids=FORMS)
def test_a_form_is_recognised_and_a_pattern_names_it(tmp_path, pattern):
    times = moments()
    texts = [str(int(t.timestamp())) if pattern == "%s" else t.strftime(pattern) for t in times]
    expected = [int(t.timestamp()) for t in times]
    interactions = read(tmp_path, texts)
    assert (interactions.timestamps.tolist(), interactions.time_unit) == (expected, Unit.SECONDS)
    frame = read_frame(pd.DataFrame({"user": 1, "item": range(len(texts)), "timestamp": texts}), "frame")
    assert frame.timestamps.tolist() == expected
    named = pattern.replace("GMT", "%Z").replace("UTC", "%Z").replace("+0000", "%z").replace("+00:00", "%z")
    form = {"%s": "seconds"}.get(named, named)
    if "%Z" not in form:
        assert read(tmp_path, texts, timestamp_format=form).timestamps.tolist() == expected


def test_fractions_zones_and_units(tmp_path):
    cases = {
        ("1400000000.25", "1400000001"): ([1400000000250, 1400000001000], Unit.MILLISECONDS),
        ("1400000000.0", "1.400000001e9"): ([START, START + 1], Unit.SECONDS),
        ("1400000000.123456", "1400000001"): ([1400000000123456, 1400000001000000], Unit.MICROSECONDS),
        ("1400000000000.5", "1400000000001"): ([1400000000000500, 1400000000001000], Unit.MICROSECONDS),
        ("2014-05-13T18:53:20.5+02:00", "2014-05-13 16:53:21"): ([1400000000500000, 1400000001000000], "microseconds"),
        ("20140513", "20140514"): ([1399939200, 1400025600], Unit.SECONDS),
        ("2014051316", "201405131653"): ([1399996800, 1399999980], Unit.SECONDS),
        ("20140513165320250", "20140513165320000"): ([1400000000250000, 1400000000000000], Unit.MICROSECONDS),
        ("1400000000123456789", "1400000000123456788"): ([1400000000123456789, 1400000000123456788], Unit.NANOSECONDS),
        ("0", "1400000000000"): ([0, 1400000000000], Unit.MILLISECONDS),
        ("3", "1"): ([3, 1], Unit.ORDER),
    }
    for texts, (values, unit) in cases.items():
        interactions = read(tmp_path, texts)
        assert (interactions.timestamps.tolist(), interactions.time_unit) == (values, unit), texts
        as_numbers = pd.DataFrame({"user": 1, "item": [0, 1], "timestamp": pd.Series(texts)})
        if not any("-" in text for text in texts):
            as_numbers["timestamp"] = pd.to_numeric(as_numbers["timestamp"])
        assert read_frame(as_numbers, "frame").timestamps.tolist() == values, texts
    assert read(tmp_path, ["20140513", "20140514"], timestamp_format="order").time_unit is Unit.ORDER
    assert read(tmp_path, ["1000", "2000"], timestamp_format="milliseconds").time_unit is Unit.MILLISECONDS


REFUSED = {
    "a row in another unit": (["1400000000000"] * 3 + ["1400000000"], "line 5: the timestamp is '1400000000'"),
    "a compact date that does not exist": (["20140513"] * 3 + ["20140231"], "line 5: the timestamp is '20140231'"),
    "a year among dates": (["2014-05-13"] * 3 + ["2014"], "line 5"),
    "a date among numbers": (["1400000000"] * 3 + ["2014-05-13"], "a number, as others"),
    "days and months in either order": (["03/04/2014", "05/06/2014"], "may be read as"),
    "far in the future": (["9400000000", "9400000001"], "end in 2267-11-16"),
    "a fraction of an order": (["1.5", "2"], "only times that count from 1970"),
    "a zone of many meanings": (["2014-05-13 16:53:20 EST"] * 2, "not a date"),
}


@pytest.mark.parametrize(("texts", "message"), REFUSED.values(), ids=REFUSED)
def test_what_could_be_misread_is_refused_with_the_reason(tmp_path, texts, message):
    with pytest.raises(RecbenchError) as caught:
        read(tmp_path, texts)
    assert message in caught.value.message
    assert "--timestamp-format" in caught.value.hint


def frame_of(times):
    return pd.DataFrame({"user": 1, "item": range(len(times)), "timestamp": times})


def refusal(times, **layout):
    with pytest.raises(RecbenchError) as caught:
        read_frame(frame_of(times), "frame", Layout(**layout))
    return str(caught.value)


@pytest.mark.parametrize("form", [None, "seconds"])
def test_floats_that_several_times_may_have_become_are_refused(tmp_path, form):
    for dtype, times in (
        ("float32", [START, START + 1, START + 100]),
        ("float64", [START * 10**9 + 1, START * 10**9 + 100, START * 10**9]),
        ("Float32", [3, START]),
        ("float16", [2**11, 3]),
    ):
        column = pd.Series(times).astype(dtype)
        message = refusal(column, timestamp_format=form)
        assert f"not an exact time: {column.dtype.name.lower()} holds every whole number only up to" in message
        frame_of(column).to_parquet(tmp_path / "r.parquet")
        with pytest.raises(RecbenchError, match="not an exact time"):
            read_interactions(tmp_path / "r.parquet", Layout(timestamp_format=form))
    exact = frame_of(pd.Series([2**24 - 1, 5], dtype="float32"))
    assert read_frame(exact, "frame").timestamps.tolist() == [2**24 - 1, 5]
    mixed = pd.Series([np.float32(START), START], dtype=object)
    assert "not an exact time: float32" in refusal(mixed)
    rows = pd.Series([np.float32(START)] * 2 + [np.float32(7)], dtype="float32")
    frame_of(rows).to_parquet(tmp_path / "r.parquet")
    skipped = read_interactions(tmp_path / "r.parquet", Layout(skip_bad_rows=True))
    assert (skipped.timestamps.tolist(), skipped.reading.n_skipped) == ([7], 2)


SMALLEST, LARGEST = -(2**63) + 1, 2**63 - 1
FAR = {
    "microseconds before all dates": (pa.timestamp("us"), SMALLEST, "not a time from 1970 on"),
    "milliseconds before all dates": (pa.timestamp("ms"), SMALLEST, "64-bit number of microseconds"),
    "milliseconds after all dates": (pa.timestamp("ms"), LARGEST, "64-bit number of microseconds"),
    "milliseconds in a zone": (pa.timestamp("ms", "Asia/Tokyo"), LARGEST, "64-bit number of microseconds"),
    "nanoseconds before 1970": (pa.timestamp("ns"), SMALLEST, "not a time from 1970 on"),
    "days before all dates": (pa.date32(), -(2**31) + 1, "64-bit number of microseconds"),
    "days after all dates": (pa.date32(), 2**31 - 1, "64-bit number of microseconds"),
}


@pytest.mark.parametrize(("kind", "value", "message"), FAR.values(), ids=FAR)
def test_dates_that_python_cannot_hold_are_refused_with_their_number(tmp_path, kind, value, message):
    path = tmp_path / "r.parquet"
    usual = pa.array([START], pa.timestamp("s")).cast(kind if pa.types.is_date(kind) else pa.timestamp(kind.unit))
    times = pa.concat_arrays([usual.cast(kind), pa.array([value], kind), usual.cast(kind)])
    pa.parquet.write_table(pa.table({"user": [1, 1, 1], "item": [1, 2, 3], "time": times}), path)
    with pytest.raises(RecbenchError, match=r"row 2: the timestamp is '[-:. 0-9]+', not") as caught:
        read_interactions(path)
    assert message in caught.value.message
    kept = read_interactions(path, Layout(skip_bad_rows=True))
    day = START - START % 86_400
    assert set(kept.timestamps.tolist()) <= {START, day, START * 10**9}
    assert list(kept.item_ids) == ["1", "3"]
    # As ids and as ratings too.
    pa.parquet.write_table(pa.table({"user": times, "item": [1, 2, 3]}), path)
    assert len(read_interactions(path).user_ids) == 2
    pa.parquet.write_table(pa.table({"user": [1, 1, 1], "item": [1, 2, 3], "rating": times}), path)
    with pytest.raises(RecbenchError, match="the rating is .*, not a number"):
        read_interactions(path)


def test_dates_of_frames_that_python_cannot_hold():
    far = np.array(["2014-01-01", "300000-01-01"], dtype="datetime64[s]")
    assert "row 1 (counted from 0): the timestamp is '9404918380800'" in refusal(far)


def test_numbers_with_the_year_at_the_end_are_dates(tmp_path):
    for pattern, texts in (
        ("%d%m%Y", ["31122024", "1012024", "15012023"]),
        ("%m%d%Y", ["12312024", "1012024", "01152023"]),
    ):
        with pytest.raises(RecbenchError, match=f"look like dates of the form {pattern}") as caught:
            read(tmp_path, texts)
        assert f'--timestamp-format "{pattern}"' in caught.value.hint
        assert '--timestamp-format "order"' in caught.value.hint
        expected = [
            dt.datetime(*day, tzinfo=dt.UTC).timestamp() for day in ((2024, 12, 31), (2024, 1, 1), (2023, 1, 15))
        ]
        assert read(tmp_path, texts, timestamp_format=pattern).timestamps.tolist() == expected
        numbers = frame_of([int(text) for text in texts])
        assert read_frame(numbers, "frame", Layout(timestamp_format=pattern)).timestamps.tolist() == expected
        assert read(tmp_path, texts, timestamp_format="order").time_unit is Unit.ORDER
    assert read(tmp_path, ["31122024", "1"]).time_unit is Unit.ORDER


def test_a_format_for_a_column_of_dates_is_refused():
    dates = pd.to_datetime(["2014-05-13", "2014-05-14"])
    for form in ("order", "seconds", "%Y"):
        assert f"the format {form!r} is set.\nLeave out the format" in refusal(dates, timestamp_format=form)


def test_a_format_that_is_no_text_is_refused():
    for form in (5, ["%Y"], b"%Y"):
        with pytest.raises(RecbenchError, match="it has the type"):
            make_task(frame_of(["2014"]), timestamp_format=form)


def test_objects_of_several_types_are_times_of_their_own_form():
    day, moment = dt.date(2014, 5, 13), dt.datetime(2014, 5, 13, 16, 53, 20)
    for times in ([pd.Timestamp(START, unit="s"), START], [START, pd.Timestamp(START, unit="s")]):
        assert "the timestamp is" in refusal(pd.Series(times, dtype=object))
    for times in ([day, moment], [moment, day]):
        values = read_frame(frame_of(pd.Series(times, dtype=object)), "frame").timestamps.tolist()
        assert sorted(values) == [START - START % 86_400, START]
    for categories in (pd.PeriodIndex([moment], freq="s"), pd.Index([moment], dtype=object)):
        times = pd.Series(pd.Categorical(categories, categories=categories))
        assert read_frame(frame_of(times), "frame").timestamps.tolist() == [START]


def test_ambiguous_dates_can_be_named(tmp_path):
    days, months = (read(tmp_path, ["03/04/2014"], timestamp_format=form) for form in ("%d/%m/%Y", "%m/%d/%Y"))
    assert days.timestamps.tolist() == [1396483200]
    assert months.timestamps.tolist() == [1393977600 - 86400]
    for wrong in ("dd.mm.yyyy", "%d.%m", "%Q %Y", "second"):
        with pytest.raises(ValueError, match="neither|no year|no directive"):
            check_time_form(wrong)


def test_skipped_rows_and_unlikely_times_are_told(tmp_path, caplog):
    texts = ["1400000000000"] * 3 + ["1400000000", "0", "2500000000000"]
    interactions = read(tmp_path, texts, skip_bad_rows=True)
    assert interactions.items.tolist() == [0, 1, 2, 3, 4]
    assert list(interactions.item_ids) == ["0", "1", "2", "4", "5"]
    assert interactions.timestamps.tolist() == [1400000000000] * 3 + [0, 2500000000000]
    assert "1 of 5 rows are before 1971; the first of them is 1970-01-01" in caplog.text
    assert "1 of 5 rows are in the future; the first of them is 2049-03-22" in caplog.text


def test_the_first_batch_does_not_decide(tmp_path, monkeypatch):
    monkeypatch.setattr("recbench.data.readers.opening.BLOCK", 256)
    whole = [str(START + i) for i in range(60)]
    interactions = read(tmp_path, [*whole, "1400000000.5"])
    assert interactions.timestamps[[0, 60]].tolist() == [1400000000000, 1400000000500]
    dates = [t.strftime("%m/%d/%Y") for t in moments(60)]
    assert np.array_equal(read(tmp_path, ["05/06/2014"] * 60 + dates).timestamps[60:], read(tmp_path, dates).timestamps)


def test_a_column_of_times_that_is_passed_over_is_told(tmp_path, caplog):
    path = tmp_path / "r.csv"
    for name, expects_hint in (
        ("event_time", True),
        ("created_at", True),
        ("Update", False),
        ("Order date", True),
        ("status", False),
        ("rate", False),
    ):
        path.write_text(f"user,item,{name}\nu,i,1400000000\n")
        caplog.clear()
        assert read_interactions(path).timestamps is None
        assert (f"{name!r} may hold them: name it with --timestamp-column" in caplog.text) == expects_hint
        assert read_interactions(path, Layout(timestamp=name)).timestamps.tolist() == [1_400_000_000]
    caplog.clear()
    read_interactions(path, Layout(timestamp=""))
    # What was recognised is information, which another test may have turned on.
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
