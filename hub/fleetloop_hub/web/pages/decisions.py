"""The pages of decisions: each with its reasons, its evidence, and what came of it."""

from flask import Blueprint, Response, request

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Model, Verdict
from fleetloop_hub.web import exports
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.page import Crumb, Place, page, paged
from fleetloop_hub.web.why_routes import LAST, find_decision, story_of
from fleetloop_hub.why import assembly
from fleetloop_hub.why.story import Story

_DECISIONS = Crumb("Decisions", "/decisions")
_COLUMNS = ("key", "model", "verdict", "trigger", "at", "version", "reasons", "outcome")
LEVELS = {
    Verdict.WAIT: "off",
    Verdict.INVESTIGATE: "warn",
    Verdict.RETRAIN: "busy",
    Verdict.ROLL_BACK: "bad",
}


def decisions_pages(catalog: Catalog) -> Blueprint:
    """The routes of decisions for people."""
    pages = Blueprint("decisions_pages", __name__)

    @pages.get("/decisions")
    @needs(Role.VIEWER)
    def decisions() -> Response:
        """Every decision, the newest first."""
        asked = {name: request.args.get(name, "")[:80] for name in ("model", "verdict")}
        found = [
            d
            for d in catalog.all(Decision)
            if asked["model"] in {"", d.model} and asked["verdict"] in {"", d.verdict}
        ]
        found.sort(key=lambda d: d.at, reverse=True)
        if exports.asked_format():
            rows = [{name: getattr(d, name) for name in _COLUMNS} for d in found]
            return exports.answer("decisions", rows, _COLUMNS)
        return page(
            "decisions/decisions.html",
            Place("decisions", [_DECISIONS]),
            ("decisions",),
            paging=paged(found),
            asked=asked,
            models=[model.key for model in catalog.all(Model)],
            verdicts=list(Verdict),
            levels=LEVELS,
        )

    @pages.get("/decisions/<key>")
    @needs(Role.VIEWER)
    def decision(key: str) -> Response:
        """What a decision rests on, and what came of it."""
        found = find_decision(catalog, key)
        return _story(assembly.of_decision(catalog, found), [_DECISIONS, Crumb(key)])

    @pages.get("/why/<model>", defaults={"which": LAST})
    @pages.get("/why/<model>/<which>")
    @needs(Role.VIEWER)
    def why(model: str, which: str) -> Response:
        """Why a version exists."""
        crumbs = [Crumb("Models", "/models"), Crumb(model, f"/models/{model}"), Crumb("Why")]
        return _story(story_of(catalog, model, which), crumbs)

    return pages


def _story(story: Story, crumbs: list[Crumb]) -> Response:
    return page(
        "decisions/why.html", Place("decisions", crumbs), ("decisions", "runs"), story=story
    )
