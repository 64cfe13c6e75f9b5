"""Who is in a phase: a number of devices of each hardware type, drawn by their salted hashes."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fleetloop_shared.ids import bucket

BUCKETS = 10_000
DRAWS = 50
"""Salts that are tried for a canary that can answer."""

LEAST = 2
"""Of a hardware type with fewer devices none is taken early: nothing would be left beside it."""


@dataclass(frozen=True)
class Member:
    """A device that a rollout is about.

    Attributes:
        device: Its name.
        hardware: Its hardware type.
        online: Whether it is there.
    """

    device: str
    hardware: str
    online: bool = True


@dataclass(frozen=True)
class Wave:
    """Whom a phase lets in.

    Attributes:
        by_hardware: Upper bucket of each hardware type that is known.
        others: That of every other type.
    """

    by_hardware: dict[str, int]
    others: int

    def takes(self, device: str, hardware: str, salt: str) -> bool:
        """Whether a device is in it; the device computes the same."""
        return bucket(device, salt) < self.by_hardware.get(hardware, self.others)


def size(phase: float | str, devices: int) -> int:
    """How many of so many devices a phase is for: one at least, where there is any.

    >>> size(0.25, 6), size("2 devices", 6), size(1.0, 6), size(0.01, 6)
    (2, 2, 6, 1)
    """
    wanted = int(phase.split()[0]) if isinstance(phase, str) else round(phase * devices)
    return min(devices, max(1, wanted))


def quotas(wanted: int, devices: Mapping[str, int]) -> dict[str, int]:
    """How many devices of each hardware type make up so many: in proportion, by largest remainder.

    Where there is room, each type with two devices or more gets one at least.

    >>> quotas(3, {"pi3": 9, "pi4": 2, "x86": 1})
    {'pi3': 2, 'pi4': 1, 'x86': 0}
    """
    total = sum(devices.values())
    if total == 0:
        return {}
    wanted = min(wanted, total)
    large = [kind for kind, count in devices.items() if count >= LEAST]
    least = dict.fromkeys(devices, 0)
    if len(large) <= wanted:
        least |= dict.fromkeys(large, 1)
    share = {kind: wanted * count / total for kind, count in devices.items()}
    taken = {kind: max(least[kind], int(share[kind])) for kind in devices}
    order = sorted(devices, key=lambda kind: (share[kind] - taken[kind], devices[kind], kind))
    while sum(taken.values()) > wanted:
        fat = next(kind for kind in order if taken[kind] > least[kind])
        taken[fat] -= 1
        order.sort(key=lambda kind: (share[kind] - taken[kind], devices[kind], kind))
    while sum(taken.values()) < wanted:
        order.sort(key=lambda kind: (share[kind] - taken[kind], devices[kind], kind), reverse=True)
        taken[next(kind for kind in order if taken[kind] < devices[kind])] += 1
    return taken


def wave(
    members: Collection[Member], phase: float | str, wanted: int, salt: str, before: Wave
) -> Wave:
    """Whom a phase lets in, counted over the devices that are known now.

    Nobody who was let in before is sent away, and no more are let in than are wanted; of two
    devices with the same bucket at the border neither is.

    Args:
        members: The devices that the rollout is about.
        phase: As the spec has it.
        wanted: How many of them may have it.
        salt: Of the rollout.
        before: Who was let in by the phase before.
    """
    if phase == 1.0 and wanted >= len(members):
        return Wave(dict.fromkeys(sorted({m.hardware for m in members}), BUCKETS), BUCKETS)
    share = round(phase * BUCKETS) if isinstance(phase, float) else 0
    counts = Counter(m.hardware for m in members)
    found = {}
    for hardware, count in sorted(quotas(wanted, counts).items()):
        places = sorted(bucket(m.device, salt) for m in members if m.hardware == hardware)
        least = before.by_hardware.get(hardware, before.others if before.by_hardware else 0)
        found[hardware] = max(least, _border(places, count))
    others = max(before.others, share if not members or wanted >= size(phase, len(members)) else 0)
    return Wave(found, others)


def draw(name: str, members: Collection[Member], phase: float | str) -> str:
    """A salt whose first phase has as many devices as it is for, some of whom are there.

    Salts are tried in a fixed order, so that the draw is fair among those that fit, and repeatable.
    """
    wanted = size(phase, len(members))
    online = {m.hardware for m in members if m.online}
    best, most = f"{name}-0", (-1, -1)
    for attempt in range(DRAWS if members else 0):
        salt = f"{name}-{attempt}"
        inside = wave(members, phase, wanted, salt, Wave({}, 0))
        canary = [m for m in members if inside.takes(m.device, m.hardware, salt)]
        there = {m.hardware for m in canary if m.online}
        answers = there >= online & {m.hardware for m in canary} and bool(there) == bool(online)
        if answers and wanted - len(canary) <= wanted // 100:
            return salt
        found = (sum(m.online for m in canary), len(canary))
        if found > most:
            best, most = salt, found
    return best


def _border(places: list[int], count: int) -> int:
    """The upper bucket that lets in `count` of these, or fewer where two share the last one."""
    if count >= len(places):
        return (places[-1] + 1) if places else 0
    while count > 0 and places[count - 1] == places[count]:
        count -= 1
    return places[count - 1] + 1 if count else 0
