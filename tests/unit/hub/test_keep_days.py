"""Reports are kept for as long as the hub is told, and go a little at a time."""

import math
from pathlib import Path

import pytest

from fleetloop_hub.config import HubConfig
from fleetloop_hub.errors import ConfigError
from support.hubrig import hub_rig


@pytest.mark.parametrize("days", [0.5, 0.0, -1.0, math.nan])
def test_a_time_that_keeps_nothing_is_refused(tmp_path: Path, days: float) -> None:
    with pytest.raises(ConfigError, match="write a number from 1"):
        HubConfig(tmp_path, keep_days=days)


def test_a_hub_takes_old_reports_away_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def noted(most: int) -> int:
        asked.append(most)
        return 0

    with hub_rig(tmp_path) as rig:
        monkeypatch.setattr(rig.kept.telemetry, "forget", noted)
        for _ in range(3):
            rig.look()
        assert asked == [500]
        rig.hub._bystanders._forget_at = 0.0
        rig.look()
    assert asked == [500, 500]
