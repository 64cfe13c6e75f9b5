"""What the spec says of a feature is done to its values, from a source and from a device alike."""

from pathlib import Path

import numpy as np
import pytest

from fleetloop_hub.data import parquet
from fleetloop_hub.data.frame import Frame
from fleetloop_hub.spec.model_spec import ModelSpec
from support.learnable import from_csv, labelled, with_samples
from support.tables_in import Shelf, spec_of, write_parquet

HEAD = '[rows]\ntime = "t"\n[label]\ncolumn = "y"\n'
TAIL = '[[candidates]]\nname = "line"\nfamily = "linear"\n'


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def spec_with(feature: str, more: str = "") -> ModelSpec:
    return spec_of('csv = "toy.csv"', f'{HEAD}[[features]]\nname = "a"\n{feature}\n{more}{TAIL}')


def frame_of(shelf: Shelf, spec: ModelSpec, values: list[str]) -> Frame:
    lines = [f"{n},{value},{n % 2}" for n, value in enumerate(values)]
    (shelf.folder / "toy.csv").write_text("\n".join(["t,a,y", *lines]) + "\n", "utf-8")
    made = shelf.add(spec)
    assert made is not None
    return parquet.read_frame(shelf.blobs.path(made.key), spec)


@pytest.mark.parametrize(
    ("feature", "values", "kept"),
    [
        ("scale = 2.0\noffset = 1.0\nlow = 0.0\nhigh = 9.0", ["4", "5", "-1", ""], [9, np.nan]),
        ('low = 0.0\nhigh = 9.0\noutside = "clip"', ["4", "10", "-inf", ""], [4, 9, 0, np.nan]),
        ('low = 0.0\noutside = "missing"', ["4", "inf", "-1"], [4, np.nan]),
        ('high = 9.0\noutside = "missing"', ["4", "10"], [4, np.nan]),
        ('missing = "quarantine"', ["4", "", "nan", "NULL"], [4]),
        ("", ["1e38", "4e38", "-4e38", "0.1"], [1e38, 0.1]),
    ],
)
def test_numbers(shelf: Shelf, feature: str, values: list[str], kept: list[float]) -> None:
    found = frame_of(shelf, spec_with(feature), values).values[:, 0]
    np.testing.assert_array_equal(found, np.array(kept, np.float32))


@pytest.mark.parametrize(
    ("feature", "values", "kept"),
    [
        (
            'categories = ["x", "1"]',
            ["x", " 1 ", "1.0", "01", "", "z", "nan"],
            [0, 1, 1, 1, np.nan, -1, -1],
        ),
        ('categories = ["x"]\nunseen = "quarantine"', ["x", "", "z"], [0, np.nan]),
        ('categories = ["x"]\nmissing = "quarantine"', ["x", "", "z"], [0, -1]),
        ('categories = ["1.50", "x"]', ["1.5", "1.50"], [-1, 0]),
    ],
)
def test_categories(shelf: Shelf, feature: str, values: list[str], kept: list[float]) -> None:
    spec = spec_with(f'kind = "category"\n{feature}')
    found = frame_of(shelf, spec, values).values[:, 0]
    np.testing.assert_array_equal(found, np.array(kept, np.float32))


def test_a_number_in_parquet_is_the_category_of_its_text(shelf: Shelf) -> None:
    columns = f'{HEAD}[[features]]\nname = "a"\nkind = "category"\ncategories = ["2", "1"]\n{TAIL}'
    spec = spec_of('parquet = "toy.parquet"', columns)
    expected = ([1, 0, -1], [1, 0, np.nan])
    held: list[list[float | None]] = [[1, 2, 3], [1.0, 2.0, None]]
    for values, places in zip(held, expected, strict=True):
        rows = [{"t": n, "a": value, "y": n % 2} for n, value in enumerate(values)]
        write_parquet(shelf.folder / "toy.parquet", rows)
        made = shelf.add(spec)
        assert made is not None
        found = shelf.table(made).column("x.a").to_numpy()
        np.testing.assert_array_equal(found, places)


