"""Late labels: joined by name and time, never to a later row, never to a feature."""

import random
from pathlib import Path

import numpy as np
import pytest

from fleetloop_hub.data import parquet
from fleetloop_hub.records import Dataset
from support.tables_in import Shelf, spec_of

SPEC = spec_of(
    'csv = "rows.csv"',
    """
[rows]
time = "t"
key = "id"
[label]
column = "y"
[label.late]
key = "id"
time = "known"
within_s = 100
[label.late.source]
csv = "labels.csv"
[[features]]
name = "a"
[[candidates]]
name = "line"
family = "linear"
""",
)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def write(shelf: Shelf, rows: list[str], labels: list[str]) -> None:
    (shelf.folder / "rows.csv").write_text("\n".join(["id,t,a", *rows]) + "\n", "utf-8")
    (shelf.folder / "labels.csv").write_text("\n".join(["id,known,y", *labels]) + "\n", "utf-8")


def joined(shelf: Shelf, made: Dataset | None) -> dict[float, tuple[float, float]]:
    """By the row's time: its label, and when that was known."""
    assert made is not None
    table = shelf.table(made).to_pydict()
    return {
        at: (label, known)
        for at, label, known in zip(table["at"], table["label"], table["label_at"], strict=True)
        if not np.isnan(label)
    }


def test_a_label_goes_to_the_newest_row_of_its_name_that_is_not_later(shelf: Shelf) -> None:
    write(
        shelf,
        ["u,10,1", "u,20,2", "v,15,3", "u,40,4", "w,10,5"],
        ["u,25,1", "v,15,0", "u,9,1", "w,111,1", "x,50,1"],
    )
    made = shelf.add(SPEC)
    assert joined(shelf, made) == {20: (1, 25), 15: (0, 15)}
    assert made is not None
    assert (made.rows, made.waiting, made.quarantined) == (2, 3, {})


def test_a_label_from_the_future_changes_no_feature_and_no_earlier_row(shelf: Shelf) -> None:
    rows = [f"m{n % 3},{n},{n / 7}" for n in range(60)]
    labels = [f"m{n % 3},{n + 1},{n % 2}" for n in range(30)]
    write(shelf, rows, labels)
    before = shelf.add(SPEC)
    later = [f"m{n % 3},{n},{(n + 1) % 2}" for n in range(60, 200)]
    write(shelf, rows, [*labels, *later])
    after = shelf.add(SPEC)
    assert before is not None
    assert after is not None
    old, new = shelf.table(before), shelf.table(after)
    assert new.column("x.a").equals(old.column("x.a"))
    old_labels, new_labels = joined(shelf, before), joined(shelf, after)
    assert old_labels == {at: said for at, said in new_labels.items() if said[1] < 60}
    for at, (_, known) in new_labels.items():
        assert known >= at
        newer = [t for t in range(60) if t % 3 == at % 3 and at < t <= known]
        assert newer == []
    frame = parquet.read_frame(shelf.blobs.path(after.key), SPEC)
    assert len(frame) == after.rows
    np.testing.assert_array_equal(frame.label_at >= frame.at, True)  # noqa: FBT003  # numpy's form


@pytest.mark.parametrize("seed", range(3))
def test_it_does_not_matter_in_which_order_rows_and_labels_come(shelf: Shelf, seed: int) -> None:
    dice = random.Random(seed)
    rows = [f"m{dice.randrange(3)},{n},{n}" for n in range(20)]
    labels = [f"m{dice.randrange(4)},{dice.randrange(40)}.5,{n % 2}" for n in range(15)]
    whole = Shelf(shelf.folder / "whole")
    whole.folder.mkdir(exist_ok=True)
    write(whole, rows, labels)
    at_once = whole.add(SPEC)
    for have_rows, have_labels in ((7, dice.randrange(1, 15)), (dice.randrange(7, 20), 15)):
        write(shelf, rows[:have_rows], labels[:have_labels])
        shelf.add(SPEC)
    write(shelf, rows, labels)
    piecemeal = shelf.add(SPEC)
    assert at_once is not None
    assert piecemeal is not None
    assert piecemeal.key == at_once.key


def test_labels_that_cannot_be_true_are_kept_out_with_their_line(shelf: Shelf) -> None:
    write(shelf, ["u,1,1", "v,2,1"], ["u,2,1", "v,later,1", ",3,1", "v,4,maybe", "v,5,"])
    made = shelf.add(SPEC)
    assert made is not None
    assert (made.rows, made.waiting) == (1, 1)
    assert made.quarantined == {
        "known not a number, date or time": 1,
        "no id": 1,
        "y not a whole number": 1,
        "no y": 1,
    }
    assert all("labels.csv line" in fault.examples[0] for fault in made.faults)


def test_of_two_labels_of_a_row_the_later_one_counts(shelf: Shelf) -> None:
    write(shelf, ["u,1,1"], ["u,9,1", "u,3,0"])
    assert joined(shelf, shelf.add(SPEC)) == {1: (1, 9)}
