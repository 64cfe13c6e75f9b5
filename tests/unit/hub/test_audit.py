"""The audit log: what was done stays, and whoever changes it is found out."""

from pathlib import Path

import msgspec
import pytest

from fleetloop_hub.audit_records import BEGINNING, AuditEntry, Deed
from fleetloop_hub.errors import AuditError
from fleetloop_hub.storage.audit import HEAD, LOG, FileAudit
from fleetloop_shared.durable import RealDisk


def a_log(folder: Path, count: int = 3) -> FileAudit:
    audit = FileAudit(RealDisk(folder))
    for step in range(count):
        deed = Deed(by="ann", action="approve", subject=f"rain@{step}", reason=f"because {step}")
        audit.record(deed, float(step))
    return audit


def test_entries_are_chained_from_the_beginning_and_survive_a_restart(tmp_path: Path) -> None:
    a_log(tmp_path)
    entries = FileAudit(RealDisk(tmp_path)).entries()
    assert [e.number for e in entries] == [1, 2, 3]
    assert [e.previous for e in entries] == [BEGINNING, entries[0].hash, entries[1].hash]
    assert len((tmp_path / LOG).read_bytes().splitlines()) == 3


def test_no_log_is_an_empty_log(tmp_path: Path) -> None:
    assert FileAudit(RealDisk(tmp_path)).entries() == []


def _forge(line: bytes) -> bytes:
    """Another reason, with a hash that fits it."""
    entry = msgspec.json.decode(line, type=AuditEntry)
    return msgspec.json.encode(msgspec.structs.replace(entry, reason="for no reason").sealed())


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        (lambda lines: [lines[0].replace(b"ann", b"bob"), *lines[1:]], "line 1 of"),
        (lambda lines: [lines[0], lines[1].replace(b"because", b"whereas"), lines[2]], "line 2 of"),
        (lambda lines: [_forge(lines[0]), *lines[1:]], "line 2 of"),
        (lambda lines: [*lines[:2], _forge(lines[2])], "line 3 of"),
        (lambda lines: lines[:2], "line 3 of"),
        (lambda lines: [lines[0], lines[2]], "line 2 of"),
        (lambda lines: lines[1:], "line 1 of"),
        (lambda lines: [lines[0], lines[2], lines[1]], "line 2 of"),
        (lambda lines: [], "line 1 of"),
    ],
    ids=[
        "name changed",
        "reason changed",
        "first forged",
        "last forged",
        "last removed",
        "middle removed",
        "first removed",
        "order changed",
        "all removed",
    ],
)
def test_a_changed_log_is_found_out_and_nothing_is_added_to_it(
    tmp_path: Path, attack: object, found: str
) -> None:
    audit = a_log(tmp_path)
    lines = (tmp_path / LOG).read_bytes().splitlines()
    changed = attack(lines)  # type: ignore[operator]  # a table of functions
    (tmp_path / LOG).write_bytes(b"".join(line + b"\n" for line in changed))
    before = (tmp_path / LOG).read_bytes()
    for log in (audit, FileAudit(RealDisk(tmp_path))):
        with pytest.raises(AuditError, match=found):
            log.entries()
        with pytest.raises(AuditError, match="nothing was done"):
            log.record(Deed(by="eve", action="approve", subject="rain@9", reason="x"), 9.0)
    assert (tmp_path / LOG).read_bytes() == before


def test_a_head_that_is_gone_or_damaged_is_found_out(tmp_path: Path) -> None:
    audit = a_log(tmp_path)
    (tmp_path / HEAD).write_bytes(b"{}}")
    with pytest.raises(AuditError, match=r"audit\.head is not what it was"):
        audit.entries()
    (tmp_path / HEAD).unlink()
    with pytest.raises(AuditError, match=r"audit\.head is gone"):
        audit.entries()


def test_bytes_between_entries_are_found_out(tmp_path: Path) -> None:
    audit = a_log(tmp_path, 1)
    data = (tmp_path / LOG).read_bytes()
    (tmp_path / LOG).write_bytes(data.replace(b'"by":"ann"', b'"by" :"ann"'))
    with pytest.raises(AuditError):
        audit.entries()


def test_what_is_moved_away_makes_room_for_a_new_log(tmp_path: Path) -> None:
    a_log(tmp_path)
    (tmp_path / LOG).rename(tmp_path / "old.jsonl")
    (tmp_path / HEAD).unlink()
    assert [e.number for e in a_log(tmp_path, 1).entries()] == [1]