def test_classes_are_their_numbers_or_their_places(shelf: Shelf) -> None:
    label = '[label]\ncolumn = "y"\npositive = "rain"\nclasses = ["dry", "rain"]\n'
    text = f'[rows]\ntime = "t"\n{label}[[features]]\nname = "a"\n{TAIL}'
    spec = spec_of('csv = "toy.csv"', text)
    (shelf.folder / "toy.csv").write_text("t,a,y\n1,1,rain\n2,1,dry\n3,1,snow\n4,1,\n", "utf-8")
    made = shelf.add(spec)
    assert made is not None
    assert shelf.table(made).column("label").to_pylist() == [1, 0]
    assert (made.labels, made.positives) == ({"0": 1, "1": 1}, 1)
    assert made.quarantined == {"no y": 1, "y is none of label.classes": 1}


def test_a_regression_takes_any_finite_number(shelf: Shelf) -> None:
    spec = spec_of(
        'csv = "toy.csv"',
        f'{HEAD}[[features]]\nname = "a"\n[gates]\nmetric = "r2"\n{TAIL}',
        task="regression",
    )
    (shelf.folder / "toy.csv").write_text(
        "t,a,y\n1,1,0.5\n2,1,-3e9\n3,1,inf\n4,1,x\n5,1,\n", "utf-8"
    )
    made = shelf.add(spec)
    assert made is not None
    assert shelf.table(made).column("label").to_pylist() == [0.5, -3e9]
    assert made.quarantined == {"no y": 1, "y not a finite number": 2}


def test_columns_that_part_rows_are_kept_as_text(shelf: Shelf) -> None:
    more = '[[slices]]\ncolumn = "a"\n[[slices]]\ncolumn = "t"\n'
    frame = frame_of(shelf, spec_with("", more), ["1.50", " 2 ", ""])
    assert {name: column.tolist() for name, column in frame.groups.items()} == {
        "a": ["1.50", "2", ""],
        "t": ["0", "1", "2"],
    }


def test_without_a_time_the_order_of_the_source_is_time(shelf: Shelf) -> None:
    text = f'[label]\ncolumn = "y"\n[[features]]\nname = "a"\n{TAIL}'
    spec = spec_of('csv = "toy.csv"', text)
    path = shelf.folder / "toy.csv"
    path.write_text("a,y\n3,1\nx,0\n1,0\n", "utf-8")
    shelf.add(spec)
    with path.open("a", encoding="utf-8") as file:
        file.write("9,1\n7,0\n")
    made = shelf.add(spec)
    assert made is not None
    table = shelf.table(made)
    assert table.column("at").to_pylist() == [0, 2, 3, 4]
    assert table.column("x.a").to_pylist() == [3, 1, 9, 7]


def test_what_devices_send_is_in_the_spec_s_units_already(shelf: Shelf) -> None:
    more = '[[features]]\nname = "b"\nkind = "category"\ncategories = ["u", "v"]\n'
    more += '[[slices]]\ncolumn = "a"\n[[slices]]\ncolumn = "b"\n[[slices]]\ncolumn = "t"\n'
    spec = spec_with('scale = 10.0\noffset = 5.0\nhigh = 100.0\noutside = "clip"', more)
    (shelf.folder / "toy.csv").write_text("t,a,b,y\n1,1,u,0\n2,2,v,1\n", "utf-8")
    parent = from_csv(spec, shelf.folder / "toy.csv", shelf.blobs, 1.0)
    sent = [labelled("s", 1, [25.0, 1.0], 1), labelled("s", 2, [999.0, -1.0], 0)]
    grown = with_samples(spec, parent, sent, shelf.blobs, 2.0)
    frame = parquet.read_frame(shelf.blobs.path(grown.key), spec)
    assert frame.values.tolist() == [[15, 0], [25, 1], [25, 1], [100, -1]]
    assert frame.groups["a"].tolist() == ["1", "2", "2", "9.5"]
    assert frame.groups["b"].tolist() == ["u", "v", "v", ""]
    assert frame.groups["t"].tolist() == ["1", "2", "", ""]
