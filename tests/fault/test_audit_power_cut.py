"""The audit log under a power supply that fails at every moment, and on a disk that is full."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_hub.audit_records import Deed
from fleetloop_hub.errors import AuditError
from fleetloop_hub.storage import audit as audit_module
from fleetloop_hub.storage.audit import LOG, FileAudit
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import DiskFullError

_REASONS = ["a" * 300, "b", "c" * 120, "d" * 5]
"""Of different lengths, so that a shorter entry must cover what a longer one has left."""
_IMAGES_PER_CUT = 12


def _deed(step: int) -> Deed:
    return Deed(by="ann", action="approve", subject=f"rain@{step}", reason=_REASONS[step])


def _run(disk: Disk, first: int = 0) -> int:
    """Record until the power fails; returns how many deeds were acknowledged."""
    kept = first
    try:
        audit = FileAudit(disk)
        for step in range(first, len(_REASONS)):
            audit.record(_deed(step), float(step))
            kept = step + 1
    except PowerCut:
        pass
    return kept


def _reasons(image: Image) -> list[str]:
    return [entry.reason for entry in FileAudit(Flash(image=image)).entries()]


def _goes_on(image: Image, kept: int) -> bool:
    again = Flash(image=image)
    try:
        _run(again, kept)
        return _reasons(again.image()) == _REASONS
    except AuditError:
        return False


def _violations() -> Iterator[str]:
    whole = Flash()
    assert _run(whole) == len(_REASONS)
    for moment in range(1, whole.moments.passed + 1):
        flash = Flash(Moments(cut_at=moment))
        kept = _run(flash)
        for image in flash.aftermath().some(_IMAGES_PER_CUT, seed=moment):
            try:
                found = _reasons(image)
            except AuditError as error:
                yield f"moment {moment}: {error}"
                continue
            if found not in (_REASONS[:kept], _REASONS[: kept + 1]):
                yield f"moment {moment}: {kept} acknowledged, then {len(found)}"
                continue
            if not _goes_on(image, len(found)):
                yield f"moment {moment}: what came after the cut is not whole"


def test_after_a_cut_at_any_moment_every_acknowledged_deed_is_there_and_the_log_goes_on() -> None:
    assert list(_violations()) == []


def _unsynced(disk: Disk, path: Path, line: bytes, end: int) -> int:
    disk.write(path, line + b"\n", offset=end)
    return end + len(line) + 1


def _uncovering(disk: Disk, path: Path, line: bytes, end: int) -> int:
    disk.write(path, line + b"\n", offset=end)
    disk.sync(path)
    disk.sync_folder(path.parent)
    return end + len(line)


def _in_place(disk: Disk, path: Path, data: bytes) -> None:
    disk.write(path, data)
    disk.sync(path)
    disk.sync_folder(path.parent)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("append", _unsynced), ("append", _uncovering), ("replace", _in_place)],
    ids=["line not synced", "line end not counted", "head written in place"],
)
def test_a_wrong_protocol_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: Callable[..., object]
) -> None:
    monkeypatch.setattr(audit_module, name, wrong)
    assert next(_violations(), None) is not None


def test_a_disk_that_fills_up_at_any_act_refuses_the_deed_and_keeps_the_log() -> None:
    usual = Flash()
    _run(usual)
    refusals = 0
    for act in range(usual.room_acts):
        flash = Flash()
        flash.full_at = range(act, act + 2)
        audit = FileAudit(flash)
        for step in range(len(_REASONS)):
            while len(audit.entries()) == step:
                try:
                    audit.record(_deed(step), float(step))
                except DiskFullError:
                    refusals += 1
                    assert len(audit.entries()) == step
        assert [entry.reason for entry in audit.entries()] == _REASONS
        assert _reasons(flash.image()) == _REASONS
    assert refusals >= usual.room_acts


def test_nothing_is_begun_without_room_for_what_it_leads_to() -> None:
    flash = Flash(limit_bytes=900_000)
    with pytest.raises(DiskFullError, match="nothing was done"):
        FileAudit(flash).record(_deed(0), 0.0)
    assert flash.names(Path()) == []


def test_a_short_line_covers_what_a_long_one_has_left() -> None:
    flash = Flash()
    flash.full_at = range(1, 2)
    audit = FileAudit(flash)
    with pytest.raises(DiskFullError):
        audit.record(_deed(0), 0.0)
    assert len(flash.read(LOG)) > 300
    audit.record(_deed(1), 1.0)
    assert flash.read(LOG).count(b"\n") == 1
    assert flash.read(LOG).endswith(b" \n")
    assert [entry.reason for entry in audit.entries()] == ["b"]
