"""The outbox under a power supply that fails at every act of the real SQLite on its files.

SQLite's own acts (write, sync, truncate, delete) are noted and played on a simulated flash; at each
of them the flash may be left in many states, in which the real outbox is opened again.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from fleetloop_agent import outbox as outbox_module
from fleetloop_agent.outbox import SqliteOutbox
from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.sqlite_acts import Act, SqliteActs
from fleetloop_shared.reports import EventKind, EventReport, Report
from fleetloop_shared.topics import Topic

Number = tuple[int, int]

STATES = 6
"""States of the flash that are looked at after each cut."""

BOOTS, REPORTS = 2, 3


def report(boot: int, seq: int) -> Report:
    return EventReport(
        device="d", boot=boot, seq=seq, at=0.0, kind=EventKind.STARTED, text=f"{boot} {seq}"
    )


def tell(folder: Path) -> list[Act]:
    """Two boots that report, send and hear acknowledgements; all that SQLite did."""
    seen = SqliteActs()
    with seen.in_force():
        for boot in range(1, BOOTS + 1):
            outbox = SqliteOutbox(folder / "o.sqlite")
            for seq in range(1, REPORTS + 1):
                outbox.append(Topic.EVENTS, report)
                seen.mark(f"appended {boot} {seq}")
            seen.mark(f"asked {boot} 1")
            outbox.acknowledge(boot, [1])
            seen.mark(f"acknowledged {boot} 1")
            outbox.close()
    return seen.acts


class Known:
    """What the world knows: what was promised, and what the hub has."""

    def __init__(self) -> None:
        self.appended: set[Number] = set()
        self.asked: set[Number] = set()
        self.acknowledged: set[Number] = set()

    def note(self, mark: str) -> None:
        what, boot, seq = mark.split()
        getattr(self, what).add((int(boot), int(seq)))


def play(flash: Flash, act: Act) -> None:
    """The act on a flash that keeps what was synced, and no more."""
    path = Path(act.path.name)
    if act.kind == "open" and path.name not in flash.names(Path()):
        flash.write(path, b"")
    elif act.kind == "write":
        flash.write(path, act.data, act.offset)
    elif act.kind == "truncate":
        flash.write(path, flash.read(path)[: act.offset])
    elif act.kind == "sync":
        flash.sync(path)
        flash.sync_folder(Path())  # SQLite does so with the first sync of a file that it has made
    elif act.kind == "delete":
        flash.remove(path)
        if act.offset:
            flash.sync_folder(Path())


def broken(image: Image, known: Known, folder: Path) -> str | None:
    """What of the outbox's promises does not hold when it is opened on what a cut has left."""
    for old in folder.iterdir():
        old.unlink()
    for path, data in image.files.items():
        (folder / path).write_bytes(data)
    with contextlib.closing(SqliteOutbox(folder / "o.sqlite")) as outbox:
        kept = {(p.boot, p.seq) for p in outbox.pending(100)}
        outbox.append(Topic.EVENTS, report)
        new = {(p.boot, p.seq) for p in outbox.pending(100)} - kept
    if (folder / "o.sqlite.damaged").exists():
        return "the database was damaged"
    if lost := known.appended - known.asked - kept:
        return f"reports were lost: {sorted(lost)}"
    if again := known.acknowledged & kept:
        return f"acknowledged reports are sent again: {sorted(again)}"
    if new & known.appended or len(new) != 1:
        return f"a number was given twice: {sorted(new)}"
    return None


def violations(tmp_path: Path, acts: list[Act], every: int = 1) -> Iterator[str]:
    known, flash, seen = Known(), Flash(), set()
    folder = tmp_path / "again"
    folder.mkdir()
    for number, act in enumerate(acts):
        if act.kind == "mark":
            known.note(str(act.path))
            continue
        if number % every == 0:
            for image in flash.aftermath().some(STATES, number):
                key = image.key, len(known.appended), len(known.acknowledged)
                if key in seen:
                    continue
                seen.add(key)
                text = broken(image, known, folder)
                if text is not None:
                    yield f"before act {number}, {act.kind} {act.path.name}: {text}"
        play(flash, act)


def test_sqlite_is_seen_at_work(tmp_path: Path) -> None:
    acts = tell(tmp_path)
    kinds = [act.kind for act in acts]
    assert {"open", "write", "sync", "mark"} <= set(kinds)
    assert {act.path.parent for act in acts if act.kind != "mark"} == {tmp_path}
    for number, kind in enumerate(kinds):
        if kind == "mark" and not str(acts[number].path).startswith("asked"):
            assert kinds[number - 1] == "sync", "what has returned is synced"


def test_what_append_has_returned_for_survives_a_cut_at_every_act_of_sqlite(
    tmp_path: Path,
) -> None:
    assert list(violations(tmp_path, tell(tmp_path), every=2)) == []


def relaxed(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(outbox_module._SCHEMA)
    return db


def test_a_database_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    with patch.object(outbox_module, "_open", relaxed):
        acts = tell(tmp_path)
    assert next(violations(tmp_path, acts), None) is not None


def test_reports_that_are_forgotten_when_they_are_sent_are_found_out(tmp_path: Path) -> None:
    append = SqliteOutbox.append

    def send(self: SqliteOutbox, topic: Topic, build: object) -> None:
        append(self, topic, build)  # type: ignore[arg-type]  # as the original is called
        self.acknowledge(self.boot, [self._seq])

    with patch.object(SqliteOutbox, "append", send):
        acts = tell(tmp_path)
    assert next(violations(tmp_path, acts, every=5), None) is not None


@pytest.mark.parametrize("boots", [3])
def test_no_two_boots_have_one_number(tmp_path: Path, boots: int) -> None:
    numbers = []
    for _ in range(boots):
        with contextlib.closing(SqliteOutbox(tmp_path / "o.sqlite")) as outbox:
            numbers.append(outbox.boot)
    assert numbers == sorted(set(numbers))
