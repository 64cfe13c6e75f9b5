"""The pages of data: dataset versions, and the queue of rows that wait for a label."""

import math
import time
from http import HTTPStatus
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request

from fleetloop_hub.data import compare, datasets
from fleetloop_hub.data.difference import Difference
from fleetloop_hub.data.told_labels import LabelDesk, ToldLabel
from fleetloop_hub.errors import AbsentError, DataError
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.records import Dataset, Model, Run
from fleetloop_hub.spec.labels import class_names, class_numbers
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.tracking.specs import Specs
from fleetloop_hub.web import exports, forms
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.page import Crumb, Place, page, paged
from fleetloop_hub.web.problem import ProblemError
from fleetloop_shared.manifest import REGRESSION

_DATA = Crumb("Data", "/data")
_COLUMNS = ("key", "model", "source", "rows", "waiting", "quarantined_rows", "added", "created_at")
_SHORT = 12
_QUEUE = 50
_FEATURES = 12
_DIFFERENCES = 50
"""So many are remembered: neither of two dataset versions can change."""


class _Truth(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a label.

    Attributes:
        device: Who has answered.
        prediction_id: What.
        label: What it should have been: a class by its number, or a number.
    """

    device: Annotated[str, msgspec.Meta(max_length=200)]
    prediction_id: Annotated[str, msgspec.Meta(max_length=200)]
    label: float


def data_pages(catalog: Catalog, blobs: Blobs) -> Blueprint:
    """The routes of dataset versions for people."""
    pages = Blueprint("data_pages", __name__)
    known: dict[tuple[str, str], Difference] = {}

    @pages.get("/data")
    @needs(Role.VIEWER)
    def data() -> Response:
        """Every dataset version, the newest first."""
        model = request.args.get("model", "")
        found = [d for d in catalog.all(Dataset) if model in {"", d.model}]
        found.sort(key=lambda d: d.created_at, reverse=True)
        if exports.asked_format():
            rows = [{name: getattr(d, name) for name in _COLUMNS} for d in found]
            return exports.answer("datasets", rows, _COLUMNS)
        return page(
            "data/data.html",
            Place("data", [_DATA]),
            ("data",),
            paging=paged(found),
            model=model,
            models=[m.key for m in catalog.all(Model)],
        )

    @pages.get("/data/<model>/<name>")
    @needs(Role.VIEWER)
    def version(model: str, name: str) -> Response:
        """One dataset version: its sources, checks, quarantine and drift."""
        found = _find(catalog, model, name)
        others = [d for d in datasets.versions(catalog, model) if d.key != found.key]
        return page(
            "data/version.html",
            Place("data", [_DATA, Crumb(model, f"/data?model={model}"), Crumb(found.key[:_SHORT])]),
            ("runs",),
            data=found,
            others=others[::-1],
            runs=[run for run in catalog.all(Run) if run.dataset == found.key],
        )

    @pages.get("/data/<model>/<name>/against/<other>")
    @needs(Role.VIEWER)
    def against(model: str, name: str, other: str) -> Response:
        """What tells one dataset version from another."""
        pair = [_find(catalog, model, one) for one in (other, name)]
        try:
            difference = known.get((pair[0].key, pair[1].key))
            if difference is None:
                told = [(one, blobs.path(one.key)) for one in pair]
                difference = compare.compare(told[0], told[1])
                known[pair[0].key, pair[1].key] = difference
                while len(known) > _DIFFERENCES:
                    known.pop(next(iter(known)))
        except DataError as error:
            raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error
        here = Crumb(name[:_SHORT], f"/data/{model}/{name}")
        return page(
            "data/against.html",
            Place("data", [_DATA, Crumb(model, f"/data?model={model}"), here, Crumb("Difference")]),
            difference=difference,
            model=model,
        )

    return pages


def labels_pages(catalog: Catalog, telemetry: Telemetry, blobs: Blobs) -> Blueprint:
    """The routes of the label queue."""
    pages = Blueprint("labels_pages", __name__)
    desk = LabelDesk(telemetry, lambda name: catalog.find(Device, name) is not None, time.time)
    specs = Specs(catalog, blobs)

    @pages.get("/labels")
    @needs(Role.VIEWER)
    def queue() -> Response:
        """Rows that devices sent and nobody has labelled, the newest first."""
        models = [model.key for model in catalog.all(Model)]
        model = request.args.get("model", models[0] if models else "")
        if model and model not in models:
            raise AbsentError(f"no model {model[:80]!r}: /models lists those there are")
        spec = specs.of(model) if model else None
        waiting = telemetry.unlabelled(model, _QUEUE) if model else []
        return page(
            "data/labels.html",
            Place("labels", [Crumb("Labels")]),
            ("labels",),
            model=model,
            models=models,
            features=spec.feature_names[:_FEATURES] if spec else [],
            classes=_classes(spec) if spec else {},
            waiting=waiting,
            labelled=telemetry.labelled_count(model)[0] if model else 0,
            early=sum(telemetry.labels_waiting().values()),
            most=_QUEUE,
        )

    @pages.post("/labels")
    @needs(Role.OPERATOR)
    def tell() -> Response:
        """Say what an answer should have been."""
        asked = forms.read(_Truth)
        if not math.isfinite(asked.label):
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "A label is a finite number.")
        told = ToldLabel(
            device=asked.device,
            prediction_id=asked.prediction_id,
            label=asked.label,
            at=time.time(),
        )
        receipt = desk.take([told], "console")
        if receipt.refused:
            raise ProblemError(HTTPStatus.CONFLICT, f"Not taken: {receipt.refused[0].text}.")
        model = request.args.get("model", "")
        return forms.done(f"{asked.prediction_id} is labelled.", f"/labels?model={model}")

    return pages


def _find(catalog: Catalog, model: str, name: str) -> Dataset:
    found = [d for d in datasets.versions(catalog, model) if d.key.startswith(name)]
    if len(found) != 1:
        raise AbsentError(f"no one dataset version of {model[:80]!r} begins with {name[:80]!r}")
    return found[0]


def _classes(spec: ModelSpec) -> dict[int, str]:
    """What a row can be, by the number of the class; empty for a regression."""
    if spec.model.task == REGRESSION:
        return {}
    numbers = class_numbers(spec.label) or [0, 1]
    return dict(zip(numbers, class_names(spec.label) or map(str, numbers), strict=True))
