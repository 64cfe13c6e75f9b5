"""One sensor of a fleet breaks: the agents' own reports, the hub's own ingest, and its decision."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from fleetloop_agent.ports import Rows
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.reports import Backlog, Reports
from fleetloop_hub.lookout import Lookout
from fleetloop_hub.monitoring.ingest import Ingest
from fleetloop_hub.records import Verdict, Version
from fleetloop_hub.retraining.advice import Advice, Finding
from fleetloop_hub.retraining.decide import decide
from fleetloop_hub.spec.retrain_table import RetrainTable
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.verdict_records import Who
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.link import Received
from support.agent_board import SmallHost, StandingClock
from support.hubparts import Parts, parts
from support.hubrecords import a_device, a_version
from support.learnable import toy_spec
from support.serving_rig import WINDOW_ROWS, model, rows

DEVICES = 6
QUIET_WINDOWS = 20
POLICY = RetrainTable(drift_devices=0.5, min_labels=1, cooldown_s=0.0)


class Station:
    """A device's own predictor and reports."""

    def __init__(self, number: int) -> None:
        self.name = f"station-{number}"
        self.served = Predictor(self.name, 1, OrtRuntime(), StandingClock())
        self.served.load(*model())
        self._reports = Reports(self.name, StandingClock(), SmallHost())
        self._seq = 0

    def serve(self, values: Rows) -> list[Received]:
        """What it publishes after these rows, its health last."""
        self.served.predict(values)
        manifest = model()[0]
        drafts = self._reports.of(self.served.collect(), manifest)
        drafts.append(self._reports.health(manifest, Backlog(0, 0, 0), None))
        said = []
        for topic, build in drafts:
            self._seq += 1
            report = build(1, self._seq)
            payload = encode_compressed(report) if topic.row.compressed else encode(report)
            said.append(Received(topic.at(device=self.name), payload, retained=False))
        return said


class Fleet:
    """Stations and the hub that hears them."""

    def __init__(self, kept: Parts) -> None:
        self._stations = [Station(k) for k in range(DEVICES)]
        manifest = encode(model()[0])
        self._champion: Version = replace(
            a_version(1), key="storm/1", model="storm", manifest=kept.blobs.put(manifest)
        )
        kept.catalog.put(self._champion)
        for station in self._stations:
            kept.catalog.put(replace(a_device(), key=station.name))
        self._kept, self._seed = kept, 0
        self._ingest = Ingest(kept.telemetry)
        self._lookout = Lookout(kept.catalog, kept.telemetry, Registry(kept.catalog, kept.blobs))

    def live(self, windows: int, *, broken: range = range(0)) -> Advice:
        """Windows on every station; on the broken ones the wind gauge reads 2 m/s too much."""
        for k, station in enumerate(self._stations):
            self._seed += 1
            values = rows(windows * WINDOW_ROWS, self._seed)
            if k in broken:
                values[:, 0] += 2
            self._ingest.take(station.serve(values))
        assert self._kept.telemetry.refusals() == {}
        self.evidence = self._lookout.look(self._champion, toy_spec(), 0.0)
        return decide(self.evidence, POLICY)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with parts(tmp_path) as kept:
        yield Fleet(kept)


def test_one_broken_gauge_is_named_with_its_size_and_nothing_is_learned_from_it(
    fleet: Fleet,
) -> None:
    assert fleet.live(QUIET_WINDOWS).verdict is Verdict.WAIT
    advice = fleet.live(4, broken=range(2, 3))
    assert (advice.verdict, advice.finding) == (Verdict.INVESTIGATE, Finding.ODD_ONE)
    assert advice.devices == ["station-2"]
    verdict = fleet.evidence.verdict
    assert verdict is not None
    difference = verdict.devices[0].differences[0]
    assert (difference.feature, difference.what, difference.unit) == ("wind", "mean", "m/s")
    assert difference.size == pytest.approx(2.0, abs=0.4)
    assert "wind reads" in advice.reasons[1]


def test_gauges_that_all_read_more_are_a_changed_world(fleet: Fleet) -> None:
    fleet.live(QUIET_WINDOWS)
    advice = fleet.live(4, broken=range(DEVICES))
    verdict = fleet.evidence.verdict
    assert verdict is not None
    assert verdict.who is Who.FLEET
    assert not verdict.devices
    assert (advice.verdict, advice.finding) == (Verdict.WAIT, Finding.NOT_YET)
    assert "waiting for labels" in advice.reasons[0]


def test_rows_as_in_training_move_nobody(fleet: Fleet) -> None:
    fleet.live(QUIET_WINDOWS)
    fleet.live(4)
    verdict = fleet.evidence.verdict
    assert verdict is not None
    assert verdict.judged == DEVICES
    assert not verdict.devices
    assert np.isfinite(verdict.ratio)
