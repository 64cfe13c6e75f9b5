"""The durable outbox: what it took in is there after any end, until the hub has it."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fleetloop_agent.errors import StateError
from fleetloop_agent.outbox import SqliteOutbox
from fleetloop_shared.codec import decode, decode_compressed
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.profile import LiveProfile
from fleetloop_shared.reports import EventKind, EventReport, ProfileReport
from fleetloop_shared.topics import Topic


def event(text: str) -> Callable[[int, int], EventReport]:
    def build(boot: int, seq: int) -> EventReport:
        return EventReport(
            device="station-1", boot=boot, seq=seq, at=1.0, kind=EventKind.FAULT, text=text
        )

    return build


def profile(boot: int, seq: int) -> ProfileReport:
    live = LiveProfile(
        rows=0,
        counts=[],
        missing=[],
        low=[],
        high=[],
        sums=[],
        near_sums=[],
        near_step=1,
        near_products=[],
        score_counts=[],
        out_of_range=[],
    )
    return ProfileReport(
        device="d", boot=boot, seq=seq, at=1.0, model="rain", version=1, first_row=1, profile=live
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[SqliteOutbox]:
    with closing(SqliteOutbox(path)) as outbox:
        yield outbox


def texts(outbox: SqliteOutbox, limit: int = 100) -> list[str]:
    return [decode(p.payload, EventReport).text for p in outbox.pending(limit)]


def test_reports_are_numbered_from_one_in_each_boot(path: Path) -> None:
    for boot in (1, 2):
        with closing(SqliteOutbox(path)) as outbox:
            outbox.append(Topic.EVENTS, event("a"))
            outbox.append(Topic.EVENTS, event("b"))
            assert outbox.boot == boot
    with closing(SqliteOutbox(path)) as outbox:
        names = [(p.boot, p.seq) for p in outbox.pending(10)]
    assert names == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_the_oldest_are_pending_first_and_no_more_than_asked_for(outbox: SqliteOutbox) -> None:
    for text in "abc":
        outbox.append(Topic.EVENTS, event(text))
    assert texts(outbox, limit=2) == ["a", "b"]


def test_a_compressed_topic_is_kept_as_it_goes_out(outbox: SqliteOutbox) -> None:
    outbox.append(Topic.PROFILE, profile)
    (pending,) = outbox.pending(1)
    assert pending.topic is Topic.PROFILE
    assert decode_compressed(pending.payload, ProfileReport).seq == 1


def test_acknowledged_reports_are_forgotten_and_others_stay(outbox: SqliteOutbox) -> None:
    for text in "abc":
        outbox.append(Topic.EVENTS, event(text))
    outbox.acknowledge(1, [1, 3, 3, 77])
    outbox.acknowledge(9, [2])
    assert texts(outbox) == ["b"]
    assert outbox.counts() == (3, 2, 0)


@pytest.mark.parametrize("absurd", [10**30, -(10**30), 2**63, -(2**63) - 1])
def test_absurd_numbers_are_no_error(outbox: SqliteOutbox, absurd: int) -> None:
    outbox.append(Topic.EVENTS, event("a"))
    outbox.acknowledge(absurd, [1])
    outbox.acknowledge(1, [absurd])
    assert texts(outbox) == ["a"]


def test_beyond_its_records_the_oldest_are_dropped_and_counted(path: Path) -> None:
    with closing(SqliteOutbox(path, limit_records=3)) as outbox:
        for text in "abcde":
            outbox.append(Topic.EVENTS, event(text))
        assert texts(outbox) == ["c", "d", "e"]
        assert outbox.counts() == (5, 0, 2)


def test_beyond_its_bytes_the_oldest_are_dropped_also_after_a_restart(path: Path) -> None:
    with closing(SqliteOutbox(path)) as outbox:
        for text in ("a" * 500, "b" * 500):
            outbox.append(Topic.EVENTS, event(text))
    with closing(SqliteOutbox(path, limit_bytes=1_500)) as outbox:
        outbox.append(Topic.EVENTS, event("c" * 500))
        assert [text[0] for text in texts(outbox)] == ["b", "c"]


def test_a_smaller_limit_than_before_drops_as_many_as_it_must(path: Path) -> None:
    with closing(SqliteOutbox(path)) as outbox:
        for text in "abcdef":
            outbox.append(Topic.EVENTS, event(text))
    with closing(SqliteOutbox(path, limit_records=2)) as outbox:
        outbox.append(Topic.EVENTS, event("g"))
        assert texts(outbox) == ["f", "g"]


def test_a_limit_below_one_report_still_keeps_the_newest(path: Path) -> None:
    with closing(SqliteOutbox(path, limit_bytes=1)) as outbox:
        for text in "ab":
            outbox.append(Topic.EVENTS, event(text))
        assert texts(outbox) == ["b"]


def test_the_dropped_ones_no_longer_count_against_the_limit(path: Path) -> None:
    with closing(SqliteOutbox(path, limit_records=2)) as outbox:
        for text in "abc":
            outbox.append(Topic.EVENTS, event(text))
        outbox.acknowledge(1, [2, 3])
        for text in "de":
            outbox.append(Topic.EVENTS, event(text))
        assert texts(outbox) == ["d", "e"]


def fill(outbox: SqliteOutbox) -> None:
    """Let the database grow no further, as a full disk does."""
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_keeps_what_was_there_and_says_so(outbox: SqliteOutbox) -> None:
    outbox.append(Topic.EVENTS, event("before"))
    fill(outbox)
    with pytest.raises(DiskFullError, match="earlier reports are unharmed"):
        outbox.append(Topic.EVENTS, event("x" * 100_000))
    assert texts(outbox) == ["before"]
    assert outbox.counts() == (1, 0, 0)
    outbox._db.execute("PRAGMA max_page_count = 1000000")
    outbox.append(Topic.EVENTS, event("after"))
    assert [p.seq for p in outbox.pending(9)] == [1, 2], "no number is lost or given twice"


def test_a_disk_that_went_read_only_keeps_what_was_there(outbox: SqliteOutbox) -> None:
    outbox.append(Topic.EVENTS, event("before"))
    outbox._db.execute("PRAGMA query_only = ON")
    with pytest.raises(DiskFullError):
        outbox.append(Topic.EVENTS, event("lost"))
    outbox._db.execute("PRAGMA query_only = OFF")
    assert texts(outbox) == ["before"]


def test_a_damaged_file_is_put_aside_and_boots_still_grow(path: Path) -> None:
    with closing(SqliteOutbox(path)) as outbox:
        outbox.append(Topic.EVENTS, event("lost"))
        before = outbox.boot
    path.write_bytes(b"this is no database, and long enough to be noticed" * 100)
    with closing(SqliteOutbox(path)) as outbox:
        assert outbox.boot > before
        outbox.append(Topic.EVENTS, event("a"))
    assert path.with_name("outbox.db.damaged").exists()
    with closing(SqliteOutbox(path)) as outbox:
        assert texts(outbox) == ["a"]


KILLED = """
import os, signal, sys
from pathlib import Path
from fleetloop_agent.errors import StateError
from fleetloop_agent.outbox import SqliteOutbox
from fleetloop_shared.reports import EventKind, EventReport
from fleetloop_shared.topics import Topic
outbox = SqliteOutbox(Path(sys.argv[1]))
for number in range(50):
    outbox.append(Topic.EVENTS, lambda boot, seq: EventReport(
        device="d", boot=boot, seq=seq, at=1.0, kind=EventKind.FAULT, text=str(seq)))
