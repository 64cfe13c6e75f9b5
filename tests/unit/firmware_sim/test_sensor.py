"""A sensor offers rows until they are answered, and tells the truth about them later."""

from collections.abc import Sequence

import numpy as np
import pytest

from fleetloop_firmware_sim.recording import Recording, Truth
from fleetloop_firmware_sim.sensor import Answer, Feeder, Given, Pace, Sensor


class Parity(Feeder):
    """A device that answers whether the first value is odd."""

    def __init__(self) -> None:
        self.there = True
        self.version = 1
        self.told: list[tuple[str, Truth]] = []
        self.seen: list[float] = []

    def columns(self) -> list[str] | None:
        return ["value"] if self.there else None

    def predict(self, rows: Given) -> list[Answer] | None:
        assert isinstance(rows, np.ndarray)
        values = [float(v) for v in rows[:, 0]]
        self.seen += values
        return [Answer(f"p{int(v)}", int(v) % 2, 0.5, self.version) for v in values]

    def feedback(self, labels: Sequence[tuple[str, Truth]]) -> None:
        self.told += labels


@pytest.fixture
def device() -> Parity:
    return Parity()


def sensor(device: Parity, labels: list[int | None], delay: int = 1) -> Sensor:
    values = np.arange(len(labels), dtype=np.float32)
    rows = np.stack([np.zeros_like(values), values], axis=1)
    return Sensor(Recording(["other", "value"], rows, labels), device, delay)


def test_rows_are_answered_in_order_and_only_once(device: Parity) -> None:
    s = sensor(device, [0, 1, 0])
    assert [s.measure(2), s.measure(2), s.measure(2)] == [2, 1, 0]
    assert device.seen == [0.0, 1.0, 2.0]
    assert [r.row for r in s.readings] == [0, 1, 2]
    assert s.done


def test_rows_that_were_not_answered_are_offered_again(device: Parity) -> None:
    s = sensor(device, [0, 1])
    device.there = False
    assert (s.measure(2), s.unanswered, s.readings) == (0, 2, [])
    device.there = True
    assert s.measure(2) == 2


def test_labels_come_as_many_rows_later_as_was_said(device: Parity) -> None:
    s = sensor(device, [0, 1, 0, 1], delay=2)
    s.measure(2)
    assert device.told == []
    s.measure(1)
    assert device.told == [("p0", 0)]
    s.tell_the_rest()
    assert device.told == [("p0", 0), ("p1", 1), ("p2", 0)]


def test_a_truth_that_never_became_known_is_not_told(device: Parity) -> None:
    s = sensor(device, [None, 1, None])
    s.measure(3)
    s.tell_the_rest()
    assert device.told == [("p1", 1)]


def test_accuracy_is_of_the_rows_asked_for(device: Parity) -> None:
    s = sensor(device, [0, 1, 1, None])
    assert s.accuracy() is None
    s.measure(4)
    assert s.accuracy() == pytest.approx(2 / 3)
    assert s.accuracy(0, 2) == 1.0
    assert s.accuracy(3) is None


def test_it_remembers_which_version_answered_from_which_row(device: Parity) -> None:
    s = sensor(device, [0, 1, 0])
    s.measure(1)
    device.version = 2
    s.measure(2)
    assert s.versions() == [(1, 0), (2, 1)]


def test_pace_keeps_the_speed_and_owes_what_it_could_not_give() -> None:
    pace = Pace(10.0, now_s=100.0)
    assert pace.due(100.05, 50) == 0
    assert pace.due(100.5, 3) == 3
    assert pace.due(100.5, 50) == 2
    assert pace.due(100.5, 50) == 0
