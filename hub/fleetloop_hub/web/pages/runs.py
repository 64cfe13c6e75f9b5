"""The pages of runs: all of them, one with its plots, several side by side."""

from http import HTTPStatus

import msgspec
from flask import Blueprint, Response, render_template, request

from fleetloop_hub.errors import AbsentError
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog
from fleetloop_hub.records import Model, Run, RunState, Version
from fleetloop_hub.tracking.comparison import compare
from fleetloop_hub.tracking.kept import whole
from fleetloop_hub.tracking.summaries import RunSummary, runs_of, summaries
from fleetloop_hub.web import exports, forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.api import RunAsk
from fleetloop_hub.web.api_runs import AllowAsk, ByAsk
from fleetloop_hub.web.page import Crumb, Place, ordered_by, page, paged
from fleetloop_hub.web.problem import ProblemError
from fleetloop_hub.web.run_plots import RunPlots

_RUNS = Crumb("Runs", "/runs")
_COLUMNS = (
    "key",
    "model",
    "state",
    "started_at",
    "duration_s",
    "chosen",
    "metric",
    "metrics",
    "version",
    "asked_by",
    "reason",
)
_SORTS = ("started", "duration", "metric", "model")
MOST_COMPARED = 50
LEVELS = {
    RunState.QUEUED: "off",
    RunState.WAITING: "warn",
    RunState.RUNNING: "busy",
    RunState.FINISHED: "good",
    RunState.FAILED: "bad",
    RunState.CANCELLED: "off",
}


def runs_pages(catalog: Catalog, blobs: Blobs, actions: HubActions) -> Blueprint:
    """The routes of runs for people."""
    pages = Blueprint("runs_pages", __name__)
    plots = RunPlots(blobs)

    @pages.get("/runs")
    @needs(Role.VIEWER)
    def runs() -> Response:
        """Every run, the newest first."""
        asked = {name: request.args.get(name, "")[:80] for name in ("model", "state")}
        found = summaries(catalog, runs_of(catalog, model=asked["model"]))
        found = [r for r in found if asked["state"] in {"", r.state}]
        name, falling = ordered_by(_SORTS, "-started")
        found.sort(key=lambda r: _rank(r, name), reverse=falling)
        if exports.asked_format():
            rows = [{n: getattr(r, n) for n in _COLUMNS} for r in found]
            return exports.answer("runs", rows, _COLUMNS)
        return page(
            "runs/runs.html",
            Place("runs", [_RUNS]),
            ("runs",),
            paging=paged(found),
            asked=asked,
            sort=request.args.get("sort", "-started"),
            models=[model.key for model in catalog.all(Model)],
            states=list(RunState),
            levels=LEVELS,
            status=actions.status(),
        )

    @pages.get("/runs/compare")
    @needs(Role.VIEWER)
    def side_by_side() -> Response:
        """What differs between runs."""
        keys = list(dict.fromkeys(request.args.getlist("run")))[:MOST_COMPARED]
        chosen = [_find(catalog, key) for key in keys]
        everything = request.args.get("all") == "yes"
        compared = compare(chosen, everything=everything) if chosen else None
        return page(
            "runs/compare.html",
            Place("runs", [_RUNS, Crumb("Compare")]),
            runs=chosen,
            compared=compared,
            everything=everything,
            plot=_scores_plot(chosen),
            plots=len(chosen) > 1,
        )

    @pages.get("/runs/<key>")
    @needs(Role.VIEWER)
    def run(key: str) -> Response:
        """One run: what it was made of, what was tried, what came of it."""
        found = whole(_find(catalog, key), blobs)
        version = next((v for v in catalog.all(Version) if v.run == key), None)
        return page(
            "runs/run.html",
            Place("runs", [_RUNS, Crumb(key)]),
            ("runs",),
            plots=True,
            run=found,
            version=version,
            level=LEVELS[found.state],
            curves=_curves(found),
            drawable=plots.has_any(found),
            status=actions.status(),
        )

    @pages.get("/runs/<key>/plots")
    @needs(Role.VIEWER)
    def pictures(key: str) -> str:
        """Its plots as a part of its page, which asks for them once it is there."""
        names = plots.names(_find(catalog, key))
        return render_template("runs/plots.html", key=key, names=names)

    @pages.get("/runs/<key>/plots/<name>.svg")
    @needs(Role.VIEWER)
    def picture(key: str, name: str) -> Response:
        """One of its plots, drawn when it is asked for."""
        drawn = plots.draw(_find(catalog, key), name)
        return Response(drawn, content_type="image/svg+xml", headers={"Cache-Control": "private"})

    return pages