print("kept", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_taken_in_is_there_after_a_sigkill(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], check=False, capture_output=True, text=True
    )
    assert done.stdout == "kept\n"
    with closing(SqliteOutbox(path)) as outbox:
        assert len(outbox.pending(100)) == 50
        assert outbox.boot == 2


def test_every_change_is_synced(outbox: SqliteOutbox) -> None:
    assert outbox._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert outbox._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_file_that_cannot_be_opened_says_what_to_do(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StateError, match="give this user write access"):
        SqliteOutbox(path)


def failing(code: int) -> Callable[[Path], sqlite3.Connection]:
    def open_(path: Path) -> sqlite3.Connection:
        error = sqlite3.OperationalError("told to fail")
        error.sqlite_errorcode = code
        raise error

    return open_


def test_no_room_to_open_it_is_told_and_the_file_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SqliteOutbox(path)) as outbox:
        outbox.append(Topic.EVENTS, event("a"))
    with monkeypatch.context() as patched:
        patched.setattr("fleetloop_agent.outbox._open", failing(sqlite3.SQLITE_FULL))
        with pytest.raises(DiskFullError):
            SqliteOutbox(path)
    with closing(SqliteOutbox(path)) as outbox:
        assert texts(outbox) == ["a"]


def test_a_change_that_fails_for_another_reason_is_not_called_a_full_disk(
    outbox: SqliteOutbox,
) -> None:
    outbox._db.execute("DROP TABLE reports")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        outbox.append(Topic.EVENTS, event("a"))


def test_a_boot_that_found_no_room_is_counted_with_its_first_report(path: Path) -> None:
    with closing(SqliteOutbox(path)) as outbox:
        outbox.append(Topic.EVENTS, event("a"))
        outbox._db.execute("UPDATE counts SET value = 0 WHERE name = 'boot'")
        outbox._db.commit()
        outbox.append(Topic.EVENTS, event("b"))
    with closing(SqliteOutbox(path)) as outbox:
        assert outbox.boot == 2


@pytest.mark.parametrize("left_over", [False, True])
def test_rows_in_it_are_for_its_owner_only(tmp_path: Path, left_over: bool) -> None:  # noqa: FBT001  # a case
    path = tmp_path / "outbox.db"
    before = os.umask(0o022)
    try:
        if left_over:
            with closing(SqliteOutbox(path)):
                path.chmod(0o644)
        with closing(SqliteOutbox(path)) as outbox:
            outbox.append(Topic.EVENTS, event("one"))
            files = sorted(tmp_path.iterdir())
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in files}
    finally:
        os.umask(before)
    assert modes == {"outbox.db": 0o600, "outbox.db-shm": 0o600, "outbox.db-wal": 0o600}
