"""The hub's acknowledgement tells a device how far its clock is from the hub's."""

from pathlib import Path

import pytest

from fleetloop_firmware_sim.flash import Flash
from fleetloop_hub.monitoring.ingest import Ingest
from fleetloop_shared.link import Received
from fleetloop_shared.reports import HealthReport
from fleetloop_shared.topics import Topic
from support.agent_board import Bench
from support.agent_rig import DEVICE, AgentRig
from support.hubparts import parts
from support.hubside import Hubside

REPORTS = [topic.at(device=DEVICE) for topic in Topic if topic.row.outbox]


@pytest.mark.parametrize("ahead_s", [0.0, 90.0, -3_600.0])
@pytest.mark.parametrize("late_s", [0.0, 0.3])
def test_a_device_reports_how_far_its_clock_is_from_the_hub_s(
    tmp_path: Path, ahead_s: float, late_s: float
) -> None:
    rig = AgentRig(Hubside(), Bench(Flash()))
    clock, link = rig.bench.clock, rig.bench.link
    hub_ahead_s = clock.now() - ahead_s - clock.monotonic()
    with parts(tmp_path) as kept:
        ingest = Ingest(kept.telemetry)
        link.connect()
        while not (health := rig.bench.outbox.reports(Topic.HEALTH)):
            rig.run(0.1)
            said = [(topic, data) for topic, data in link.published if topic in REPORTS]
            link.published = [message for message in link.published if message not in said]
            came = [Received(topic, data, retained=False) for topic, data in said]
            clock.at += late_s
            for topic, ack in ingest.take(came, hub_ahead_s + clock.monotonic()).acks:
                clock.at += late_s / 2
                link.deliver(topic, ack)
    (report,) = health
    assert isinstance(report, HealthReport)
    assert report.clock is not None
    assert abs(report.clock.offset_s - ahead_s) <= report.clock.uncertain_s + 1e-6
    assert report.clock.uncertain_s < 1.0
