"""What there is to see of a rollout: its devices, how each stands, and how they do together."""

from collections.abc import Callable, Collection

from fleetloop_hub.delivery import quarantines
from fleetloop_hub.delivery.phasing import Wave, size
from fleetloop_hub.delivery.places import Inhabitant, Place, Places
from fleetloop_hub.delivery.rollout import Look
from fleetloop_hub.delivery.standing import Standing, standing
from fleetloop_hub.fleet_records import Cohort, Rollout, RolloutState
from fleetloop_hub.judgement_records import Judgement
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Version
from fleetloop_hub.spec.judge_table import JudgeTable
from fleetloop_hub.spec.model_spec import ModelSpec

TOLD = frozenset({RolloutState.OPEN, RolloutState.SOAKING, RolloutState.JUDGED})
"""States in which devices take the version."""

_SERVING = frozenset({Standing.OK, Standing.RUNNING})

Judge = Callable[[Rollout, Collection[str], Collection[str], JudgeTable, float], Judgement | None]
"""(rollout, treated devices, control, limits, now) → how they do; None: nothing to judge."""


class Sights:
    """Looks at devices; changes nothing."""

    def __init__(self, catalog: Catalog, places: Places, judge: Judge) -> None:
        """Everything is read when it is asked for.

        Args:
            catalog: Versions, cohorts and quarantines.
            places: Where devices are.
            judge: How those that took a version do beside the others.
        """
        self._catalog, self._places, self._judge = catalog, places, judge

    def look(self, rollout: Rollout, spec: ModelSpec, now: float) -> Look:
        """What there is to see of a rollout.

        Args:
            rollout: As it is.
            spec: Of its model.
            now: Unix seconds.
        """
        if rollout.state is RolloutState.HALTING:
            return Look(now, holders=self._holders(rollout, now))
        if rollout.state not in TOLD:
            return Look(now)
        artifact, people = self.version(rollout).artifact, self._people(rollout, now)
        exempt, inside = self._exempt(rollout), inside_of(rollout, people)
        cohort = self._catalog.find(Cohort, rollout.cohort)
        sequence, lost_s = cohort.sequence if cohort else 0, spec.rollout.lost_after_s
        standings = {
            p.device: Standing.EXEMPT
            if {p.device, p.hardware} & exempt
            else standing(p.sighting, artifact, sequence, lost_s)
            for p in inside
        }
        treated = [d for d, s in standings.items() if s in _SERVING]
        control = [p.device for p in people if p.device not in standings]
        judgement = None
        if treated and control and rollout.control is not None:
            judgement = self._judge(rollout, treated, control, spec.judge, now)
        nobody = bool(people) and all({p.device, p.hardware} & exempt for p in people)
        hardware = {p.device: p.hardware for p in inside}
        queued = 0
        if spec.rollout.at_once:
            asked = sum(not {p.device, p.hardware} & exempt for p in people)
            let_in = sum(s is not Standing.EXEMPT for s in standings.values())
            queued = max(0, size(rollout.phases[rollout.phase], asked) - let_in)
        return Look(now, standings, hardware, judgement, nobody=nobody, queued=queued)

    def counting(self, rollout: Rollout, now: float) -> list[Inhabitant]:
        """Devices that a phase counts: those that are asked to take the version."""
        exempt = self._exempt(rollout)
        return [p for p in self._people(rollout, now) if not {p.device, p.hardware} & exempt]

    def names(self, rollout: Rollout) -> set[str]:
        """The devices that a rollout is about."""
        return {p.device for p in self._people(rollout, 0.0)}

    def version(self, rollout: Rollout) -> Version:
        """What is rolled out.

        Raises:
            LookupError: It is not there any more.
        """
        version = self._catalog.find(Version, f"{rollout.model}/{rollout.version}")
        if version is None:
            raise LookupError(f"{rollout.model}/{rollout.version}")
        return version

    def _holders(self, rollout: Rollout, now: float) -> int:
        """Devices that are there, should have gone back, and have not."""
        if rollout.control is None:
            return 0  # there is nothing that they could go back to
        artifact = self.version(rollout).artifact
        seen = [p.sighting for p in self._people(rollout, now)]
        return sum(s.online and s.artifact == artifact for s in seen)

    def _people(self, rollout: Rollout, now: float) -> list[Inhabitant]:
        return self._places.people(Place(rollout.cohort, rollout.where), now)

    def _exempt(self, rollout: Rollout) -> set[str]:
        """Devices and hardware types that are not asked."""
        artifact = self.version(rollout).artifact
        return {*rollout.exempt, *quarantines.barred_types(self._catalog, artifact)}


def inside_of(rollout: Rollout, people: list[Inhabitant]) -> list[Inhabitant]:
    """Those of them that the open phase lets in."""
    now = Wave(rollout.phase_by_hardware, rollout.bucket)
    return [p for p in people if now.takes(p.device, p.hardware, rollout.salt)]
