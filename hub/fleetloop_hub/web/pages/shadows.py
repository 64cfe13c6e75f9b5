"""The page of challengers that run beside champions."""

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.shadowing.views import views
from fleetloop_hub.spec.shadow_table import ShadowTerms
from fleetloop_hub.web import forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.named import version_named
from fleetloop_hub.web.page import Crumb, Place, page


class _Which(msgspec.Struct, frozen=True, kw_only=True):
    """The form: a version and a cohort.

    Attributes:
        which: MODEL@VERSION.
        cohort: On whose devices.
    """

    which: str
    cohort: str = "default"


def shadows_pages(catalog: Catalog, telemetry: Telemetry, actions: HubActions) -> Blueprint:
    """The routes of shadows for people."""
    pages = Blueprint("shadows", __name__)

    @pages.get("/shadows")
    @needs(Role.VIEWER)
    def shadows() -> Response:
        """What challengers have shown."""
        return page(
            "rollouts/shadows.html",
            Place("shadows", [Crumb("Shadow")]),
            ("rollouts", "devices"),
            shadows=views(catalog, telemetry),
        )

    @pages.post("/shadows")
    @needs(Role.OPERATOR)
    def start() -> Response:
        """Begin one."""
        asked = forms.read(_Which)
        model, number = version_named(asked.which)
        terms = ShadowTerms(rows_share=None, answer_share=None)
        actions.start_shadow(model, number, asked.cohort, terms)
        return forms.done(f"{asked.which} runs beside the champion of {asked.cohort}.", "/shadows")

    @pages.post("/shadows/stop")
    @needs(Role.OPERATOR)
    def stop() -> Response:
        """End one."""
        asked = forms.read(_Which)
        forms.confirmed(asked.which)
        model, number = version_named(asked.which)
        actions.stop_shadow(model, number, asked.cohort)
        return forms.done(f"{asked.which} runs beside the champion no more.", "/shadows")

    return pages
