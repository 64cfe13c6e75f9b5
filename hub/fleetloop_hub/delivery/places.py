"""Where a rollout goes: cohorts, names for parts of them, and who is there."""

from dataclasses import dataclass

from msgspec.structs import replace

from fleetloop_hub.delivery.phasing import Member
from fleetloop_hub.delivery.standing import NEVER_SEEN, Sighting, sight
from fleetloop_hub.errors import AbsentError, GateError
from fleetloop_hub.fleet_records import Cohort, Device, LabelCohort, Token
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_shared import label_query
from fleetloop_shared.errors import QueryError


@dataclass(frozen=True)
class Place:
    """Devices that a rollout may be about.

    Attributes:
        cohort: Their cohort.
        where: Label query that says which of it; "" is all.
        name: What a person has called them.
    """

    cohort: str
    where: str = ""
    name: str = ""


@dataclass(frozen=True)
class Inhabitant:
    """A device that is enrolled.

    Attributes:
        device: Its name.
        hardware: Its hardware type.
        sighting: What it says of itself.
    """

    device: str
    hardware: str
    sighting: Sighting

    @property
    def member(self) -> Member:
        """The same as phases count it."""
        return Member(self.device, self.hardware, self.sighting.online)


class Places:
    """Finds devices by cohort and label query."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry) -> None:
        """Everything is read when it is asked for."""
        self._catalog, self._telemetry = catalog, telemetry

    def find(self, name: str, where: str = "") -> Place:
        """The place that a person means.

        Args:
            name: A cohort, or the name of a part of one.
            where: A label query that says more.

        Raises:
            GateError: The query is none; the text says where it goes wrong.
        """
        try:
            label_query.parse(where)
        except QueryError as error:
            raise GateError(f"{error}. Nothing was rolled out") from error
        part = self._part(name)
        if part is None:
            return Place(name, where, f"{name} where {where}" if where else name)
        if where:
            both = f"({part.where}) and ({where})"
            return Place(part.home, both, f"{name} where {where}")
        return Place(part.home, part.where, name)

    def check(self, place: Place, model: str, *, replacing: bool) -> None:
        """See that there is such a cohort, and that no other model would have to go from it.

        A cohort begins with its first device or token; a hub that has neither takes any.

        Args:
            place: Where.
            model: What is to be rolled out.
            replacing: Whether another model may go; a device runs one.

        Raises:
            GateError: There is none, or one would; the text says which.
        """
        known = {device.cohort for device in self._catalog.all(Device)}
        known |= {token.cohort for token in self._catalog.all(Token)}
        if known and place.cohort not in known:
            raise GateError(
                f"no device is in cohort {place.cohort}; there are: {', '.join(sorted(known))}. "
                "Nothing was rolled out; a new cohort begins with "
                f"`fleetloop token --cohort {place.cohort}`"
            )
        if place.where and not self.people(place):
            raise GateError(
                f"no device of cohort {place.cohort} matches {place.where}. Nothing was rolled out;"
                " labels come from each device's config: see `fleetloop devices --json`"
            )
        if replacing:
            return
        found = self._catalog.find(Cohort, place.cohort)
        others = [] if found is None else [k for k in found.versions if not is_of(k, model)]
        if others:
            raise GateError(
                f"cohort {place.cohort} runs {', '.join(others)}, and a device runs one model: it "
                "would stop answering there. Nothing was rolled out; name another --cohort, or "
                "--replace it"
            )

    def people(self, place: Place, now: float = 0.0) -> list[Inhabitant]:
        """The devices of a place, by name."""
        pulses = {p.device: p for p in self._telemetry.pulses()}
        query = label_query.parse(place.where)
        found = []
        for device in self._catalog.all(Device):
            if device.cohort != place.cohort:
                continue
            pulse = pulses.get(device.key)
            sighting = NEVER_SEEN if pulse is None else sight(pulse, now)
            if query(label_query.known(device.key, device.hardware, sighting.labels)):
                found.append(Inhabitant(device.key, device.hardware, sighting))
        return sorted(found, key=lambda one: one.device)

    def cohorts_of(self, model: str) -> list[str]:
        """The cohorts that are told to run a version of a model."""
        cohorts = self._catalog.all(Cohort)
        return [c.key for c in cohorts if any(is_of(key, model) for key in c.versions)]

    def define(self, name: str, where: str, home: str) -> LabelCohort:
        """Give a name to the devices of a cohort that a query is about.

        Raises:
            GateError: The name is taken, the home is no cohort, or the query is none or says all.
        """
        try:
            label_query.parse(where)
        except QueryError as error:
            raise GateError(f"{error}. No cohort was defined") from error
        devices = {device.cohort for device in self._catalog.all(Device)}
        tokens = {token.cohort for token in self._catalog.all(Token)}
        if not where.strip():
            raise GateError(f"an empty query is all of {home}, which has a name: say --where")
        if name in devices | tokens or self._catalog.find(Cohort, name) is not None:
            raise GateError(f"{name} is a cohort with devices of its own: choose another name")
        if home not in devices | tokens:
            known = ", ".join(sorted(devices | tokens))
            there = f"there are: {known}" if known else "nor in any: begin with fleetloop token"
            raise GateError(f"no device is in cohort {home}; {there}")
        made = LabelCohort(key=name, home=home, where=where)
        self._catalog.put(made)
        return made

    def undefine(self, name: str) -> LabelCohort:
        """Forget a name; what devices have stays as it is.

        Raises:
            AbsentError: There is none.
        """
        found = self._part(name)
        if found is None:
            known = ", ".join(c.key for c in self._catalog.all(LabelCohort) if not c.gone)
            raise AbsentError(
                f"no cohort {name[:64]!r} was defined by a label query; there are: "
                f"{known or 'none'}. Nothing was changed"
            )
        forgotten = replace(found, gone=True)
        self._catalog.put(forgotten)
        return forgotten

    def _part(self, name: str) -> LabelCohort | None:
        found = self._catalog.find(LabelCohort, name)
        return None if found is None or found.gone else found


def is_of(version: str, model: str) -> bool:
    """Whether a version's key is one of this model's."""
    return version.rpartition("/")[0] == model
