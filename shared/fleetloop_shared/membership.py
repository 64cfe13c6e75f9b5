"""Who takes what: the one rule by which a device and the hub read a signed statement.

A statement names no device. Each finds out by its own name, hardware type and labels what is meant
for it, so that nobody who only writes to the broker can aim at one, and the hub foretells it.
"""

from collections.abc import Iterator

from fleetloop_shared import label_query
from fleetloop_shared.ids import bucket
from fleetloop_shared.label_query import Labels
from fleetloop_shared.messages import DesiredState, Release


def assigned(desired: DesiredState, device: str, hardware: str, labels: Labels) -> Release | None:
    """What a statement means for one device.

    The release, if the device is in the wave; else the first of what is settled that is meant for
    it; else what the control keeps. Whatever is barred from its hardware type is passed over.

    Args:
        desired: The statement, its queries checked.
        device: The device's name.
        hardware: Its hardware type.
        labels: Its own labels.

    Returns:
        None: keep what is there.
    """
    barred = desired.quarantined.get(hardware, ())
    offered = _offered(desired, device, label_query.known(device, hardware, labels))
    return next((r for r in offered if r.manifest_sha256 not in barred), None)


def in_wave(desired: DesiredState, device: str, hardware: str, labels: Labels) -> bool:
    """Whether a device is among those that take the release now."""
    return _takes(desired, device, label_query.known(device, hardware, labels))


def releases(desired: DesiredState) -> list[Release]:
    """Every release that a statement names, the one that is rolled out first."""
    control = [] if desired.control is None else [desired.control]
    return [desired.release, *(kept.release for kept in desired.settled), *control]


def queries(desired: DesiredState) -> list[str]:
    """Every label query of a statement."""
    return [desired.where, *(kept.where for kept in desired.settled)]


def _offered(desired: DesiredState, device: str, known: Labels) -> Iterator[Release]:
    if _takes(desired, device, known):
        yield desired.release
    for kept in desired.settled:
        if label_query.parse(kept.where)(known):
            yield kept.release
    if desired.control is not None:
        yield desired.control


def _takes(desired: DesiredState, device: str, known: Labels) -> bool:
    phase = desired.phase_by_hardware.get(known["hardware"], desired.phase)
    return bucket(device, desired.salt) < phase and label_query.parse(desired.where)(known)
