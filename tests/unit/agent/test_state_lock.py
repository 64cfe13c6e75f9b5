"""One agent a state folder."""

import os
import stat
from pathlib import Path

import pytest

from fleetloop_agent.device.lock import StateLock
from fleetloop_agent.errors import StateError


def test_a_second_agent_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    first = StateLock(tmp_path / "state")
    with pytest.raises(StateError, match="another agent uses"):
        StateLock(tmp_path / "state")
    first.release()
    StateLock(tmp_path / "state").release()


def test_a_folder_that_cannot_be_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(StateError, match="name another state_dir"):
        StateLock(tmp_path / "file" / "state")


def test_a_state_folder_that_it_makes_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        StateLock(tmp_path / "above" / "state").release()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "above" / "state").stat().st_mode) == 0o700
