"""Replays that people ask the hub for, in a process of their own."""

import time
from pathlib import Path

import pytest

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.simulating.desk import SimulationDesk, Standing
from fleetloop_hub.simulating.job import Job
from fleetloop_hub.storage.blobs import FileBlobs
from support.learnable import line_text, toy_csv, toy_dataset

pytestmark = pytest.mark.integration


def ended(desk: SimulationDesk) -> Standing:
    deadline = time.monotonic() + 90
    while (found := desk.look("toy")).progress is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_a_replay_runs_beside_the_hub_one_at_a_time_and_says_why_it_came_to_nothing(
    tmp_path: Path,
) -> None:
    blobs = FileBlobs(tmp_path / "blobs")
    data = toy_dataset(blobs, tmp_path, toy_csv(rows=60))
    desk = SimulationDesk(tmp_path / "simulation")
    assert desk.look("toy") == Standing()
    job = Job(
        spec=line_text(),
        rows=str(blobs.path(data.key)),
        name="toy rows",
        devices=2,
        label_delay_s=0.0,
        unit_s=1.0,
    )
    desk.start("toy", job)
    with pytest.raises(TrainingError, match="a simulation of toy runs"):
        desk.start("other", job)
    assert desk.look("other") == Standing()
    found = ended(desk)
    assert found.result is None
    assert "400" in found.failure, found.failure  # the fewest rows of which something can be said
