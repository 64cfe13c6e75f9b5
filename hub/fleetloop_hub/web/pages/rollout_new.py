"""The page on which a rollout begins: what it would do first, then the word to do it."""

import time

import msgspec
from flask import Blueprint, Response, request

from fleetloop_hub.delivery.plan import Plan
from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import Device, LabelCohort
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Version, VersionState
from fleetloop_hub.web import forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.named import version_named
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_hub.web.problem import ProblemError
from fleetloop_hub.web.rollout_actions import Wanted

_READY = frozenset({VersionState.READY, VersionState.RELEASED, VersionState.REVERTED})
_MOST_SHOWN = 200
_NAMES = ("cohort", "where", "replacing")


class _Begin(msgspec.Struct, frozen=True, kw_only=True):
    """The form: a version as people write it, and to whom it goes.

    Attributes:
        which: MODEL@VERSION.
        cohort: A cohort, or the name of a part of one.
        where: Label query that says which of its devices; "" is all.
        replacing: "yes" if another model may have to go.
        reason: Why, in words, for the audit log.
        by: Who begins it.
    """

    which: str
    cohort: str = "default"
    where: str = ""
    replacing: str = ""
    reason: str = ""
    by: str = ""

    @property
    def wanted(self) -> Wanted:
        """The same as the hub takes it.

        Raises:
            ProblemError: It names no version.
        """
        model, number = version_named(self.which)
        return Wanted(
            model=model,
            version=number,
            cohort=self.cohort,
            where=self.where,
            replacing=self.replacing == "yes",
        )


def rollout_new_pages(catalog: Catalog, actions: HubActions) -> Blueprint:
    """The routes on which a rollout begins."""
    pages = Blueprint("rollout_new", __name__)

    @pages.get("/rollouts/new")
    @needs(Role.VIEWER)
    def ask() -> Response:
        """The form; once it says which version, also what would happen."""
        told = {name: request.args.get(name, "") for name in ("which", *_NAMES)}
        begin = _Begin(**told | {"cohort": told["cohort"] or "default"})
        plan, trouble = _planned(actions, begin)
        return page(
            "rollouts/new.html",
            Place("rollouts", [Crumb("Rollouts", "/rollouts"), Crumb("New")]),
            begin=begin,
            plan=plan,
            trouble=trouble,
            versions=_versions(catalog),
            cohorts=_cohorts(catalog),
            most=_MOST_SHOWN,
        )

    @pages.post("/rollouts/new")
    @needs(Role.OPERATOR)
    def start() -> Response:
        """Begin it."""
        begin = forms.read(_Begin)
        wanted = begin.wanted
        forms.confirmed(begin.which)
        key = actions.roll_out(
            wanted.model,
            wanted.version,
            wanted.cohort,
            where=wanted.where,
            replacing=wanted.replacing,
        )
        return forms.done(f"{key} has begun.", f"/rollouts/{key}")

    return pages


def _planned(actions: HubActions, begin: _Begin) -> tuple[Plan | None, str]:
    """What would happen, or why it cannot."""
    if not begin.which:
        return None, ""
    try:
        with actions.held():
            return actions.rollouts.plan(begin.wanted, time.time()), ""
    except (GateError, ProblemError) as error:
        return None, str(error)


def _versions(catalog: Catalog) -> list[str]:
    """The versions that may be rolled out, newest first."""
    found = [v for v in catalog.all(Version) if v.state in _READY]
    found.sort(key=lambda v: v.created_at, reverse=True)
    return [f"{v.model}@{v.number}" for v in found[:_MOST_SHOWN]]


def _cohorts(catalog: Catalog) -> list[str]:
    parts = [c.key for c in catalog.all(LabelCohort) if not c.gone]
    return sorted({*(d.cohort for d in catalog.all(Device)), *parts, "default"})
