"""The forms of answers that are no record or view by themselves."""

import msgspec

from fleetloop_hub.audit_records import AuditEntry
from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import LabelCohort, Quarantine, Rollout
from fleetloop_hub.monitoring.overview import AttemptView, DeviceView
from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.records import Dataset
from fleetloop_hub.shadowing.shown import ShadowView
from fleetloop_hub.tracking.lineage import Descent
from fleetloop_hub.tracking.summaries import RunSummary
from fleetloop_hub.web.paging import Page


class Devices(Page, frozen=True, kw_only=True):
    """Devices by id, each with the last that it said."""

    devices: list[DeviceView]


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    """A model with its versions in brief.

    Attributes:
        model: Its name.
        versions: How many there are, given-up ones among them.
        newest: The number of the one that was made last, null before the first.
        champion: The number of the one that the fleet is meant to run, null if there is none.
        spec: SHA-256 of the spec that it is trained by, "" if that is not known.
    """

    model: str
    versions: int
    newest: int | None
    champion: int | None
    spec: str


class Models(Page, frozen=True, kw_only=True):
    """Models by name."""

    models: list[ModelView]


class Versions(Page, frozen=True, kw_only=True):
    """Model versions, newest first."""

    versions: list[VersionView]


class Attempts(Page, frozen=True, kw_only=True):
    """What was tried on devices and hub and came to nothing, the last one first."""

    attempts: list[AttemptView]


class Rollouts(Page, frozen=True, kw_only=True):
    """Rollouts, newest first."""

    rollouts: list[Rollout]


class Decisions(Page, frozen=True, kw_only=True):
    """Decisions, newest first."""

    decisions: list[Decision]


class Runs(Page, frozen=True, kw_only=True):
    """Runs in brief, newest first."""

    runs: list[RunSummary]


class Datasets(Page, frozen=True, kw_only=True):
    """Dataset versions, newest first, without faults, drift, names and devices."""

    datasets: list[Dataset]


class Cohorts(Page, frozen=True, kw_only=True):
    """Parts of cohorts that have a name, by name."""

    cohorts: list[LabelCohort]


class Quarantines(Page, frozen=True, kw_only=True):
    """What was or is not offered to a hardware type, newest first."""

    quarantine: list[Quarantine]


class Shadows(Page, frozen=True, kw_only=True):
    """The newest challengers beside champions, the last one first."""

    shadows: list[ShadowView]


class Descents(Page, frozen=True, kw_only=True):
    """Where a model's versions come from and where they are, by number."""

    versions: list[Descent]


class AuditPage(Page, frozen=True, kw_only=True):
    """The audit log, oldest first.

    Attributes:
        entries: Each as it was written and bound to the one before.
        count: How many there are in all.
        last: The hash of the last one of all; "" without any.
    """

    entries: list[AuditEntry]
    count: int
    last: str


class LabelsWaiting(msgspec.Struct, frozen=True, kw_only=True):
    """Late labels whose rows have not come.

    Attributes:
        waiting: How many, by device.
        sources: Label sources that have an account at the broker.
    """

    waiting: dict[str, int]
    sources: list[str]


class TokenMade(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time token for a new device.

    Attributes:
        token: It; it is told this once.
    """

    token: str


class ModelKnown(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was taken in.

    Attributes:
        model: Its name.
    """

    model: str


class RunNamed(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was started, ended or agreed to.

    Attributes:
        run: Its key.
    """

    run: str


class RolloutNamed(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout that was begun.

    Attributes:
        rollout: Its key.
    """

    rollout: str


class SaidOf(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of a version to which a person has said something.

    Attributes:
        state: What may be done with it now.
    """

    state: str
