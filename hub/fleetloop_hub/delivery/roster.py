"""The devices of a rollout one by one: who has the version, who is on the way, who is not asked."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from fleetloop_hub.delivery.places import Inhabitant, Place, Places
from fleetloop_hub.delivery.quarantines import barred_types
from fleetloop_hub.delivery.sights import inside_of
from fleetloop_hub.delivery.standing import Standing, standing
from fleetloop_hub.fleet_records import Cohort, Rollout
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Version


class Progress(StrEnum):
    """How far a device is with a rollout."""

    HAS = "with it"
    ON_THE_WAY = "on the way"
    FAILED = "failed"
    LATER = "later"
    NOT_ASKED = "not asked"


_OF_STANDING = {
    Standing.OK: Progress.HAS,
    Standing.RUNNING: Progress.ON_THE_WAY,
    Standing.DEFERRED: Progress.ON_THE_WAY,
    Standing.UNSEEN: Progress.ON_THE_WAY,
    Standing.FAILED: Progress.FAILED,
    Standing.LOST: Progress.FAILED,
    Standing.EXEMPT: Progress.NOT_ASKED,
}


@dataclass(frozen=True)
class Concerned:
    """A device that a rollout is about.

    Attributes:
        device: Its name.
        hardware: Its hardware type.
        online: Whether it is there.
        progress: How far it is.
        standing: The same as phases count it; None for one whose phase has not opened.
    """

    device: str
    hardware: str
    online: bool
    progress: Progress
    standing: Standing | None


def roster(
    rollout: Rollout, lost_after_s: float, catalog: Catalog, telemetry: Telemetry, now: float
) -> list[Concerned]:
    """The devices of a rollout, those that failed first; of one that has ended, as they are now.

    Args:
        rollout: As it is.
        lost_after_s: Seconds of silence in the middle of an update after which a device is lost.
        catalog: Versions, cohorts and quarantines.
        telemetry: What devices say.
        now: Unix seconds.
    """
    version = catalog.find(Version, f"{rollout.model}/{rollout.version}")
    if version is None:
        return []
    people = Places(catalog, telemetry).people(Place(rollout.cohort, rollout.where), now)
    inside = {person.device for person in inside_of(rollout, people)}
    exempt = {*rollout.exempt, *barred_types(catalog, version.artifact)}
    cohort = catalog.find(Cohort, rollout.cohort)
    sequence = cohort.sequence if cohort else 0

    def concerned(person: Inhabitant) -> Concerned:
        stands: Standing | None = None
        if {person.device, person.hardware} & exempt:
            stands = Standing.EXEMPT
        elif person.device in inside or person.sighting.artifact == version.artifact:
            stands = standing(person.sighting, version.artifact, sequence, lost_after_s)
        if not rollout.under_way and stands in {Standing.RUNNING, Standing.UNSEEN}:
            stands = None
        progress = _OF_STANDING[stands] if stands else _without(rollout)
        return Concerned(person.device, person.hardware, person.sighting.online, progress, stands)

    ranks = [Progress.FAILED, Progress.ON_THE_WAY, Progress.HAS, Progress.LATER]
    found = [concerned(person) for person in people]
    return sorted(
        found,
        key=lambda one: ranks.index(one.progress) if one.progress in ranks else len(ranks),
    )


def counted(found: list[Concerned]) -> dict[Progress, int]:
    """How many devices are how far, in the order of `Progress`."""
    counts = Counter(one.progress for one in found)
    return {progress: counts[progress] for progress in Progress}


def _without(rollout: Rollout) -> Progress:
    """What is said of a device that was not told, or has gone back."""
    return Progress.LATER if rollout.under_way else Progress.NOT_ASKED
