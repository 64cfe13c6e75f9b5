"""Where a broker keeps nothing, what must last is said again whenever a device comes."""

from fleetloop_hub.fleet_records import Device
from fleetloop_hub.ports import Catalog
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.link import Received
from fleetloop_shared.messages import DeviceState
from fleetloop_shared.topics import Topic, parse


def cohorts_born(messages: list[Received], catalog: Catalog) -> set[str]:
    """The cohorts of the enrolled devices whose birth is among these messages."""
    found = [catalog.find(Device, device) for message in messages if (device := _born(message))]
    return {device.cohort for device in found if device is not None}


def _born(message: Received) -> str | None:
    address = parse(message.topic)
    if address is None or address.topic is not Topic.STATE:
        return None
    try:
        online = decode(message.payload, DeviceState).online
    except UndecodableError:
        return None
    return address.names["device"] if online else None
