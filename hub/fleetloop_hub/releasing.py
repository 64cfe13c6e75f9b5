"""A version's way from signed to a rollout and its end: delivery and tracking meet here."""

from collections.abc import Callable
from dataclasses import dataclass

from fleetloop_hub.challenging import Challenging
from fleetloop_hub.delivery.director import Director, Statement
from fleetloop_hub.delivery.listing import Image
from fleetloop_hub.delivery.rollouts import Rollouts
from fleetloop_hub.delivery.statements import Statements
from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.records import Version
from fleetloop_hub.retraining.outcomes import Outcomes
from fleetloop_hub.shadow_records import ShadowState
from fleetloop_hub.shadowing.gate import Ready, Ruling
from fleetloop_hub.spec.shadow_table import ShadowTerms
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.tracking.specs import Specs


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


class Releasing:
    """Begins rollouts and moves them on; for one thread at a time.

    Attributes:
        shadows: Versions beside champions, which rollouts may have to wait for.
    """

    def __init__(
        self, telemetry: Telemetry, registry: Registry, ways: Ways, outcomes: Outcomes
    ) -> None:
        """Take up every rollout where the catalog says it stood.

        Args:
            telemetry: What devices say.
            registry: The versions.
            ways: How a version reaches devices.
            outcomes: What follows from a rollout's end.
        """
        self._registry, self._ways, self._outcomes = registry, ways, outcomes
        self._rollouts = Rollouts(registry.catalog, telemetry, ways.director)
        self._specs = Specs(registry.catalog, registry.blobs)
        self.shadows = Challenging(registry.catalog, telemetry, ways.director, ways.image)

    def roll_out(self, model: str, number: int, cohort: str, *, replacing: bool, now: float) -> str:
        """Begin to move a cohort to a version; returns the rollout's key.

        Raises:
            GateError: No such version, a gate blocks it, or another model would have to go.
        """
        found = self._registry.releasable(model, number)
        self._rollouts.check_place(model, cohort, replacing=replacing)
        self._demand_shadow(found, cohort, now)
        return self._begin(found, cohort, now).key

    def look(self, now: float) -> None:
        """Begin what has been signed meanwhile, and move on every rollout that is open."""
        self._ways.statements.look(now)
        for version, cohort in self._ways.image.signed_meanwhile():
            ruling = self._ready(version, cohort, now)
            if ruling.ready is Ready.WAIT:
                continue
            if ruling.ready is Ready.OPEN:
                self._begin(version, cohort, now)
            self._ways.image.gone_to(version, cohort)
        for rollout in self._rollouts.open():
            self._move(rollout, now)
        self.shadows.look(now)

    def follow(self, version: Version) -> None:
        """Take a new version to wherever its model is told to run, as soon as it is signed."""
        self._ways.image.await_signatures(version, self._rollouts.cohorts_of(version.model))

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

    def _begin(self, version: Version, cohort: str, now: float) -> Rollout:
        self._ways.statements.look(now)
        self._ways.image.check(version)
        champion = self._registry.champion(version.model)
        control = None if champion is None else champion.number
        spec = self._specs.of(version.model)
        rollout, statement = self._rollouts.start(version, cohort, spec, control=control, now=now)
        self._ways.seed()
        self._ways.statements.tell(statement)
        return rollout

    def _move(self, rollout: Rollout, now: float) -> None:
        judged = self._rollouts.step(rollout, self._specs.of(rollout.model), now)
        if judged.statement is None:
            return
        self._ways.statements.tell(judged.statement)
        self._outcomes.note(judged.rollout)
        self._ways.seed()
