"""Dataset versions: what cannot be read stops, what cannot be true is quarantined and counted."""

import math
from pathlib import Path

import pytest

from fleetloop_hub.data import parquet
from fleetloop_hub.data.dataset import from_csv, with_samples
from fleetloop_hub.data.row import Row
from fleetloop_hub.errors import DataError
from fleetloop_hub.records import Dataset
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.storage.blobs import FileBlobs
from support.learnable import (
    SPEC,
    WEATHER,
    labelled,
    toy_csv,
    toy_dataset,
    toy_spec,
    weather_lines,
)

GOOD = "1,2,3,1\n2,3,4,0\n"


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "blobs")


def rows_of(dataset: Dataset, blobs: FileBlobs) -> list[Row]:
    return parquet.decode(blobs.get(dataset.key), ["a", "b"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("t,a,y\n1,2,0\n", "column 'b' is missing; the header has t, a, y"),
        ("t,a,b,b,y\n", "column 'b' stands twice"),
        ("", "column 't' is missing; the header has nothing"),
        ("t,a,b,y\n1,2,3,0\n2,warm,3,1\n", "line 3, column 'a': 'warm' is not a number"),
        ("t,a,b,y\n1,1_0,3,0\n", "line 2, column 'a': '1_0' is not a number"),
        ("t,a,b,y\nlater,1,3,0\n", "line 2, column 't': 'later' is not a number"),
        ("t,a,b,y\n1,2,3\n", "line 2: 3 fields where the header has 4"),
        ('t,a,b,y\n1,"2,3,0\n', "unexpected end of data"),
        ("t,a,b,y\n", "no row is left to train on"),
        ("t,a,b,y\n1,999,3,0\n", "quarantined: {'a above 100': 1}"),
    ],
)
def test_file_that_cannot_be_used_is_refused_with_place_and_reason(
    text: str, says: str, tmp_path: Path, blobs: FileBlobs
) -> None:
    with pytest.raises(DataError) as caught:
        toy_dataset(blobs, tmp_path, text)
    assert says in str(caught.value)


def test_missing_file_and_bytes_that_are_no_text_are_refused(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    with pytest.raises(DataError, match="No such file"):
        from_csv(toy_spec(), tmp_path / "gone.csv", blobs, 1.0)
    (tmp_path / "binary.csv").write_bytes(b"t,a,b,y\n\xff\xfe")
    with pytest.raises(DataError, match="UTF-8"):
        from_csv(toy_spec(), tmp_path / "binary.csv", blobs, 1.0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("3,101,1,0", "a above 100"),
        ("3,-101,1,0", "a below -100"),
        ("3,1,inf,0", "b too large for float32"),
        ("3,1,1e39,0", "b too large for float32"),
        (",1,1,0", "no t"),
        ("nan,1,1,0", "no t"),
        ("3,1,1,", "no y"),
        ("3,1,1,maybe", "y not a whole number"),
        ("3,1,1,0.5", "y not a whole number"),
        ("3,1,1,1e300", "y not a whole number"),
    ],
)
def test_row_that_cannot_be_true_is_quarantined_counted_and_kept(
    line: str, reason: str, tmp_path: Path, blobs: FileBlobs
) -> None:
    dataset = toy_dataset(blobs, tmp_path, f"t,a,b,y\n{GOOD}{line}\n")
    assert (dataset.rows, dataset.quarantined) == (2, {reason: 1})
    kept = [row for row in rows_of(dataset, blobs) if row.fault]
    assert [(row.fault, row.origin) for row in kept] == [(reason, "4")]


