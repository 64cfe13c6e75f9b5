"""A small real model of every kind, its manifest made by the hub's own hands."""

from dataclasses import dataclass
from functools import cache

import msgspec
import numpy as np

from fleetloop_agent.ports import Rows
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.reports import Backlog, Reports
from fleetloop_firmware_sim.scenarios import tiny_onnx
from fleetloop_hub.monitoring.ingest import Ingest
from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.packaging.assembly import Origin, World, assemble, signature
from fleetloop_hub.spec.reading import parse
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.link import Received
from fleetloop_shared.manifest import OTHER, Manifest
from support.agent_board import SmallHost, StandingClock

KINDS = ["two classes", "three classes", "regression", "anomaly"]
COLOURS = ["red", "green", "blue"]
SIZES = ["1", "2", "10"]
WINDOW_ROWS = 64

_SPEC = """
[model]
name = "kind"
task = "{task}"
[[sources]]
csv = "rows.csv"
[label]
{label}
[[features]]
name = "heat"
unit = "degC"
[[features]]
name = "colour"
kind = "category"
categories = ["red", "green", "blue"]
[[features]]
name = "size"
kind = "category"
categories = ["1", "2", "10"]
[[candidates]]
name = "line"
family = "{family}"
[drift]
window_rows = 64
"""


@dataclass(frozen=True)
class _Kind:
    task: str
    label: str
    family: str
    classes: list[int]
    threshold: float
    score_range: tuple[float, float]
    artifact: bytes


_TABLE = {
    "two classes": _Kind(
        "classification",
        'column = "y"\nclasses = ["3", "7"]\npositive = "7"',
        "linear",
        [3, 7],
        0.4,
        (0.0, 1.0),
        tiny_onnx.classes([[-1.0, 1.0], [0.2, -0.2], [0.0, 0.4]], [0.0, 0.1]),
    ),
    "three classes": _Kind(
        "classification",
        'column = "y"\nclasses = ["dry", "rain", "snow"]',
        "linear",
        [0, 1, 2],
        0.0,
        (0.0, 1.0),
        tiny_onnx.classes([[1.0, 0.0, -1.0], [0.3, -0.3, 0.1], [0.0, 0.5, 0.2]], [0.0, 0.2, -0.1]),
    ),
    "regression": _Kind(
        "regression",
        'column = "y"\n[gates]\nmetric = "r2"',
        "linear",
        [],
        0.0,
        (800.0, 1200.0),
        tiny_onnx.values([100.0, 10.0, -5.0], 1000.0),
    ),
    "anomaly": _Kind(
        "anomaly",
        '[gates]\nmetric = "roc_auc"',
        "isolation-forest",
        [0, 1],
        0.7,
        (0.0, 1.0),
        tiny_onnx.classes([[0.0, 1.0], [0.0, 0.5], [0.0, 0.0]], [0.0, -0.5]),
    ),
}


def rows(count: int, seed: int = 0) -> Rows:
    """Undrifted rows: heat, then the places of a colour and of a size; some values are missing."""
    lot = np.random.default_rng(seed)
    columns = [
        lot.standard_normal(count),
        lot.choice(3, count, p=[0.6, 0.3, 0.1]),
        lot.choice(3, count, p=[0.5, 0.3, 0.2]),
    ]
    values: Rows = np.stack(columns, axis=1).astype(np.float32)
    values[lot.random(values.shape) < 0.03] = np.nan
    return values


def named(values: Rows) -> list[dict[str, object]]:
    """The same rows as a program on the device gives them."""
    return [
        {
            "heat": None if np.isnan(heat) else heat,
            "colour": None if np.isnan(colour) else [*COLOURS, "mauve"][int(colour)],
            "size": None if np.isnan(size) else [*SIZES, "11"][int(size)],
        }
        for heat, colour, size in values.tolist()
    ]


def odd_rows(count: int, seed: int = 0) -> Rows:
    """Rows in which some categories are none of those that the model knows."""
    values = rows(count, seed)
    lot = np.random.default_rng(seed + 1)
    values[:, 1:][lot.random((count, 2)) < 0.2] = OTHER
    return values


@cache
def model(kind: str, version: int = 1) -> tuple[Manifest, bytes]:
    """A model of a kind with its manifest."""
    made = _TABLE[kind]
    spec = parse(_SPEC.format(task=made.task, label=made.label, family=made.family))
    form = msgspec.structs.replace(
        signature(spec, made.classes, made.threshold, made.score_range),
        input_name=tiny_onnx.INPUT,
    )
    if kind == "anomaly":
        form = msgspec.structs.replace(form, class_names=["usual", "odd"])
    manifest, _ = assemble(
        spec,
        form,
        made.artifact,
        World(rows=rows(1_500), held_out=rows(100, seed=1)),
        Origin(version=version, floor=0, dataset="0" * 64, run="kind-1", created_at=0.0),
    )
    return manifest, made.artifact


def artifact(kind: str) -> Artifact:
    """The same model as the hub runs it."""
    manifest, data = model(kind)
    return Artifact(data, manifest.signature)


def predictor(kind: str) -> Predictor:
    """A device that serves it."""
    made = Predictor("station-1", 3, OrtRuntime(), StandingClock())
    made.load(*model(kind))
    return made


def report(served: Predictor, ingest: Ingest) -> None:
    """Send the hub all that has come together on the device."""
    reports = Reports("station-1", StandingClock(), SmallHost())
    nothing = Backlog(outbox=0, outbox_bytes=0, unkept=0)
    drafts = [
        *reports.of(served.collect(), served.manifest),
        reports.health(served.manifest, nothing, None),
    ]
    sent = []
    for seq, (topic, build) in enumerate(drafts, start=1):
        said = build(3, seq)
        payload = encode_compressed(said) if topic.row.compressed else encode(said)
        sent.append(Received(topic.at(device="station-1"), payload, retained=False))
    assert ingest.take(sent).stored == len(sent)
