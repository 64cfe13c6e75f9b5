"""Commands about what devices see and how they are: `fleetloop drift` and `fleetloop health`."""

import msgspec

from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, print_json
from fleetloop_hub.monitoring.overview import AnswerTimes, DeviceView
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables import drift as tables
from fleetloop_hub.verdict_records import FleetVerdict


class _Moved(msgspec.Struct, frozen=True):
    moved: list[FleetVerdict]
    devices: list[DeviceView]
    answers: AnswerTimes | None


def drift(*, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False) -> None:
    """Say who has moved: one device, one cohort or the whole fleet, in what and by how much."""
    found = find_hub(state_dir, hub, change=False).get("/overview", _Moved)
    if json:
        seeing = [d for d in found.devices if d.alarm or d.odd]
        print_json({"moved": found.moved, "devices": seeing})
    else:
        out.print(tables.drift_story(found.moved, found.devices))


def health(*, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False) -> None:
    """List how the devices' machines are: answers, processor, memory, disk, heat, spool, clock."""
    found = find_hub(state_dir, hub, change=False).get("/overview", _Moved)
    told = [d for d in found.devices if d.health is not None]
    if json:
        print_json({d.device: d.health for d in told})
    elif told:
        out.print(tables.health_story(told, found.answers))
    else:
        out.print("No device has reported its health yet: fleetloop devices")
