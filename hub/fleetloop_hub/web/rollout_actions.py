"""What console, API and command line ask of rollouts, as promises."""

from abc import ABC, abstractmethod

import msgspec

from fleetloop_hub.delivery.plan import Plan
from fleetloop_hub.delivery.rollout_states import Event
from fleetloop_hub.fleet_records import LabelCohort, Quarantine, Rollout


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rollout that a person asks for.

    Attributes:
        model: The model.
        version: Its number.
        cohort: A cohort, or the name of a part of one.
        where: Label query that says which of its devices; "" is all.
        replacing: Whether another model may have to go.
    """

    model: str
    version: int
    cohort: str = "default"
    where: str = ""
    replacing: bool = False


class RolloutActions(ABC):
    """Called while nothing that the hub does of itself happens: see `HubActions.held`."""

    @abstractmethod
    def start(self, wanted: Wanted, now: float) -> str:
        """Begin a rollout; returns its key.

        Raises:
            AbsentError: No such version.
            GateError: A gate or a quarantine blocks it, nobody is there, or
                another model would have to go.
        """

    @abstractmethod
    def plan(self, wanted: Wanted, now: float) -> Plan:
        """What a rollout would do; nothing is begun.

        Raises:
            GateError: It could not begin.
        """

    @abstractmethod
    def happen(self, key: str, event: Event, text: str, now: float) -> Rollout:
        """Let a person's event happen to a rollout: approve, pause, resume, abort, withdraw.

        Args:
            key: The rollout's.
            event: What happens.
            text: Who has done it and why, in words.
            now: Unix seconds.

        Raises:
            AbsentError: There is no such rollout.
            GateError: The event means nothing where it stands.
        """

    @abstractmethod
    def define(self, name: str, where: str, home: str) -> LabelCohort:
        """Give a name to the devices of a cohort that a label query is about.

        Raises:
            GateError: The name is taken, or the query is none.
        """

    @abstractmethod
    def undefine(self, name: str) -> LabelCohort:
        """Forget such a name; devices keep what they have.

        Raises:
            AbsentError: There is none.
        """

    @abstractmethod
    def lift(self, key: str, why: str, now: float) -> Quarantine:
        """Let an artifact be offered to a hardware type again.

        Args:
            key: "SHA256/HARDWARE"; the hash may be shortened.
            why: Who lifts it and for what reason, in words.
            now: Unix seconds.

        Raises:
            AbsentError: There is no such quarantine.
        """
