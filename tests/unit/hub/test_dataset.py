"""Dataset versions: what is no table stops, what cannot be true is quarantined and counted."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fleetloop_hub.data import parquet, quarantine
from fleetloop_hub.data.frame import Frame
from fleetloop_hub.data.prepare import Refused
from fleetloop_hub.errors import DataError
from fleetloop_hub.records import Dataset
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.storage.blobs import FileBlobs
from support.learnable import (
    SPEC,
    WEATHER,
    from_csv,
    labelled,
    toy_csv,
    toy_dataset,
    toy_spec,
    weather_lines,
    with_samples,
)

GOOD = "1,2,3,1\n2,3,4,0\n"


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "blobs")


def rows_of(dataset: Dataset, blobs: FileBlobs) -> Frame:
    return parquet.read_frame(blobs.path(dataset.key), toy_spec())


def origins_of(dataset: Dataset, blobs: FileBlobs) -> list[tuple[str, str]]:
    table = pq.read_table(blobs.path(dataset.key), columns=["device", "origin"])
    return [(row["device"], row["origin"]) for row in table.to_pylist()]


def kept_out(dataset: Dataset, blobs: FileBlobs) -> list[Refused]:
    assert dataset.quarantine is not None
    return [row for part in quarantine.read(blobs.path(dataset.quarantine)) for row in part]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("t,a,y\n1,2,0\n", "column 'b' is missing; the header has t, a, y"),
        ("t,a,b,b,y\n", "column 'b' stands twice"),
        ("", "toy.csv is empty"),
        ("t,a,b,y\n", "there is a header and no row"),
        ("1,2,3,4\n5,6,7,8\n", "the first line holds numbers and no names"),
        ("t;a;b;y\n1;2;3;0\n", 'write delimiter = ";"'),
        ("t\ta\tb\ty\n1\t2\t3\t0\n", 'write delimiter = "\\t"'),
        ('"t,a,b,y\n1,2,3,0\n', "its first line is no header"),
        ("t,a,b,y\n1,999,3,0\n", "quarantined: {'a above 100': 1}"),
        ("t,a,b,y\n1,999,3,0\n", "toy.csv line 2: 1,999,3,0"),
        (",".join(f"c{k}" for k in range(10_000)) + "\n", "has 10,000 columns; 4,096 can be read"),
    ],
)
def test_file_that_is_no_table_is_refused_with_the_remedy(
    text: str, says: str, tmp_path: Path, blobs: FileBlobs
) -> None:
    with pytest.raises(DataError) as caught:
        toy_dataset(blobs, tmp_path, text)
    assert says in str(caught.value)
    assert not list((tmp_path / "blobs").rglob("*"))


def test_missing_file_and_bytes_that_are_no_text_are_refused(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    with pytest.raises(DataError, match=r"gone\.csv is not there; nothing was stored"):
        from_csv(toy_spec(), tmp_path / "gone.csv", blobs, 1.0)
    (tmp_path / "wide.csv").write_text(toy_csv(), "utf-16")
    with pytest.raises(DataError, match="UTF-16; save it as UTF-8"):
        from_csv(toy_spec(), tmp_path / "wide.csv", blobs, 1.0)
    (tmp_path / "binary.csv").write_bytes(b"t,a,\xff,b,y\n")
    with pytest.raises(DataError, match="line 1: the header is not UTF-8"):
        from_csv(toy_spec(), tmp_path / "binary.csv", blobs, 1.0)


@pytest.mark.parametrize(
    ("line", "reasons"),
    [
        ("3,101,1,0", ["a above 100"]),
        ("3,-101,1,0", ["a below -100"]),
        ("3,1,inf,0", ["b too large for float32"]),
        ("3,1,1e39,0", ["b too large for float32"]),
        ("3,1,1e999,0", ["b too large for float32"]),
        (",1,1,0", ["no t"]),
        ("nan,1,1,0", ["no t"]),
        ("later,1,1,0", ["t not a number, date or time"]),
        ("2024-13-01,1,1,0", ["t not a number, date or time"]),
        ("3,1,1,", ["no y"]),
        ("3,1,1,maybe", ["y not a whole number"]),
        ("3,1,1,0.5", ["y not a whole number"]),
        ("3,1,1,1e300", ["y not a whole number"]),
        ("3,warm,1,0", ["a not a number"]),
        ("3,1_0,1,0", ["a not a number"]),
        ("3,1", ["fewer fields than the header has"]),
        ("3,1,1,0,9", ["more fields than the header has"]),
        ('3,1,"1,0', ["a quote that is never closed"]),
        ('3,1,1" ,0', ["a stray quote"]),
        (",warm,1e39,x", ["t", "a", "b", "y"]),
    ],
)
def test_row_that_cannot_be_true_is_kept_with_its_place_text_and_reasons(
    line: str, reasons: list[str], tmp_path: Path, blobs: FileBlobs
) -> None:
    dataset = toy_dataset(blobs, tmp_path, f"t,a,b,y\n{GOOD}{line}\n9,1,1,1\n")
    assert (dataset.rows, dataset.quarantined_rows) == (3, 1)
    (row,) = kept_out(dataset, blobs)
    assert (row.source, row.origin, row.raw) == ("toy.csv", "4", line)
    if len(reasons) == 1:
        assert row.reasons == reasons
        assert dataset.quarantined == {reasons[0]: 1}
    else:
        assert {reason.removeprefix("no ")[0] for reason in row.reasons} == set(reasons)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_any_end_of_line_and_a_byte_order_mark_are_read(
    end: str, bom: str, tmp_path: Path, blobs: FileBlobs
) -> None:
    lines = ["t,a,b,y", "1,2,3,1", "", 'x,"2",3,1', "2,3,4,0"]
    (tmp_path / "toy.csv").write_bytes((bom + end.join(lines) + end).encode())
    dataset = from_csv(toy_spec(), tmp_path / "toy.csv", blobs, 1.0)
    assert (dataset.rows, dataset.quarantined_rows) == (2, 1)
    (row,) = kept_out(dataset, blobs)
    assert (row.origin, row.raw) == ("4", 'x,"2",3,1')


def test_missing_value_is_kept_as_missing_and_not_quarantined(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    dataset = toy_dataset(blobs, tmp_path, "t,a,b,y\n1,,3,1\n2,3,nan,0\n3,NA, ,0\n")
    values = rows_of(dataset, blobs).values
    np.testing.assert_array_equal(np.isnan(values), [[True, False], [False, True], [True, True]])
    assert dataset.quarantined == {}


def test_rows_are_in_time_order_and_dates_are_times(tmp_path: Path, blobs: FileBlobs) -> None:
    text = "t,a,b,y\n2024-03-02,2,0,1\n2024-03-01T12:00:00+01:00,1,0,0\n"
    rows = rows_of(toy_dataset(blobs, tmp_path, text), blobs)
    assert rows.values[:, 0].tolist() == [1.0, 2.0]
    assert rows.at.tolist() == [1_709_290_800.0, 1_709_337_600.0]
    assert rows.label_at.tolist() == rows.at.tolist()


def test_same_rows_are_the_same_version_and_another_row_is_another(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    first = toy_dataset(blobs, tmp_path)
    again = toy_dataset(FileBlobs(tmp_path / "other"), tmp_path)
    longer = toy_dataset(blobs, tmp_path, toy_csv() + "400,1,1,0\n")
    assert first.key == again.key != longer.key
    assert first.positives == toy_csv().count(",1\n")
    assert first.labels == {"0": 400 - first.positives, "1": first.positives}


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
    assert (grown.rows, grown.parent, grown.added) == (402, parent.key, 2)
    assert grown.source == "2 labelled rows from 2 devices, 400 rows of toy.csv"
    assert origins_of(grown, blobs)[-2:] == [("s-1", "p1"), ("s-2", "p2")]
    newest = rows_of(grown, blobs).take(slice(-2, None))
    assert np.isnan(newest.values[1, 1])
    assert newest.label_at.tolist() == [1e9 + 1.5, 1e9 + 2.5]


def test_a_prediction_is_added_once_also_over_several_versions(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    parent = toy_dataset(blobs, tmp_path)
    sample, twin = labelled("s-1", 1, [2.0, 5.0], 0), labelled("s-2", 1, [2.0, 5.0], 0)
    bad = labelled("s-1", 2, [500.0, 5.0], 0)
    once = with_samples(toy_spec(), parent, [sample, sample, bad], blobs, 2.0)
    assert (once.rows, once.quarantined_rows) == (401, 1)
    again = with_samples(toy_spec(), once, [sample, bad], blobs, 3.0)
    assert (again.rows, again.quarantined_rows) == (401, 1)
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
    spec = specs.parse(SPEC + '\n[retrain]\nwindow = "sliding"\nwindow_rows = 3\n')
    samples = [labelled("s", n, [500.0 if n == 2 else 1.0, 1.0], n % 2) for n in range(5)]
    grown = with_samples(spec, toy_dataset(blobs, tmp_path), samples, blobs, 2.0)
    assert grown.source == "3 labelled rows from 1 device"
    assert [origin for _, origin in origins_of(grown, blobs)] == ["p1", "p3", "p4"]
    assert grown.quarantined == {"a above 100": 1}


def test_version_of_other_features_is_refused_with_the_next_step(
    tmp_path: Path, blobs: FileBlobs
) -> None:
    parent = toy_dataset(blobs, tmp_path)
    other = specs.parse(SPEC.replace('name = "b"', 'name = "c"'))
    with pytest.raises(DataError, match="read the sources again"):
        with_samples(other, parent, [], blobs, 2.0)
    (tmp_path / "other").write_bytes(b"PAR1 or so")
    with pytest.raises(DataError, match="not a dataset version"):
        parquet.read_frame(tmp_path / "other", toy_spec())
