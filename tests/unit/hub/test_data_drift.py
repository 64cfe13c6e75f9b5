"""New rows against those of before, and one version against another."""

from pathlib import Path

import numpy as np
import pytest

from fleetloop_hub.data import compare
from fleetloop_hub.data.difference import Difference, Pair
from fleetloop_hub.errors import DataError
from fleetloop_hub.records import Dataset
from support.tables_in import Row, Shelf, rows_up_to, spec_of, write_csv

SPEC = spec_of(
    'csv = "toy.csv"',
    """
[rows]
time = "t"
[label]
column = "y"
[[features]]
name = "a"
unit = "°C"
[[features]]
name = "b"
high = 100.0
[[candidates]]
name = "line"
family = "linear"
""",
)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def rows(count: int, first: int = 0, shift: float = 0.0) -> list[Row]:
    dice = np.random.default_rng(first)
    return [
        {
            "t": first + n,
            "a": f"{dice.normal(20 + shift, 2):.3f}",
            "b": f"{dice.normal():.3f}",
            "y": n % 2,
        }
        for n in range(count)
    ]


def test_a_column_that_has_moved_is_told_in_its_unit_before_training(shelf: Shelf) -> None:
    before = rows(1_000)
    write_csv(shelf.folder / "toy.csv", before)
    first = shelf.add(SPEC)
    same = [*before, *rows(1_000, 1_000)]
    write_csv(shelf.folder / "toy.csv", same)
    second = shelf.add(SPEC)
    write_csv(shelf.folder / "toy.csv", [*same, *rows(500, 2_000, shift=4)])
    third = shelf.add(SPEC)
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.drift == []
    assert max(shift.psi for shift in second.drift) < 0.1
    moved, *others = third.drift
    assert (moved.column, moved.unit) == ("a", "°C")
    assert moved.shift == pytest.approx(4, abs=0.3)
    assert moved.shift_sd == pytest.approx(2, abs=0.2)
    assert moved.psi > 0.25
    assert moved.anderson_darling > 100
    assert {shift.column for shift in others} == {"b", "y"}
    assert max(shift.psi for shift in others) < 0.1


def test_a_value_that_is_missing_more_often_is_drift_too(shelf: Shelf) -> None:
    write_csv(shelf.folder / "toy.csv", rows(500))
    shelf.add(SPEC)
    write_csv(shelf.folder / "toy.csv", [*rows(500), *[{**r, "b": None} for r in rows(100, 500)]])
    made = shelf.add(SPEC)
    assert made is not None
    assert (made.drift[0].column, made.drift[0].missing_before, made.drift[0].missing_now) == (
        "b",
        0.0,
        1.0,
    )


def content(shelf: Shelf, a: Dataset | None, b: Dataset | None) -> Difference:
    assert a is not None
    assert b is not None
    return compare.compare((a, shelf.blobs.path(a.key)), (b, shelf.blobs.path(b.key)))


def test_two_versions_differ_by_rows_columns_labels_and_what_was_kept_out(shelf: Shelf) -> None:
    old = rows(300)
    write_csv(shelf.folder / "toy.csv", old)
    first = shelf.add(SPEC)
    new = [{**old[0], "a": "99"}, *old[1:290], *rows(200, 1_000, shift=4), {**old[299], "b": 101}]
    write_csv(shelf.folder / "toy.csv", new)
    second = shelf.add(SPEC)
    found = content(shelf, first, second)
    assert (found.rows, found.added, found.removed) == (Pair(a=300, b=490), 201, 11)
    assert found.labels == {"0": Pair(a=150, b=245), "1": Pair(a=150, b=245)}
    assert found.quarantined == {"b above 100": Pair(a=0, b=1)}
    assert found.columns[0].column == "a"
    assert (found.columns_added, found.columns_removed) == ([], [])
    same = content(shelf, second, second)
    assert (same.added, same.removed, max(c.psi for c in same.columns)) == (0, 0, 0.0)


def test_columns_that_only_one_version_has_are_named(shelf: Shelf) -> None:
    write_csv(shelf.folder / "toy.csv", [{**r, "b": 1} for r in rows_up_to(20)])
    toy = shelf.add(SPEC)
    other = shelf.add(spec_of('csv = "toy.csv"'))
    found = content(shelf, toy, other)
    assert (found.columns_added, found.columns_removed) == (["place"], ["b"])
    assert (found.added, found.removed) == (0, 0), "in the columns that both have"
    path = shelf.blobs.path(shelf.versions[0].key)
    path.chmod(0o600)
    with pytest.raises(DataError, match=r"cannot be compared: .* not a dataset version"):
        compare.compare((shelf.versions[0], shelf.folder / "toy.csv"), (shelf.versions[0], path))
