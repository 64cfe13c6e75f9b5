"""The page of a policy of retraining: its keys, its rules, and what others would have done."""

import msgspec
from flask import Blueprint, Response, request

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.errors import AbsentError
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Dataset, Model, Run
from fleetloop_hub.retraining.rules import RULES
from fleetloop_hub.simulating.desk import SimulationDesk
from fleetloop_hub.simulating.drawing import over_time
from fleetloop_hub.spec.reference import explained
from fleetloop_hub.spec.retrain_table import RetrainTable
from fleetloop_hub.tracking.specs import Specs
from fleetloop_hub.web import forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.api_waiting import TrialAsk, job_of
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_hub.web.pages.decisions import LEVELS


def retraining_pages(catalog: Catalog, blobs: Blobs, desk: SimulationDesk) -> Blueprint:
    """The routes of the policy."""
    pages = Blueprint("retraining", __name__)
    specs = Specs(catalog, blobs)

    @pages.get("/retraining")
    @needs(Role.VIEWER)
    def policy() -> Response:
        """When a model is trained anew, by which rules, and what they said last."""
        models = [model.key for model in catalog.all(Model)]
        model = request.args.get("model", models[0] if models else "")
        if model and model not in models:
            raise AbsentError(f"no model {model[:80]!r}: /models lists those there are")
        decided = [d for d in catalog.all(Decision) if d.model == model][-10:]
        return page(
            "decisions/retraining.html",
            Place("retraining", [Crumb("Retraining")]),
            ("decisions", "runs"),
            model=model,
            models=models,
            keys=_explained(specs.of(model).retrain) if model else [],
            rules=RULES,
            decided=decided[::-1],
            waiting=[r for r in catalog.all(Run) if r.model == model and r.state == "waiting"],
            levels=LEVELS,
            trial=desk.look(model),
            has_rows=any(d.model == model for d in catalog.all(Dataset)),
        )

    @pages.post("/retraining/<model>/simulate")
    @needs(Role.OPERATOR)
    def simulate(model: str) -> Response:
        """Replay the newest dataset version under every policy."""
        desk.start(model, job_of(catalog, blobs, specs, model, forms.read(TrialAsk)))
        return forms.done(
            "The replay has begun; its result comes here.", f"/retraining?model={model}"
        )

    @pages.get("/retraining/<model>/policies.svg")
    @needs(Role.VIEWER)
    def drawn(model: str) -> Response:
        """The last result as a picture."""
        found = desk.look(model).result
        if found is None:
            raise AbsentError(f"nothing was replayed of {model[:80]!r} yet")
        return Response(over_time(found), content_type="image/svg+xml")

    return pages


def _explained(table: RetrainTable) -> list[dict[str, object]]:
    """Every key of the policy: its value, whether that is the default, and what it is for."""
    usual = RetrainTable()
    _, told = explained(RetrainTable)
    return [
        {
            "name": name,
            "value": value,
            "usual": getattr(usual, name) == value,
            "text": told.get(name, ""),
        }
        for name, value in msgspec.structs.asdict(table).items()
    ]