def test_missing_value_is_kept_as_missing_and_not_quarantined(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    dataset = toy_dataset(blobs, tmp_path, "t,a,b,y\n1,,3,1\n2,3,nan,0\n")
    first, second = rows_of(dataset, blobs)
    assert math.isnan(first.values[0])
    assert math.isnan(second.values[1])
    assert dataset.quarantined == {}


def test_rows_are_in_time_order_and_dates_are_times(tmp_path: Path, blobs: FileBlobs) -> None:
    text = "t,a,b,y\n2024-03-02,2,0,1\n2024-03-01T12:00:00+01:00,1,0,0\n"
    rows = rows_of(toy_dataset(blobs, tmp_path, text), blobs)
    assert [row.values[0] for row in rows] == [1.0, 2.0]
    assert rows[0].at == 1_709_290_800.0


def test_same_rows_are_the_same_version_and_another_row_is_another(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    first = toy_dataset(blobs, tmp_path)
    again = toy_dataset(FileBlobs(tmp_path / "other"), tmp_path)
    longer = toy_dataset(blobs, tmp_path, toy_csv() + "400,1,1,0\n")
    assert first.key == again.key != longer.key
    assert first.positives == toy_csv().count(",1\n")


def test_two_models_never_share_a_version(tmp_path: Path, blobs: FileBlobs) -> None:
    mine = toy_dataset(blobs, tmp_path)
    other = specs.parse(SPEC.replace('name = "toy"', 'name = "tin"'))
    assert from_csv(other, tmp_path / "toy.csv", blobs, 1.0).key != mine.key


def test_the_weather_s_measuring_errors_are_quarantined(tmp_path: Path, blobs: FileBlobs) -> None:
    spec, _ = specs.load(WEATHER / "rain.toml")
    dataset = from_csv(spec, WEATHER / "noaa_weather.csv", blobs, 1.0)
    assert dataset.quarantined == {"sea_level_pressure_hpa above 1090": 2}
    assert dataset.rows + 2 == len(weather_lines()[1])


def test_samples_grow_a_version_with_their_origin_and_parent(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    parent = toy_dataset(blobs, tmp_path)
    samples = [labelled("s-2", 2, [1.0, None], 1), labelled("s-1", 1, [2.0, 5.0], 0)]
    grown = with_samples(toy_spec(), parent, samples, blobs, 2.0)
    assert (grown.rows, grown.parent) == (402, parent.key)
    assert grown.source == "2 labelled rows from 2 devices, 400 rows of toy.csv"
    newest = rows_of(grown, blobs)[-2:]
    assert [(row.device, row.origin) for row in newest] == [("s-1", "p1"), ("s-2", "p2")]
    assert math.isnan(newest[1].values[1])


def test_a_prediction_is_added_once_also_over_several_versions(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    parent = toy_dataset(blobs, tmp_path)
    sample, twin = labelled("s-1", 1, [2.0, 5.0], 0), labelled("s-2", 1, [2.0, 5.0], 0)
    once = with_samples(toy_spec(), parent, [sample, sample], blobs, 2.0)
    assert once.rows == 401
    assert with_samples(toy_spec(), once, [sample], blobs, 3.0).rows == 401
    assert with_samples(toy_spec(), once, [twin], blobs, 3.0).rows == 402


@pytest.mark.parametrize(
    ("values", "label", "reason"),
    [
        ([1.0], 0, "not 2 values"),
        ([500.0, 1.0], 0, "a above 100"),
        ([1.0, 1.0], 7, "y never seen before"),
    ],
)
def test_sample_that_cannot_be_true_is_quarantined(
    values: list[float | None], label: int, reason: str, tmp_path: Path, blobs: FileBlobs
) -> None:
    parent = toy_dataset(blobs, tmp_path)
    grown = with_samples(toy_spec(), parent, [labelled("s", 1, values, label)], blobs, 2.0)
    assert (grown.rows, grown.quarantined) == (400, {reason: 1})


def test_recent_window_keeps_the_newest_usable_rows(tmp_path: Path, blobs: FileBlobs) -> None:
    spec = specs.parse(SPEC + '\n[retrain]\nwindow = "recent"\nwindow_rows = 3\n')
    samples = [labelled("s", n, [500.0 if n == 2 else 1.0, 1.0], n % 2) for n in range(5)]
    grown = with_samples(spec, toy_dataset(blobs, tmp_path), samples, blobs, 2.0)
    assert grown.source == "3 labelled rows from 1 device"
    assert [row.origin for row in rows_of(grown, blobs)] == ["p1", "p2", "p3", "p4"]
    assert grown.quarantined == {"a above 100": 1}


def test_version_of_other_features_is_refused_with_the_next_step(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    parent = toy_dataset(blobs, tmp_path)
    other = specs.parse(SPEC.replace('name = "b"', 'name = "c"'))
    with pytest.raises(DataError, match="read the source again"):
        with_samples(other, parent, [], blobs, 2.0)
    with pytest.raises(DataError, match="not a dataset version"):
        parquet.decode(b"PAR1 or so", ["a"])
