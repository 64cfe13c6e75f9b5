"""Draws a story from a seed: a small fleet, a few releases, and some trouble."""

import random

import msgspec

from fleetloop_firmware_sim.chaos.story import AIR, ATTACKER, BROKER, HUB, Act, Flavour, Kind, Story

COHORTS = ("north", "south")
MOST_DEVICES = 3
FIRST_ROLL_OUT_S = 1.0

_BAD = (Flavour.BRITTLE, Flavour.LYING, Flavour.BROKEN, Flavour.DEADLY)
_DAY_S = 86_400.0
_JUMPS_S = (-5.0, 30.0, -3_600.0, _DAY_S, -30 * _DAY_S, 400 * _DAY_S, -20_000 * _DAY_S)
_PLACES = ("report events", "journal/", "trust/", "artifacts/", "parts/", "loaded", "acknowledge")
_HUB_PLACES = ("catalog/cohort", "catalog/.journal", "catalog/alias", "blobs/", "director", "ack")
"""Acts about which a power cut is most telling."""

_AIMED = 0.6
"""Share of the power cuts that are aimed at such an act."""

_WEIGHTS = {
    Kind.POWER: 8,
    Kind.PARTITION: 3,
    Kind.STORM: 3,
    Kind.REPLAY: 4,
    Kind.RESTART: 2,
    Kind.FULL: 2,
    Kind.ROT: 2,
    Kind.READ_ONLY: 1,
    Kind.UNREADABLE: 1,
    Kind.JUMP: 1,
    Kind.DRIFT: 1,
}


def draw(seed: int) -> Story:
    """The story of a seed."""
    lot = random.Random(f"story {seed}")  # noqa: S311  # to be repeatable
    names = [f"device-{n}" for n in range(1, lot.randint(1, MOST_DEVICES) + 1)]
    cohorts = COHORTS[: lot.choice([1, 1, 2])]
    devices = {name: lot.choice(cohorts) for name in names}
    releases = [_flavour(lot, 0.15), *(_flavour(lot, 0.45) for _ in range(lot.randint(0, 2)))]
    quiet_s = 12.0 + 14.0 * len(releases) + lot.uniform(0.0, 15.0)
    acts = _roll_outs(lot, sorted(set(devices.values())), len(releases))
    for _ in range(lot.randint(1, 8)):
        acts.append(_trouble(lot, names, quiet_s))
    acts.sort(key=lambda act: act.at_s)
    return Story(seed=seed, devices=devices, releases=releases, acts=acts, quiet_s=quiet_s)


def _flavour(lot: random.Random, bad_ratio: float) -> Flavour:
    return lot.choice(_BAD) if lot.random() < bad_ratio else Flavour.GOOD


def _roll_outs(lot: random.Random, cohorts: list[str], versions: int) -> list[Act]:
    """Each version goes to each cohort; the next one may come before the last one is through."""
    return [
        Act(
            at_s=FIRST_ROLL_OUT_S + 14.0 * number + lot.uniform(0.0, 12.0) * (number > 0),
            kind=Kind.ROLL_OUT,
            who=cohort,
            count=number + 1,
        )
        for cohort in cohorts
        for number in range(versions)
    ]


def _trouble(lot: random.Random, devices: list[str], quiet_s: float) -> Act:
    kind = lot.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    device = lot.choice(devices)
    trouble = Act(at_s=lot.uniform(0.0, quiet_s), kind=kind, who=device, lot=lot.randrange(2**32))
    return msgspec.structs.replace(trouble, **_details(lot, kind, device))


def _details(lot: random.Random, kind: Kind, device: str) -> dict[str, object]:
    """Whom it hits, and how hard."""
    device_or_hub = lot.choice([device, device, HUB])
    for_s = lot.uniform(0.0, 15.0)
    details: dict[Kind, dict[str, object]] = {
        Kind.POWER: _cut(lot, device_or_hub) | {"for_s": for_s},
        Kind.FULL: {"who": device_or_hub, "count": lot.randint(1, 12)},
        Kind.ROT: {},
        Kind.READ_ONLY: {"for_s": for_s},
        Kind.UNREADABLE: {"for_s": for_s},
        Kind.PARTITION: {"who": device_or_hub, "for_s": for_s},
        Kind.STORM: {"who": AIR, "ratio": lot.choice([0.02, 0.1, 0.4]), "for_s": for_s},
        Kind.REPLAY: {"who": ATTACKER, "count": lot.randint(1, 12)},
        Kind.RESTART: {"who": BROKER, "for_s": for_s},
        Kind.JUMP: {"for_s": lot.choice(_JUMPS_S)},
        Kind.DRIFT: {"ratio": lot.choice([-0.5, -0.1, 0.1, 1.0])},
    }
    return details[kind]


def _cut(lot: random.Random, who: str) -> dict[str, object]:
    if lot.random() < _AIMED:
        place = lot.choice(_HUB_PLACES if who == HUB else _PLACES)
        return {"who": who, "place": place, "count": lot.randint(1, 3)}
    return {"who": who, "count": lot.randint(1, lot.choice([1, 3, 10, 30, 100]))}
