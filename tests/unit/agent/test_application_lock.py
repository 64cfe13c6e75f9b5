"""The file by which an application asks to wait, and the device's own local time."""

import logging
import os
import time
from pathlib import Path

import pytest

from fleetloop_agent.device.application_lock import LockFile
from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.ports import NoApplicationLock


def test_an_application_asks_while_its_file_is_there(tmp_path: Path) -> None:
    path = tmp_path / "busy"
    lock = LockFile(path)
    assert lock.touched_at() is None
    path.touch()
    os.utime(path, (1_000.0, 1_000.0))
    assert lock.touched_at() == 1_000.0
    path.unlink()
    assert lock.touched_at() is None


def test_a_file_below_a_file_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "busy").touch()
    assert LockFile(tmp_path / "busy" / "below").touched_at() is None


def test_a_file_that_cannot_be_looked_at_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lock = LockFile(tmp_path / ("long" * 100))
    with caplog.at_level(logging.WARNING):
        assert [lock.touched_at() for _ in range(3)] == [None, None, None]
    assert len(caplog.records) == 1


def test_without_a_lock_file_nobody_asks() -> None:
    assert NoApplicationLock().touched_at() is None


def test_local_time_is_the_devices_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XYZ-3")
    time.tzset()
    try:
        assert RealClock().ahead_s(1_700_000_000.0) == 3 * 3600.0
        assert RealClock().ahead_s(1e300) == 0.0
    finally:
        monkeypatch.undo()
        time.tzset()
