"""The open window over restarts: counting goes on, and nothing bad on the disk is believed."""

import hashlib
import zlib
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fleetloop_agent.serving.keeping import KEEP_S, PATH, Keeping
from fleetloop_agent.serving.open_window import OpenWindow, pack
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.records import Collected
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.errors import (
    DiskFullError,
    EndlessDataError,
    UnusableWindowError,
)
from fleetloop_shared.profile import LiveProfile
from support.serving_rig import WINDOW_ROWS, model, predictor, rows

ROWS = rows(7 * WINDOW_ROWS, seed=3)
MANIFEST, _ = model()


def profiles(collected: Collected) -> list[tuple[int, LiveProfile | None]]:
    return [(w.judged.first_row, w.judged.profile) for w in collected.windows]


def kept(served: Predictor) -> OpenWindow:
    window = served.collect(keep=True).open_window
    assert window is not None
    return window


def restarted(served: Predictor) -> Predictor:
    data = pack(kept(served), MANIFEST)
    again = predictor()
    again.resume(data)
    return again


@pytest.mark.parametrize("cuts", [[0], [1], [49, 50], [20, 51, 52, 130], [WINDOW_ROWS * 2]])
def test_restarts_change_nothing_in_what_is_counted(cuts: list[int]) -> None:
    straight = predictor()
    straight.answer(ROWS)
    expected = profiles(straight.collect())
    served, found, at = predictor(), [], 0
    for cut in [*cuts, len(ROWS)]:
        if cut > at:
            served.answer(ROWS[at:cut])
        at = cut
        found += profiles(served.collect())
        served = restarted(served)
    assert found == expected
    assert [first_row for first_row, _ in found] == [1 + WINDOW_ROWS * k for k in range(7)]


def test_a_row_answered_before_the_window_is_recalled_keeps_the_count_that_has_begun() -> None:
    served = predictor()
    served.answer(ROWS[:30])
    data = pack(kept(served), MANIFEST)
    again = predictor()
    again.answer(ROWS[:1])
    again.resume(data)
    again.answer(ROWS[1:WINDOW_ROWS])
    assert [row for row, _ in profiles(again.collect())] == [1]


def test_a_damaged_window_is_refused_wherever_it_is_damaged() -> None:
    served = predictor()
    served.answer(ROWS[:70])
    data = pack(kept(served), MANIFEST)
    for at in [*range(0, len(data), 97), len(data) - 1]:
        flipped = bytes([*data[:at], data[at] ^ 1, *data[at + 1 :]])
        for bad in (flipped, data[:at]):
            with pytest.raises(UnusableWindowError, match="begins anew"):
                predictor().resume(bad)


def sealed(content: object) -> bytes:
    data = zlib.compress(msgspec.msgpack.encode(content))
    return hashlib.sha256(data).digest() + data


@pytest.mark.parametrize(
    "change",
    [
        {"rest": [1, b"", b"\0" * 8]},
        {"rest": [1, b"\0" * 7, b"\0" * 8]},
        {"rest": [1, b"\0" * 8 * WINDOW_ROWS, b"\0" * 8 * WINDOW_ROWS]},
        {"rest": [0, b"", b""]},
        {"rest": [1, b"\0" * 8, np.array([np.nan]).tobytes()]},
        {"parts": []},
        {"parts": [[1, 5, [b""] * 7]]},
        {"parts": [[1, WINDOW_ROWS, []]]},
        {"parts": "no"},
    ],
)
def test_a_sealed_window_that_does_not_fit_the_model_is_refused(change: dict[str, object]) -> None:
    served = predictor()
    good = msgspec.msgpack.decode(zlib.decompress(pack(kept(served), MANIFEST)[32:]))
    content = dict(zip(["bound_to", "rest", "parts", "since_row"], good, strict=True)) | change
    with pytest.raises(UnusableWindowError, match="begins anew"):
        predictor().resume(sealed(list(content.values())))


def test_what_grows_without_end_is_refused() -> None:
    with pytest.raises(EndlessDataError, match="grows to more than"):
        predictor().resume(sealed(b"\0" * 1_000_000))


def test_another_models_window_is_refused() -> None:
    other, _ = model(2, bias=0.5)
    served = predictor()
    served.answer(ROWS[:30])
    with pytest.raises(UnusableWindowError, match="another model"):
        predictor().resume(pack(kept(served), other))


def test_flash_is_written_once_in_ten_minutes_and_only_for_new_rows(tmp_path: Path) -> None:
    keeping = Keeping(RealDisk(tmp_path), now=0.0)
    served = predictor()
    assert not keeping.due(KEEP_S - 1)
    assert keeping.due(KEEP_S)
    keeping.keep(kept(served), MANIFEST, KEEP_S)
    assert keeping.recall() is None
    served.answer(ROWS[:30])
    keeping.keep(kept(served), MANIFEST, 2 * KEEP_S)
    written = (tmp_path / PATH).stat()
    keeping.keep(kept(served), MANIFEST, 3 * KEEP_S)
    assert (tmp_path / PATH).stat().st_ino == written.st_ino
    assert not keeping.due(3 * KEEP_S + 1)


def test_what_was_kept_of_a_window_that_is_over_or_of_another_model_is_gone(tmp_path: Path) -> None:
    keeping = Keeping(RealDisk(tmp_path), now=0.0)
    served = predictor()
    served.answer(ROWS[:30])
    for end in (keeping.forget, lambda: keeping.counts_for("another")):
        keeping.counts_for(MANIFEST.sha256)
        keeping.keep(kept(served), MANIFEST, 0.0)
        assert keeping.recall() is not None
        end()
        assert keeping.recall() is None


def test_a_full_disk_keeps_nothing_and_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = RealDisk(tmp_path)
    keeping = Keeping(disk, now=0.0)
    served = predictor()
    served.answer(ROWS[:30])

    def full(*_: object) -> None:
        raise DiskFullError("no room")

    monkeypatch.setattr(disk, "write", full)
    keeping.keep(kept(served), MANIFEST, 0.0)
    assert keeping.recall() is None
