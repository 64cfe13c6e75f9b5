"""A CSV is read as it was measured, or refused with the place that is wrong."""

import math
from pathlib import Path

import pytest

from fleetloop_firmware_sim.errors import RecordingError
from fleetloop_firmware_sim.recording import read


def csv(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text, "utf-8")
    return path


def test_empty_cells_are_missing_values(tmp_path: Path) -> None:
    recording = read(csv(tmp_path, "t,rain,p\n1.5,0,\n,1,2\n3, ,4\n"), label="rain")
    assert recording.columns == ["t", "p"]
    assert recording.labels == [0, 1, None]
    assert math.isnan(recording.rows[0, 1])
    assert recording.rows[2].tolist() == [3.0, 4.0]


def test_columns_are_given_in_the_order_asked_for(tmp_path: Path) -> None:
    recording = read(csv(tmp_path, "a,b,y\n1,2,0\n"), label="y").select(["b", "a"])
    assert recording.rows.tolist() == [[2.0, 1.0]]


def test_texts_are_kept_as_they_stand(tmp_path: Path) -> None:
    recording = read(csv(tmp_path, "a,sky,y\n1, clear,rain\n,7,0.5\n3,,\n"), label="y")
    assert recording.labels == ["rain", 0.5, None]
    assert recording.part(1, 3).named() == [{"a": None, "sky": 7.0}, {"a": 3.0, "sky": None}]
    assert recording.select(["sky"]).part(0, 2).named() == [{"sky": "clear"}, {"sky": 7.0}]
    assert recording.select(["a"]).texts == {}


def test_a_part_keeps_rows_and_labels_together(tmp_path: Path) -> None:
    part = read(csv(tmp_path, "a,y\n1,0\n2,1\n3,0\n"), label="y").part(1, 2)
    assert (part.rows.tolist(), part.labels) == ([[2.0]], [1])


def test_a_csv_without_rows_has_none(tmp_path: Path) -> None:
    assert read(csv(tmp_path, "a,y\n"), label="y").labels == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,y\n1,0,2\n", "line 2: 3 cells, not 2"),
        ("a,b\n1,0\n", "no column 'y'; it has a, b"),
        ("", "no column 'y'"),
    ],
)
def test_a_csv_that_cannot_be_replayed_is_refused_with_the_place(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(RecordingError, match=says):
        read(csv(tmp_path, text), label="y")


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        read(tmp_path / "none.csv", label="y")


def test_a_column_the_model_needs_and_the_recording_lacks_is_named(tmp_path: Path) -> None:
    recording = read(csv(tmp_path, "a,y\n1,0\n"), label="y")
    with pytest.raises(RecordingError, match="no column 'wind', which the model needs"):
        recording.select(["a", "wind"])
