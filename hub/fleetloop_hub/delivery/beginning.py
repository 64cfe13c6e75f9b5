"""Begins a rollout, or says why not."""

from fleetloop_hub.delivery import quarantines
from fleetloop_hub.delivery.meaning import MOST_SETTLED
from fleetloop_hub.delivery.places import Inhabitant, Place, Places, is_of
from fleetloop_hub.delivery.rollout_states import Event
from fleetloop_hub.delivery.rollouts import Judged, Rollouts
from fleetloop_hub.delivery.sights import Sights
from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import Cohort, Passage, Rollout, RolloutState
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Version
from fleetloop_hub.spec.model_spec import ModelSpec

_HOUR_S = 3600.0


class Beginning:
    """From a version and a place to a rollout."""

    def __init__(self, catalog: Catalog, places: Places, sights: Sights) -> None:
        """Nothing is begun yet."""
        self._catalog, self._places, self._sights = catalog, places, sights

    def make(
        self, version: Version, place: Place, spec: ModelSpec, champion: int | None, now: float
    ) -> Rollout:
        """A rollout before its first step; it is not kept yet.

        Args:
            version: What.
            place: To whom.
            spec: Of its model.
            champion: What a cohort keeps that has nothing yet.
            now: Unix seconds.

        Raises:
            GateError: It is barred from every device there, or another part of the cohort has a
                rollout of its own on the way.
        """
        people = self._places.people(place, now)
        self._check_barred(version, people)
        self._check_free(place, {p.device for p in people})
        waits = spec.rollout.approval
        state = RolloutState.WAITING if waits else RolloutState.APPROVED
        count = len(self._catalog.all(Rollout)) + 1
        key = f"{version.model}-{version.number}-{place.cohort}-{count}"
        text = "waits for approval" if waits else "may begin"
        return Rollout(
            key=key,
            model=version.model,
            version=version.number,
            control=self._base(version.model, place.cohort, champion),
            cohort=place.cohort,
            where=place.where,
            place=place.name or place.cohort,
            salt=key,
            phases=list(spec.rollout.phases),
            phase=0,
            state=state,
            since=now,
            phase_since=now,
            started_at=now,
            expires_at=now + spec.rollout.expires_h * _HOUR_S,
            exempt=[p.device for p in people if version.artifact in p.sighting.quarantined],
            text=text,
            history=[Passage(at=now, state=state, text=text)],
        )

    def _base(self, model: str, cohort: str, champion: int | None) -> int | None:
        """What the devices of a cohort have, and keep meanwhile."""
        found = self._catalog.find(Cohort, cohort)
        if found is None or found.base is None or not is_of(found.base, model):
            return champion
        return int(found.base.rpartition("/")[2])

    def _check_barred(self, version: Version, people: list[Inhabitant]) -> None:
        barred = quarantines.barred_types(self._catalog, version.artifact)
        if not people or not all(p.hardware in barred for p in people):
            return
        kind = people[0].hardware
        raise GateError(
            f"{version.model}@{version.number} is in quarantine on {kind} ({barred[kind]}), and no"
            " other hardware is there. Nothing was rolled out; a person lifts it with `fleetloop "
            f"quarantine lift {version.artifact[:12]} {kind} --reason TEXT`"
        )

    def _check_free(self, place: Place, names: set[str]) -> None:
        for other in self._catalog.all(Rollout):
            apart = other.under_way and other.cohort == place.cohort and other.where and place.where
            if apart and not self._sights.names(other) & names:
                raise GateError(
                    f"rollout {other.key} to {other.place} is under way, and the devices of a "
                    "cohort share one statement: wait until it has ended, or end it with "
                    f"`fleetloop rollouts abort {other.key} --reason TEXT`. Nothing was rolled out"
                )
        cohort = self._catalog.find(Cohort, place.cohort)
        parts = set() if cohort is None else {kept.where for kept in cohort.settled}
        if place.where and place.where not in parts and len(parts) >= MOST_SETTLED:
            raise GateError(
                f"{len(parts)} parts of {place.cohort} have versions of their own, and no more can"
                f" be told apart: roll a version out to all of {place.cohort} first. Nothing was "
                "rolled out"
            )


def begin(rollouts: Rollouts, made: Rollout, spec: ModelSpec) -> Judged:
    """Keep a rollout, and open its first phase unless a person must approve it."""
    if made.state is RolloutState.WAITING:
        return rollouts.keep(made)
    text = "phase 1: the canary may take it"
    return rollouts.happen(made, Event.READY, text, spec, made.started_at)
