"""A whole hub over a simulated broker, and devices of which only the words are there."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fleetloop_firmware_sim.network import SimBroker, SimLink
from fleetloop_hub.data.additions import Additions
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.hub import Hub
from fleetloop_hub.hub_parts import Parts as HubParts
from fleetloop_hub.records import Model, Verdict, Version
from fleetloop_hub.relearning import PERSON
from fleetloop_hub.retraining.advice import Advice, Finding
from fleetloop_hub.retraining.decisions import Decisions
from fleetloop_shared.codec import encode
from fleetloop_shared.messages import DesiredState, DeviceState, Message, ReportedState
from fleetloop_shared.topics import Topic
from support.bundles import desired_in
from support.hubparts import Parts, RememberedAccounts, parts

PATIENCE_S = 60.0


class HubRig:
    """A hub that is stepped by the test."""

    def __init__(self, kept: Parts, folder: Path) -> None:
        self.kept = kept
        self.broker = SimBroker()
        self._folder = folder
        self._devices = SimLink(self.broker, "devices")
        self._devices.start(None)
        self.accounts = RememberedAccounts()
        self.hub = self.restarted()

    def restarted(self) -> Hub:
        """A new hub on the same storage."""
        self.link = SimLink(self.broker, "hub")
        self.link.start(None)
        self.hub = Hub(
            HubParts(
                catalog=self.kept.catalog,
                telemetry=self.kept.telemetry,
                blobs=self.kept.blobs,
                broker=self.accounts,
                link=self.link,
                trust=self.kept.trust,
                hub_password="secret",
                runs_dir=self._folder / "runs",
                additions=Additions(self.kept.catalog, self.kept.blobs, self._folder / "data"),
            )
        )
        return self.hub

    def look(self) -> None:
        """Step, with everything due."""
        self.hub._due = 0.0
        self.hub.step()

    def until(self, met: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not met():
            assert time.monotonic() < deadline
            self.look()
            time.sleep(0.02)

    def add_model(self, spec_text: str, name: str) -> None:
        text = self.kept.blobs.put(spec_text.encode())
        advice = Advice(Finding.CHANGED, Verdict.RETRAIN, PERSON, ["the first version"], [], {})
        Decisions(self.kept.catalog).record(name, advice, now=0.0)
        self.kept.catalog.put(Model(key=name, spec=text, floor=0, added_at=0.0))

    def say(self, device: str, topic: Topic, message: Message) -> None:
        retained = topic.row.retained
        self._devices.publish(topic.at(device=device), encode(message), retained=retained)

    def device(self, name: str, *, online: bool = True) -> None:
        """An enrolled device that has connected."""
        self.kept.catalog.put(
            Device(key=name, cohort="stations", hardware="x", password="p", enrolled_at=0.0)
        )
        state = DeviceState(online=online, boot=1, conn=1, agent="0.1.0", hardware="x")
        self.say(name, Topic.STATE, state)

    def serves(self, device: str, version: Version, *, gave_up: Version | None = None) -> None:
        """The device says that it runs a version, and which one it will not try again."""
        sequence = self.desired().sequence
        quarantined = [] if gave_up is None else [gave_up.artifact]
        reported = ReportedState(
            at=time.time(),
            boot=1,
            sequence=sequence,
            state="serving",
            model=version.model,
            version=version.number,
            artifact=version.artifact,
            quarantined=quarantined,
        )
        self.say(device, Topic.REPORTED, reported)

    def desired(self) -> DesiredState:
        """What the cohort is told now."""
        payload = self.broker.retained()[Topic.DIRECTOR.at(cohort="stations")]
        return desired_in(self.kept.trust, "stations", payload)


@contextmanager
def hub_rig(folder: Path) -> Iterator[HubRig]:
    with parts(folder) as kept:
        rig = HubRig(kept, folder)
        try:
            yield rig
        finally:
            rig.hub.stop()
