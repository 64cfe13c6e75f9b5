"""Where a device's life begins: what is on its flash and in its outbox, and what the hub knows."""

from collections.abc import Hashable
from dataclasses import dataclass

from fleetloop_agent.ports import Pending
from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.scenarios.power_cut import Beginning
from fleetloop_firmware_sim.scenarios.stand_in_hub import StandInHub
from fleetloop_shared.codec import decode
from fleetloop_shared.messages import ReportedState
from fleetloop_shared.reports import EventReport
from fleetloop_shared.topics import Topic

DEVICE = "board-1"
"""The device that every story is about."""


@dataclass(frozen=True)
class Situation(Beginning):
    """Where a device's life begins.

    Attributes:
        image: Its flash.
        outbox: The files of its outbox, by the end of their names.
        unsent: The reports in it.
        hub: What the hub knows; it goes its own way from here.
        now: Unix seconds.
    """

    image: Image
    outbox: dict[str, bytes]
    unsent: list[Pending]
    hub: StandInHub
    now: float

    @property
    def key(self) -> Hashable:
        """Beginnings that differ in the numbers of boots and reports and in the time are equal."""
        events = frozenset((event.kind, event.version) for event in self.hub.events.values())
        said = tuple(_plain(pending) for pending in self.unsent)
        believed = _timeless(self.hub.reported.get(DEVICE))
        trouble = (self.hub.went_back, bool(self.hub.contradictions), self.hub.signed)
        return self.image.key, events, said, believed, trouble


def _plain(pending: Pending) -> Hashable:
    if pending.topic is not Topic.EVENTS:
        return pending.topic
    event = decode(pending.payload, EventReport)
    return event.kind, event.version, event.reason


def _timeless(reported: ReportedState | None) -> Hashable:
    if reported is None:
        return None
    return (
        reported.state,
        reported.version,
        reported.target,
        reported.sequence,
        reported.attempts_left,
        tuple(reported.quarantined),
        reported.image_version,
        reported.director_version,
        reported.time_floor,
    )
