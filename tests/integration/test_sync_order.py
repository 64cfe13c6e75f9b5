"""What the real agent promises to have synced is synced, in the promised order: seen by strace."""

import re
from pathlib import Path

import pytest

from support import strace
from support.brokers import mosquitto_is_missing
from support.killed_agent import GOOD, KillRig
from support.strace import Call, recorded
from support.sync_order import (
    CALLS,
    early_bitmaps,
    early_loads,
    early_reports,
    sent_reports,
    unsynced_names,
)

pytestmark = pytest.mark.integration

STATE = "/s"
PART, FILE = f"{STATE}/journal/.0.json.part", f"{STATE}/journal/0.json"
MODEL = "ab" * 32
NAMED = [
    f'1  pwrite64(5<{PART}>, "new", 3, 0) = 3',
    f"1  fsync(5<{PART}>) = 0",
    f'1  rename("{PART}", "{FILE}") = 0',
    f'1  openat(AT_FDCWD</x>, "{STATE}/journal", O_RDONLY|O_CLOEXEC) = 5<{STATE}/journal>',
    f"1  fsync(5<{STATE}/journal>) = 0",
]
CHUNKS = [
    f'1  pwrite64(5<{STATE}/parts/a.data>, "x", 1, 0) = 1',
    f"1  fsync(5<{STATE}/parts/a.data>) = 0",
    rf'1  pwrite64(5<{STATE}/parts/a.bitmap>, "\1", 1, 0) = 1',
]
LOADED = [
    *(
        line
        for left in (3, 2)
        for line in (
            rf'1  pwrite64(5<{PART}>, "{{\"state\":\"trial\",\"attempts_left\":{left},", 9, 0) = 9',
            f"1  fsync(5<{STATE}/journal>) = 0",
        )
    ),
    f'1  openat(AT_FDCWD</x>, "{STATE}/artifacts/{MODEL}.onnx", O_RDONLY) = 6',
]
REPORT = r"{\"schema\":1,\"device\":\"station-1\",\"boot\":2,\"seq\":1,\"kind\":\"started\"}"
REPORTED = [
    f'1  pwrite64(8<{STATE}/outbox.db-wal>, "..{REPORT}..", 99, 0) = 99',
    f"1  fdatasync(8<{STATE}/outbox.db-wal>) = 0",
    f'2  sendto(9<socket:[1]>, "..{REPORT}", 99, 0, NULL, 0) = 99',
]


@pytest.mark.skipif(strace.is_missing(), reason="strace is not installed: apt-get install it")
@pytest.mark.skipif(mosquitto_is_missing(), reason="mosquitto is not installed")
def test_the_agent_syncs_what_it_has_promised_before_it_goes_on(tmp_path: Path) -> None:
    with KillRig(tmp_path) as rig:
        rig.begin(GOOD)
        _, text = rig.record(GOOD, CALLS)
        artifact = rig.shipments[GOOD.version].manifest.sha256
    calls = recorded(text)
    found = re.search(r'rename\("(\S+/state)/journal/', text)
    assert found is not None
    state = found[1]
    assert list(unsynced_names(calls, state)) == []
    assert list(early_bitmaps(calls, state)) == []
    assert list(early_loads(calls, state, artifact)) == []
    assert list(early_reports(calls, state, since=2)) == []
    assert sent_reports(calls) >= 4  # started, fetched, trial, committed
    names = {c.target.removeprefix(state).split("/")[1] for c in calls if c.name == "rename"}
    assert names >= {"journal", "trust", "manifests", "artifacts"}
    assert any(c.path.endswith(".bitmap") for c in calls)


def calls(lines: list[str], *, without: int | None = None) -> list[Call]:
    return recorded("\n".join(line for n, line in enumerate(lines) if n != without))


def test_a_recording_is_read_across_interrupted_calls() -> None:
    lines = ["7  fsync(3</a> <unfinished ...>", '8  rename("b", "c") = 0']
    found = recorded("\n".join([*lines, "7  <... fsync resumed>) = 0", "9  fsync(3</d>) = ?"]))
    assert [(c.thread, c.name, c.path, c.began, c.ended) for c in found] == [
        (8, "rename", "b", 1, 1),
        (7, "fsync", "/a", 0, 2),
    ]
    assert found[0].target == "c"


def test_every_order_is_told_from_a_wrong_one() -> None:
    assert list(unsynced_names(calls(NAMED), STATE)) == []
    assert list(early_bitmaps(calls(CHUNKS), STATE)) == []
    assert list(early_loads(calls(LOADED), STATE, MODEL)) == []
    assert list(early_reports(calls(REPORTED), STATE, 2)) == []


def test_a_rename_over_unsynced_bytes_is_found() -> None:
    assert list(unsynced_names(calls(NAMED, without=1), STATE)) == [
        f"{PART} was renamed before it was synced"
    ]


def test_a_rename_without_a_sync_of_its_folder_is_found() -> None:
    assert list(unsynced_names(calls(NAMED, without=4), STATE)) == [
        f"{STATE}/journal was not synced after {FILE}"
    ]
    later = [*NAMED[:3], f"1  fsync(5<{STATE}/other>) = 0", *NAMED[3:]]
    assert list(unsynced_names(calls(later), STATE)) == [
        f"{STATE}/journal was not synced at once after {FILE}"
    ]


def test_a_bitmap_before_its_chunks_is_found() -> None:
    assert len(list(early_bitmaps(calls(CHUNKS, without=1), STATE))) == 1


@pytest.mark.parametrize("order", [[0, 1, 2, 4, 3], [0, 1, 2, 4], [0, 1, 4]])
def test_a_load_before_its_attempt_is_durable_is_found(order: list[int]) -> None:
    assert len(list(early_loads(calls([LOADED[n] for n in order]), STATE, MODEL))) == 1


@pytest.mark.parametrize("order", [[0, 2, 1], [0, 2], [2], [1, 0, 2]])
def test_a_report_sent_before_its_commit_is_found(order: list[int]) -> None:
    assert len(list(early_reports(calls([REPORTED[n] for n in order]), STATE, 2))) == 1
