"""A version's way from signed to a rollout and its end: delivery and tracking meet here."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from fleetloop_hub.challenging import Challenging
from fleetloop_hub.delivery import quarantines
from fleetloop_hub.delivery.beginning import Beginning, begin
from fleetloop_hub.delivery.director import Director, Statement
from fleetloop_hub.delivery.listing import Image
from fleetloop_hub.delivery.places import Place, Places
from fleetloop_hub.delivery.plan import Plan, plan
from fleetloop_hub.delivery.rollout_states import Event, follow
from fleetloop_hub.delivery.rollouts import Judged, Rollouts
from fleetloop_hub.delivery.sights import Sights
from fleetloop_hub.delivery.statements import Statements
from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import LabelCohort, Quarantine, Rollout
from fleetloop_hub.judging.judging import Judging
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.records import Version
from fleetloop_hub.retraining.outcomes import Outcomes
from fleetloop_hub.shadow_records import ShadowState
from fleetloop_hub.shadowing.gate import Ready, Ruling
from fleetloop_hub.spec.shadow_table import ShadowTerms
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.tracking.specs import Specs
from fleetloop_hub.web.rollout_actions import RolloutActions, Wanted


@dataclass(frozen=True)
class Ways:
    """How a version reaches devices.

    Attributes:
        image: What exists.
        director: What to run.
        statements: Both, on their way to the broker.
        seed: Called when other content than before must be there to be fetched.
    """

    image: Image
    director: Director
    statements: Statements
    seed: Callable[[], None]


class Releasing(RolloutActions):
    """Begins rollouts and moves them on; for one thread at a time.

    Attributes:
        shadows: Versions beside champions, which rollouts may have to wait for.
        places: Cohorts, and who is in them.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        registry: Registry,
        ways: Ways,
        outcomes: Outcomes,
        judging: Judging,
    ) -> None:
        """Take up every rollout where the catalog says it stood.

        Args:
            telemetry: What devices say.
            registry: The versions.
            ways: How a version reaches devices.
            outcomes: What follows from a rollout's end.
            judging: How the devices that took a version do beside the others.
        """
        self._registry, self._ways, self._outcomes = registry, ways, outcomes
        self._judging = judging
        self.places = Places(registry.catalog, telemetry)
        sights = Sights(registry.catalog, self.places, judging.look)
        self._beginning = Beginning(registry.catalog, self.places, sights)
        self._rollouts = Rollouts(registry.catalog, ways.director, sights)
        self._specs = Specs(registry.catalog, registry.blobs)
        self.shadows = Challenging(registry.catalog, telemetry, ways.director, ways.image)

    def roll_out(
        self, model: str, number: int, place: Place, *, replacing: bool, now: float
    ) -> str:
        """Begin to move devices to a version; returns the rollout's key.

        Raises:
            GateError: No such version, a gate or a quarantine blocks it, nobody is there, or
                another model would have to go.
        """
        found = self._registry.releasable(model, number)
        self.places.check(place, model, replacing=replacing)
        self._demand_shadow(found, place.cohort, now)
        begun = self._begin(found, place, now)
        if not place.where:
            self._ways.image.gone_to(found, place.cohort)
        return begun.key

    def start(self, wanted: Wanted, now: float) -> str:
        place = self.places.find(wanted.cohort, wanted.where)
        return self.roll_out(
            wanted.model, wanted.version, place, replacing=wanted.replacing, now=now
        )

    def plan(self, wanted: Wanted, now: float) -> Plan:
        place, spec = self.places.find(wanted.cohort, wanted.where), self._specs.of(wanted.model)
        found = self._registry.releasable(wanted.model, wanted.version)
        self.places.check(place, wanted.model, replacing=wanted.replacing)
        made = self._made(found, place, now)
        people = self.places.people(place, now)
        planned = plan(made, found, people, spec.rollout, self._registry.catalog)
        return replace(planned, supersedes=[r.key for r in self._rollouts.same_place(made)])

    def happen(self, key: str, event: Event, text: str, now: float) -> Rollout:
        rollout = self._rollouts.find(key)
        if follow(rollout.state, event, rollout.resumes) is None:
            raise GateError(
                f"rollout {key} is {rollout.state}: {event} changes nothing there, and nothing was "
                f"changed; see `fleetloop rollouts show {key}`"
            )
        if event is Event.APPROVE:
            rollout = replace(rollout, approval=text)
        spec = self._specs.of(rollout.model)
        self._follow(self._rollouts.happen(rollout, event, text, spec, now))
        return self._rollouts.find(key)

    def lift(self, key: str, why: str, now: float) -> Quarantine:
        lifted = quarantines.lift(self._registry.catalog, key, why, now)
        self._bar(now)
        return lifted

    def define(self, name: str, where: str, home: str) -> LabelCohort:
        return self.places.define(name, where, home)

    def undefine(self, name: str) -> LabelCohort:
        return self.places.undefine(name)

    def look(self, now: float) -> None:
        """Begin what has been signed meanwhile, and move on every rollout that is under way."""
        self._ways.statements.look(now)
        for version, cohort, decision in self._ways.image.signed_meanwhile():
            ruling = self._ready(version, cohort, now)
            if ruling.ready is Ready.WAIT:
                continue
            if ruling.ready is Ready.OPEN:
                self._begin_or_say(version, cohort, decision, now)
            self._ways.image.gone_to(version, cohort)
        for ended in self._outcomes.catch_up():
            self._judging.forget(ended.key)
        for rollout in self._rollouts.under_way():
            spec = self._specs.of(rollout.model)
            self._follow(self._rollouts.step(rollout, spec, now))
        self._bar(now)
        self.shadows.look(now)

    def follow(self, version: Version, decision: str) -> None:
        """Take a version to wherever its model is told to run, as soon as it is signed.

        Args:
            version: A new one, or the one to go back to.
            decision: Key of the decision that asks for it, and will know what came of it.
        """
        cohorts = self.places.cohorts_of(version.model)
        self._ways.image.await_signatures(version, cohorts, decision)

    def is_listed(self, version: Version, now: float) -> bool:
        """Whether a version is signed by all who must."""
        self._ways.statements.look(now)
        return self._ways.image.lists(version)

    def shadow(self, model: str, number: int, cohort: str, terms: ShadowTerms, now: float) -> None:
        """Have a version run beside the champion of a cohort, without moving the champion.

        Raises:
            GateError: It may not go to devices, or cannot run beside anything there.
        """
        version = self._registry.releasable(model, number)
        self._ways.statements.look(now)
        self._tell(
            self.shadows.start(version, cohort, terms.over(self._specs.of(model).shadow), now)
        )

    def end_shadow(self, model: str, number: int, cohort: str, now: float) -> None:
        """Have it run there no more.

        Raises:
            GateError: It does not.
        """
        run = self.shadows.find(model, number, cohort)
        self._tell(self.shadows.stop(run, ShadowState.STOPPED, f"stopped; {run.text}", now))

    def _ready(self, version: Version, cohort: str, now: float) -> Ruling:
        table = self._specs.of(version.model).shadow
        ruling, statement = self.shadows.ready_to_open(version, cohort, table, now)
        self._tell(statement)
        if ruling.text and ruling.ready is not Ready.WAIT:
            self._outcomes.follow(version, ruling.text, now)
        return ruling

    def _demand_shadow(self, version: Version, cohort: str, now: float) -> None:
        """See that a version has shown what the spec demands before a person rolls it out.

        Raises:
            GateError: It has not.
        """
        table = self._specs.of(version.model).shadow
        if not self.shadows.demands(version, cohort, table):
            return
        ruling = self._ready(version, cohort, now)
        if ruling.ready is not Ready.OPEN:
            raise GateError(
                f"the spec's [shadow] demands more before {version.model}@{version.number} is "
                f"rolled out to {cohort}: {ruling.text}. Nothing was rolled out; see `fleetloop "
                "shadow show`"
            )

    def _tell(self, statement: Statement | None) -> None:
        if statement is not None:
            self._ways.seed()
            self._ways.statements.tell(statement)

    def _begin_or_say(self, version: Version, cohort: str, decision: str, now: float) -> None:
        """Begin what the hub wants by itself; that it may not is noted, and stops nothing else."""
        try:
            self._begin(version, self.places.find(cohort), now, decision)
        except GateError as error:
            self._outcomes.follow(version, f"not rolled out to {cohort}: {error}", now, decision)

    def _begin(self, version: Version, place: Place, now: float, decision: str = "") -> Rollout:
        self._ways.statements.look(now)
        self._ways.image.check(version)
        spec = self._specs.of(version.model)
        made = replace(self._made(version, place, now), decision=decision)
        begun = begin(self._rollouts, made, spec)
        self._follow(begun)
        return begun.rollout

    def _made(self, version: Version, place: Place, now: float) -> Rollout:
        champion = self._registry.champion(version.model)
        control = None if champion is None else champion.number
        return self._beginning.make(version, place, self._specs.of(version.model), control, now)

    def _follow(self, judged: Judged) -> None:
        """What was decided is durable; say it, and have its consequences."""
        if judged.effect is not None:
            self._outcomes.note(judged.rollout)
        if not judged.rollout.under_way:
            self._judging.forget(judged.rollout.key)
        self._tell(judged.statement)

    def _bar(self, now: float) -> None:
        """Say to every cohort what has been put into quarantine, or lifted."""
        for statement in self._ways.director.barring(now):
            self._tell(statement)
