"""What a device is asked to take: the rollouts under way that are about it, and how far it is."""

from dataclasses import dataclass

from fleetloop_hub.delivery.places import Inhabitant
from fleetloop_hub.delivery.sights import inside_of
from fleetloop_hub.delivery.standing import NEVER_SEEN, sight
from fleetloop_hub.fleet_records import Device, Rollout
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Version
from fleetloop_hub.telemetry_records import DevicePulse
from fleetloop_shared import label_query


@dataclass(frozen=True)
class Asked:
    """A rollout under way that is about a device.

    Attributes:
        rollout: The rollout.
        begun: Whether the device is in the open phase.
        has: Whether it has loaded the version.
    """

    rollout: Rollout
    begun: bool
    has: bool


def asked_of(
    device: Device, pulse: DevicePulse | None, catalog: Catalog, now: float
) -> list[Asked]:
    """What a device is asked, the newest first.

    Args:
        device: Which.
        pulse: What it last said.
        catalog: Rollouts and versions.
        now: Unix seconds.
    """
    sighting = NEVER_SEEN if pulse is None else sight(pulse, now)
    person = Inhabitant(device.key, device.hardware, sighting)
    labels = label_query.known(device.key, device.hardware, sighting.labels)
    found = []
    for rollout in catalog.all(Rollout):
        about = rollout.under_way and rollout.cohort == device.cohort
        if not about or not label_query.parse(rollout.where)(labels):
            continue
        version = catalog.find(Version, f"{rollout.model}/{rollout.version}")
        has = version is not None and sighting.artifact == version.artifact
        found.append(Asked(rollout, bool(inside_of(rollout, [person])), has))
    return sorted(found, key=lambda asked: -asked.rollout.started_at)
