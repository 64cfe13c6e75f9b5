"""Has a model prove itself: its golden rows on this device's own runtime, its speed, its size."""

import math
from statistics import median

import numpy as np

from fleetloop_agent.errors import ModelError
from fleetloop_agent.ports import Clock, Finding, Host, Model, Rows, Runtime
from fleetloop_shared.manifest import Manifest

BLOCKS = 5
BLOCK_ROWS = 20
"""Latency is the best block's median: a busy moment of the device is not the model's fault."""


def examine(
    manifest: Manifest, artifact: bytes, runtime: Runtime, clock: Clock, host: Host
) -> Finding:
    """Load a model and compare what it does with what its manifest promises.

    Args:
        manifest: Golden rows and budget.
        artifact: The model's bytes.
        runtime: What loads it.
        clock: Measures its answers.
        host: Measures its memory.
    """
    golden, signature, budget = manifest.golden, manifest.signature, manifest.budget
    rows: Rows = np.array(golden.inputs, dtype=np.float32)
    before_bytes = host.rss_bytes()
    try:
        model = runtime.load(artifact, signature)
        outputs = model.outputs(rows)
        alone = np.array([model.one(row.tobytes()) for row in rows], np.float32)
        latency_ms = _latency_ms(model, rows, clock)
    except ModelError as error:
        return Finding(passed=False, text=str(error))
    added_bytes = max(0, host.rss_bytes() - before_bytes)
    gap = max(_largest_gap(manifest, outputs), _largest_gap(manifest, alone))
    text = (
        f"outputs differ by {gap:.2g} (may: {golden.tolerance:.2g}), answers take"
        f" {latency_ms:.3g} ms (may: {budget.latency_ms:.3g}), it adds {added_bytes:,} bytes"
        f" of memory (may: {budget.memory_bytes:,})"
    )
    passed = (
        gap <= golden.tolerance
        and latency_ms <= budget.latency_ms
        and added_bytes <= budget.memory_bytes
    )
    return Finding(passed=passed, text=text)


def _largest_gap(manifest: Manifest, outputs: Rows) -> float:
    """Between what the golden rows gave and what they must give; infinite where it is no number."""
    gaps = np.abs(outputs.astype(np.float64) - np.array(manifest.golden.outputs))
    return float(gaps.max()) if np.isfinite(gaps).all() else math.inf


def _latency_ms(model: Model, rows: Rows, clock: Clock) -> float:
    singles = [row.tobytes() for row in rows]
    medians = []
    for _ in range(BLOCKS):
        took = []
        for i in range(BLOCK_ROWS):
            began = clock.monotonic()
            model.one(singles[i % len(singles)])
            took.append(clock.monotonic() - began)
        medians.append(median(took))
    return 1000 * min(medians)
