"""Makes small releases, as a hub does, so that a story needs no hub.

The models are real and tiny; everything a device checks about them is true.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleetloop_agent.ports import Rows
from fleetloop_firmware_sim.scenarios import tiny_onnx
from fleetloop_shared import manifest as mf
from fleetloop_shared.chunks import pack, split
from fleetloop_shared.codec import encode
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest_check import check
from fleetloop_shared.messages import Release
from fleetloop_shared.profile import (
    SCORE_BINS,
    DriftThresholds,
    ReferenceFeature,
    ReferenceProfile,
    ScaleThresholds,
)

MODEL = "tiny"
FEATURES = ("code", "level")
BRITTLE_ABOVE = 9
"""A brittle model fails on rows whose code is above this; those of `steady_rows` are not."""

_NEVER = 1e9


@dataclass(frozen=True)
class Packed:
    """A release and all the bytes that are published for it.

    Attributes:
        release: As a desired state names it.
        manifest: All about it.
        document: The manifest's bytes, whose hash the image repository lists.
        chunks: The artifact on its way.
        artifact: The ONNX file.
    """

    release: Release
    manifest: mf.Manifest
    document: bytes
    chunks: list[bytes]
    artifact: bytes


def steady_rows(count: int, seed: int = 0) -> Rows:
    """Rows such as the models were made for: codes 0 to 9, levels about 0."""
    lot = np.random.default_rng(seed)
    codes = lot.integers(0, BRITTLE_ABOVE + 1, count)
    return np.stack([codes, lot.normal(0.0, 1.0, count)], axis=1).astype(np.float32)


def changed_rows(count: int, seed: int = 0) -> Rows:
    """Rows of a larger world: codes above 9."""
    rows = steady_rows(count, seed)
    rows[:, 0] += BRITTLE_ABOVE + 1
    return rows


def make(version: int, *, brittle: bool = False, chunk_bytes: int = 128) -> Packed:
    """A release.

    Args:
        version: Its number; it also moves the model, so that no two answer alike.
        brittle: Whether it fails on `changed_rows`, though not on its golden inputs.
        chunk_bytes: Small, so that there are several chunks.
    """
    weights, bias = (-0.2, 0.5 + 0.1 * version), 0.3
    artifact = (
        tiny_onnx.brittle(weights, bias, BRITTLE_ABOVE)
        if brittle
        else tiny_onnx.logistic(weights, bias)
    )
    transport, encoded = pack(artifact, chunk_bytes)
    rows = steady_rows(256, seed=version)
    scores = [_score(row, weights, bias) for row in rows]
    manifest = mf.Manifest(
        schema=mf.SCHEMA,
        model=MODEL,
        version=version,
        sha256=sha256_hex(artifact),
        length_bytes=len(artifact),
        transport=transport,
        signature=_signature(),
        reference=_reference(rows, scores),
        thresholds=_thresholds(),
        golden=mf.Golden(
            inputs=rows[:8].tolist(), outputs=[[1.0 - s, s] for s in scores[:8]], tolerance=1e-4
        ),
        budget=mf.Budget(artifact_bytes=100_000, latency_ms=1000.0, memory_bytes=500_000_000),
        floor=0,
        hardware=[],
        dataset=sha256_hex(rows.tobytes()),
        run=f"{MODEL}-{version}",
        created_at=0.0,
    )
    document = encode(check(manifest))
    release = Release(
        model=MODEL,
        version=version,
        manifest_sha256=sha256_hex(document),
        manifest_bytes=len(document),
    )
    return Packed(release, manifest, document, split(encoded, chunk_bytes), artifact)


def _signature() -> mf.Signature:
    return mf.Signature(
        input_name=tiny_onnx.INPUT,
        score_name=tiny_onnx.OUTPUT,
        features=[mf.Feature(name=name) for name in FEATURES],
        classes=[0, 1],
        positive=1,
        decision_threshold=0.5,
    )


def _score(row: Sequence[float], weights: Sequence[float], bias: float) -> float:
    logit = sum(w * x for w, x in zip(weights, row, strict=True)) + bias
    return 1.0 / (1.0 + math.exp(-logit))


def _reference(rows: Rows, scores: list[float]) -> ReferenceProfile:
    features = []
    for column, name in enumerate(FEATURES):
        values = rows[:, column]
        edges = np.unique(np.quantile(values, [0.25, 0.5, 0.75])).astype(np.float32)
        counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        features.append(
            ReferenceFeature(
                name=name,
                edges=edges.tolist(),
                counts=counts.tolist(),
                missing=0,
                mean=float(values.mean()),
                sd=float(values.std()),
            )
        )
    return ReferenceProfile(
        rows=len(rows),
        features=features,
        correlations=[float(np.atleast_2d(np.corrcoef(rows.T))[0, 1])],
        score_counts=np.histogram(scores, SCORE_BINS, (0.0, 1.0))[0].tolist(),
    )


def _thresholds() -> DriftThresholds:
    return DriftThresholds(
        window_rows=64,
        false_alarms_per_million_rows=1.0,
        scales=[
            ScaleThresholds(
                rows=64,
                anderson_darling=[_NEVER] * len(FEATURES),
                triangular=[_NEVER] * len(FEATURES),
                rare=[_NEVER] * len(FEATURES),
                correlation=_NEVER,
                score=_NEVER,
            )
        ],
    )
