"""How much of a dataset version one device may be, and devices of which nothing is taken."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from fleetloop_hub.data.field_shares import FieldShares, most_rows, share_allowed
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.tables import data as tables
from fleetloop_hub.telemetry_records import LabelledSample
from support.learnable import labelled, toy_dataset, toy_spec, with_samples


def of(devices: dict[str, int]) -> list[LabelledSample]:
    return [
        labelled(device, k, [1.0 + k / 100, 2.0], k % 2)
        for device, rows in devices.items()
        for k in range(rows)
    ]


def kept(shares: FieldShares, samples: list[LabelledSample]) -> Counter[str]:
    shares.look(samples)
    return Counter(s.device for s in shares.kept(samples))


@settings(max_examples=200)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30), st.floats(0.01, 1.0))
def test_no_device_is_more_than_its_share_and_nothing_is_left_out_needlessly(
    rows: list[int], most: float
) -> None:
    cap, share = most_rows(rows, most), share_allowed(most, len(rows))
    total = sum(min(n, cap) for n in rows)
    assert all(min(n, cap) <= share * total + 1e-6 for n in rows)
    more = sum(min(n, cap + 1) for n in rows)
    assert cap >= max(rows) or cap + 1 > share * more - 1e-6


def test_rows_of_a_device_that_floods_are_drawn_down_to_its_share() -> None:
    flood = {f"s{k}": 50 for k in range(10)} | {"liar": 5_000}
    found = kept(FieldShares(0.2, {}), of(flood))
    assert found["liar"] == 125
    assert sum(found.values()) == 625
    assert all(found[f"s{k}"] == 50 for k in range(10))


def test_with_two_devices_nothing_is_left_out() -> None:
    assert kept(FieldShares(0.2, {}), of({"a": 5, "b": 500})) == {"a": 5, "b": 500}


def test_a_device_that_is_looked_at_gives_no_row_and_the_reason_is_told() -> None:
    shares = FieldShares(0.5, {"odd": "its temp reads 9 higher than the others'"})
    found = kept(shares, of({"a": 10, "b": 10, "odd": 10}))
    assert found == {"a": 10, "b": 10}
    told = {s.device: (s.rows, s.left_out, s.reason) for s in shares.told()}
    assert told["odd"] == (0, 10, "its temp reads 9 higher than the others'")
    assert told["a"] == (10, 0, "")


def test_the_share_holds_over_versions_that_grow_from_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blobs = FileBlobs(tmp_path / "blobs")
    parent = toy_dataset(blobs, tmp_path)
    fair = {f"s{k}": 20 for k in range(10)}
    once = with_samples(toy_spec(), parent, of(fair | {"liar": 400}), blobs, 2.0)
    assert (once.devices[0].device, once.devices[0].rows) == ("liar", 50)
    again = with_samples(toy_spec(), once, of(fair | {"liar": 900}), blobs, 3.0)
    (liar,) = [s for s in again.devices if s.device == "liar"]
    assert (liar.rows, liar.left_out) == (50, 850)
    assert liar.reason == "one device may be 20 % of the rows from the field"
    Console(width=160).print(tables.dataset_story(again))
    said = capsys.readouterr().out
    assert "20.0 %" in said
    assert "one device may be 20 % of the rows from the field" in said
