"""Small real models with their manifests, and a predictor that serves them."""

from functools import cache

import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows, Runtime
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_firmware_sim.scenarios import tiny_onnx
from fleetloop_hub.packaging.reference import build_reference
from fleetloop_hub.packaging.thresholds import calibrate
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import (
    SCHEMA,
    Budget,
    Feature,
    Golden,
    Manifest,
    Signature,
    Transport,
)
from fleetloop_shared.manifest_check import check
from support.agent_board import StandingClock

NAMES = ["wind", "rain"]
DEVICE = "station-1"
WINDOW_ROWS = 50


def rows(count: int, seed: int = 0, width: int = len(NAMES)) -> Rows:
    """Undrifted rows: independent and standard normal."""
    values: Rows = np.random.default_rng(seed).standard_normal((count, width), np.float32)
    return values


def named(values: npt.NDArray[np.float32]) -> list[dict[str, float]]:
    return [dict(zip(NAMES, row, strict=True)) for row in values.tolist()]


@cache
def model(version: int = 1, bias: float = 0.0) -> tuple[Manifest, bytes]:
    """A logistic model of two features with its manifest."""
    artifact = tiny_onnx.logistic([1.0, -1.0], bias)
    reference_rows = rows(1_000)
    logits = reference_rows[:, 0] - reference_rows[:, 1] + bias
    scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
    reference = build_reference([Feature(name=name) for name in NAMES], reference_rows, scores)
    sha256 = sha256_hex(artifact)
    manifest = Manifest(
        schema=SCHEMA,
        model="storm",
        version=version,
        sha256=sha256,
        length_bytes=len(artifact),
        transport=Transport(
            encoding="identity",
            sha256=sha256,
            length_bytes=len(artifact),
            chunk_bytes=len(artifact),
            chunks=[sha256],
        ),
        signature=Signature(
            input_name=tiny_onnx.INPUT,
            score_name=tiny_onnx.OUTPUT,
            features=[Feature(name="wind", unit="m/s", low=-5.0, high=5.0), Feature(name="rain")],
            classes=[0, 1],
            positive=1,
            decision_threshold=0.5,
        ),
        reference=reference,
        thresholds=calibrate(
            reference,
            reference_rows,
            scores,
            window_rows=WINDOW_ROWS,
            false_alarms_per_million_rows=1000 / WINDOW_ROWS,
            seed=0,
        ),
        golden=Golden(inputs=[[0.0, 0.0]], outputs=[[0.5, 0.5]], tolerance=1.0),
        budget=Budget(artifact_bytes=100_000, latency_ms=50.0, memory_bytes=64_000_000),
        floor=0,
        hardware=[],
        dataset="0" * 64,
        run="storm-1",
        created_at=0.0,
    )
    return check(manifest), artifact


def predictor(runtime: Runtime | None = None, *, loaded: bool = True) -> Predictor:
    """A predictor in the third start of its device."""
    made = Predictor(DEVICE, 3, runtime or OrtRuntime(), StandingClock())
    if loaded:
        made.load(*model())
    return made
