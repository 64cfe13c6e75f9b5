"""What a rollout would do, before it does anything: who would get it, in which phase, and when."""

import msgspec
from msgspec.structs import replace

from fleetloop_hub.delivery import quarantines
from fleetloop_hub.delivery.phasing import BUCKETS, Wave, draw, size, wave
from fleetloop_hub.delivery.places import Inhabitant
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Version
from fleetloop_hub.spec.rollout_table import RolloutTable
from fleetloop_shared.ids import bucket

_HOUR_S = 3600.0


class PlannedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device of the place.

    Attributes:
        device: Its name.
        hardware: Its hardware type.
        phase: From 1, 0 for one that is not asked.
        begins_s: Seconds after its phase has opened at which it begins.
        note: Why it is not asked, or what will hold it up; "" for nothing.
    """

    device: str
    hardware: str
    phase: int
    begins_s: float
    note: str


class PlannedPhase(msgspec.Struct, frozen=True, kw_only=True):
    """A phase.

    Attributes:
        number: From 1.
        phase: As the spec has it.
        devices: How many have the version when it has passed.
        earliest_s: Seconds from now before which it does not open.
        opens: When it opens, in words.
    """

    number: int
    phase: float | str
    devices: int
    earliest_s: float
    opens: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen.

    Attributes:
        model: The model.
        version: Its version.
        control: What the others keep meanwhile, None if they have nothing.
        place: To whom.
        phases: In their order.
        devices: By phase and name; those that are not asked are last.
        supersedes: Rollouts under way that would give way.
    """

    model: str
    version: int
    control: int | None
    place: str
    phases: list[PlannedPhase]
    devices: list[PlannedDevice]
    supersedes: list[str]


def plan(
    made: Rollout,
    version: Version,
    people: list[Inhabitant],
    table: RolloutTable,
    catalog: Catalog,
) -> Plan:
    """What a rollout would do if it began now, and the same devices were there."""
    barred = quarantines.barred_types(catalog, version.artifact)
    asked = [p for p in people if p.hardware not in barred and p.device not in made.exempt]
    members = [p.member for p in asked]
    salt = draw(made.key, members, made.phases[0])
    phase_of: dict[str, int] = {}
    inside = Wave({}, 0)
    phases, earliest_s = list[PlannedPhase](), 0.0
    for number, phase in enumerate(made.phases, 1):
        inside = wave(members, phase, size(phase, len(members)), salt, inside)
        for member in members:
            if inside.takes(member.device, member.hardware, salt):
                phase_of.setdefault(member.device, number)
        phases.append(
            PlannedPhase(
                number=number,
                phase=phase,
                devices=len(phase_of),
                earliest_s=earliest_s,
                opens=_opens(number, table),
            )
        )
        earliest_s += table.start_after_h * _HOUR_S + table.phase_soak_s
    planned = [_device(p, phase_of.get(p.device, 0), salt, table) for p in asked]
    left_out = [
        replace(_device(p, 0, salt, table), note=_why_not(p, barred))
        for p in people
        if p.device not in {a.device for a in asked}
    ]
    return Plan(
        model=made.model,
        version=made.version,
        control=made.control,
        place=made.place,
        phases=phases,
        devices=sorted(planned, key=lambda d: (d.phase, d.device)) + left_out,
        supersedes=[],
    )


def _opens(number: int, table: RolloutTable) -> str:
    if number > 1:
        soak = f", at least {table.phase_soak_s:g} s after" if table.phase_soak_s else " when"
        return f"{soak.removeprefix(', ')} phase {number - 1} has gone well".strip()
    return "when a person has approved it" if table.approval else "at once"


def _device(person: Inhabitant, phase: int, salt: str, table: RolloutTable) -> PlannedDevice:
    begins_s = table.start_after_h * _HOUR_S
    begins_s += table.spread_s * bucket(person.device, f"{salt} spread") / BUCKETS
    return PlannedDevice(
        device=person.device,
        hardware=person.hardware,
        phase=phase,
        begins_s=begins_s if phase else 0.0,
        note="" if person.sighting.online else "is off, and begins when it is back",
    )


def _why_not(person: Inhabitant, barred: dict[str, str]) -> str:
    if person.hardware in barred:
        return f"in quarantine on {person.hardware}: {barred[person.hardware]}"
    return "has given it up before, and does not try it again"
