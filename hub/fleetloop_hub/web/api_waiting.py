"""The HTTP API of what waits for people: rows without a label, and a policy to be tried."""

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from flask import Blueprint, Response

from fleetloop_hub.data import datasets
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.simulating.desk import SimulationDesk
from fleetloop_hub.simulating.job import Job
from fleetloop_hub.simulating.outcome import Simulation
from fleetloop_hub.spec.retrain_table import RetrainTable
from fleetloop_hub.tracking.specs import Specs
from fleetloop_hub.web import guard
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.speaking import Query, Speaks, asked
from fleetloop_shared.codec import encode
from fleetloop_shared.reports import Sample

UNITS_S = {"s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}
_SMALL_BYTES = 4_096


class QueueAsk(Query, frozen=True, kw_only=True):
    """The query of rows without a label.

    Attributes:
        limit: No more than so many, the newest first.
    """

    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 100


class WaitingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that a device sent and nobody has labelled.

    Attributes:
        device: Who has answered.
        sample: The row and the answer.
    """

    device: str
    sample: Sample


class WaitingRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows without a label.

    Attributes:
        features: What the values of a row are, in order.
        waiting: The rows, the newest first.
    """

    features: list[str]
    waiting: list[WaitingRow]


class TrialAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A replay of a model's newest dataset version under every policy.

    Attributes:
        devices: Over how many devices rows are dealt.
        unit: What 1 in the time column is; dates are seconds.
        delay: How long after its row a label is known, in this unit.
    """

    devices: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 4
    unit: Literal["s", "min", "h", "d"] = "s"
    delay: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """When a model is trained anew, and what other policies would have done.

    Attributes:
        policy: The spec's [retrain].
        running: How much of a replay is done, 0 to 1; null while none runs.
        failure: Why the last replay came to nothing, "" if it did not.
        simulation: What it has shown, null before the first.
    """

    policy: RetrainTable
    running: float | None
    failure: str
    simulation: Simulation | None


def waiting_api(
    catalog: Catalog, telemetry: Telemetry, blobs: Blobs, desk: SimulationDesk
) -> Blueprint:
    """The routes."""
    api = Blueprint("waiting_api", __name__, url_prefix="/api/v1")
    specs = Specs(catalog, blobs)

    @api.get("/models/<model>/unlabelled")
    @needs(Role.VIEWER)
    @Speaks(query=QueueAsk, gives=WaitingRows)
    def unlabelled(model: str) -> Response:
        """Rows of a model that devices sent and nobody has labelled, the newest first."""
        spec = specs.of(model)
        found = telemetry.unlabelled(model, asked(QueueAsk).limit)
        rows = [WaitingRow(device=device, sample=sample) for device, sample in found]
        return _json(WaitingRows(features=spec.feature_names, waiting=rows))

    @api.get("/models/<model>/policy")
    @needs(Role.VIEWER)
    @Speaks(gives=PolicyView)
    def policy(model: str) -> Response:
        """When a model is trained anew, and what other policies would have done."""
        return _json(_policy(specs, desk, model))

    @api.post("/models/<model>/policy/simulate")
    @needs(Role.OPERATOR)
    @Speaks(
        takes=TrialAsk,
        example={"devices": 4, "unit": "d", "delay": 45},
        gives=PolicyView,
        status=HTTPStatus.ACCEPTED,
    )
    def simulate(model: str) -> Response:
        """Begin to replay the newest dataset version under every policy."""
        told = guard.body(TrialAsk, _SMALL_BYTES)
        specs.of(model)
        desk.start(model, job_of(catalog, blobs, specs, model, told))
        return _json(_policy(specs, desk, model), HTTPStatus.ACCEPTED)

    return api


def job_of(catalog: Catalog, blobs: Blobs, specs: Specs, model: str, told: TrialAsk) -> Job:
    """What the replay's process is told.

    Raises:
        TrainingError: The model has no dataset version.
    """
    data = datasets.newest(catalog, model)
    return Job(
        spec=specs.text(model),
        rows=str(blobs.path(data.key)),
        name=f"dataset {data.key[:12]}",
        devices=told.devices,
        label_delay_s=told.delay * UNITS_S[told.unit],
        unit_s=UNITS_S[told.unit],
    )


def _policy(specs: Specs, desk: SimulationDesk, model: str) -> PolicyView:
    policy, standing = specs.of(model).retrain, desk.look(model)
    running = None if standing.progress is None else standing.progress.share
    return PolicyView(
        policy=policy, running=running, failure=standing.failure, simulation=standing.result
    )


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(value), status=status, content_type="application/json")