def runs_acts(catalog: Catalog, actions: HubActions) -> Blueprint:
    """What people do to runs from their pages."""
    pages = Blueprint("runs_acts", __name__)

    @pages.post("/runs")
    @needs(Role.OPERATOR)
    def train() -> Response:
        """Begin one."""
        asked = forms.read(RunAsk)
        key = actions.train(asked.model, "person", asked.reason, asked.by)
        return forms.done(f"{key} has begun, or waits for its turn.", f"/runs/{key}")

    @pages.post("/runs/<key>/<act>")
    @needs(Role.OPERATOR)
    def act(key: str, act: str) -> Response:
        """Cancel, or do again."""
        _find(catalog, key)
        if act == "cancel":
            forms.confirmed(key)
            actions.cancel(key, forms.read(ByAsk).by)
            return forms.done(f"{key} ends; nothing of it is used.", f"/runs/{key}")
        if act == "reproduce":
            again = actions.reproduce(key, forms.read(ByAsk).by)
            return forms.done(f"{again} does {key} again.", f"/runs/{again}")
        raise ProblemError(HTTPStatus.NOT_FOUND, f"{act[:40]!r} cannot be done to a run.")

    @pages.post("/runs/<key>/allow")
    @needs(Role.APPROVER)
    def allow(key: str) -> Response:
        """Agree to one that waits for a person's word."""
        _find(catalog, key)
        asked = forms.read(AllowAsk)
        actions.allow(key, asked.by, asked.reason)
        return forms.done(f"{key} may go on.", f"/runs/{key}")

    return pages


def _find(catalog: Catalog, key: str) -> Run:
    found = catalog.find(Run, key)
    if found is None:
        raise AbsentError(f"no run {key[:80]!r}: /runs lists those there are")
    return found


def _rank(run: RunSummary, name: str) -> tuple[bool, float | str]:
    """What a run is ordered by; one without a value comes before all others."""
    value = {
        "started": run.started_at,
        "duration": run.duration_s,
        "metric": run.metrics.get(run.metric),
        "model": run.model,
    }[name]
    return value is not None, "" if value is None and name == "model" else value or 0.0


def _curves(run: Run) -> list[dict[str, object]]:
    """What was measured as the candidates learned, as plots."""
    names = dict.fromkeys(name for candidate in run.candidates for name in candidate.curves)
    found: list[dict[str, object]] = []
    for name in names:
        learned = [c for c in run.candidates if name in c.curves]
        length = max(len(c.curves[name]) for c in learned)
        series = [
            {"name": c.name, "values": [*c.curves[name], *[None] * (length - len(c.curves[name]))]}
            for c in learned
        ]
        found.append(
            {
                "kind": "lines",
                "name": name.replace("_", " "),
                "x": list(range(1, length + 1)),
                "x_label": "epoch or round",
                "unit": name.replace("_", " "),
                "series": series,
            }
        )
    return found


def _scores_plot(runs: list[Run]) -> str:
    """The scores of several runs over time, as plots.js wants them."""
    ordered = sorted(runs, key=lambda run: run.started_at)
    metrics = dict.fromkeys(run.metric for run in ordered if run.metric)
    told = {
        "kind": "lines",
        "x": [run.started_at for run in ordered],
        "x_is": "time",
        "x_label": "started",
        "unit": "score",
        "series": [
            {
                "name": metric.replace("_", " "),
                "values": [
                    run.metrics.get(metric) if run.metric == metric else None for run in ordered
                ],
            }
            for metric in metrics
        ],
    }
    return msgspec.json.encode(told).decode()
