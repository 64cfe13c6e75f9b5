"""A fleet of simulated devices on a real broker, with as much of a hub as that needs."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fleetloop_firmware_sim import fleet as fleets
from fleetloop_firmware_sim.fleet import Fleet, Replay
from fleetloop_firmware_sim.fleet_table import table
from fleetloop_firmware_sim.recording import Recording
from fleetloop_firmware_sim.scenarios.releases import FEATURES, make, steady_rows
from fleetloop_firmware_sim.scenarios.repositories import Repository
from fleetloop_firmware_sim.scenarios.stand_in_hub import Keys, StandInHub
from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_shared.messages import EnrolAnswer
from fleetloop_shared.reports import EventKind
from support.brokers import HUB, PATIENCE_S, link_to, start_broker

pytestmark = pytest.mark.integration

ROWS = 40
STATIONS = [BrokerAccount(f"sim-{n}", f"secret-{n}", cohort="default") for n in range(3)]


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[Broker]:
    running = start_broker("nats", tmp_path / "broker", [HUB, *STATIONS])
    yield running
    running.stop()


def identity(account: BrokerAccount, broker: Broker, keys: Keys) -> EnrolAnswer:
    return EnrolAnswer(
        device=account.username,
        cohort="default",
        broker=broker.address,
        username=account.username,
        password=account.password,
        image_root=keys.image.roots[0],
        director_root=keys.director.roots[0],
    )


def test_a_fleet_takes_a_release_answers_its_rows_and_reports_all_of_it(
    nats: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleets, "HEALTH_INTERVAL_S", 0.5)
    keys = Keys(Repository(time.time()), Repository(time.time()))
    link = link_to(nats, HUB)
    hub = StandInHub(link, keys)
    hub.release(make(1), time.time())
    recording = Recording(
        ["other", *FEATURES],
        np.hstack([np.zeros((ROWS, 1), np.float32), steady_rows(ROWS)]),
        [0] * ROWS,
    )
    identities = [identity(account, nats, keys) for account in STATIONS]
    with Fleet(identities, Replay(recording, rows_per_s=100.0), tmp_path) as fleet:
        deadline = time.monotonic() + 4 * PATIENCE_S
        while not fleet.done:
            assert time.monotonic() < deadline, fleet.views()
            link.wait(0.05)
            hub.step()
        views = fleet.views()
    link.stop()
    assert [(v.version, v.rows, v.unacknowledged, v.error) for v in views] == [
        (1, ROWS, 0, None)
    ] * 3
    assert hub.told(EventKind.COMMITTED, 1)
    for view in views:
        seqs = sorted(seq for device, _, seq in hub.payloads if device == view.device)
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) >= view.reports
    assert hub.contradictions == []
    assert table(views).row_count == 3
