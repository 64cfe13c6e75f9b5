"""The releases of the stories: real small models, made once a process, each with its flaw."""

import functools
import random
from dataclasses import dataclass

import msgspec
import numpy as np

from fleetloop_agent.ports import Rows
from fleetloop_firmware_sim.chaos.story import Flavour
from fleetloop_firmware_sim.scenarios import releases, tiny_onnx
from fleetloop_shared.chunks import pack
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.manifest_check import check

CHUNK_BYTES = 1_024
BALLAST_BYTES = 4_000
"""What makes an artifact several chunks long."""

ROWS = 4
"""Rows that a device measures at a time; a brittle model fails on some of them."""


@dataclass(frozen=True)
class Ware:
    """A version and its bytes.

    Attributes:
        manifest: What is said about it.
        artifact: The ONNX file, or what stands in its place.
        encoded: The artifact as it travels.
    """

    manifest: Manifest
    artifact: bytes
    encoded: bytes


@functools.cache
def ware(version: int, flavour: Flavour) -> Ware:
    """A version of one flavour; equal for equal arguments, in every process."""
    plain = releases.make(version, brittle=flavour is Flavour.BRITTLE)
    lot = random.Random(f"{version} {flavour}")  # noqa: S311  # to be repeatable
    ballast = np.array([lot.random() for _ in range(BALLAST_BYTES // 4)], dtype=np.float32)
    artifact = tiny_onnx.weighted(plain.artifact, ballast.tobytes())
    if flavour is Flavour.BROKEN:
        artifact = ballast.tobytes()
    golden = plain.manifest.golden
    if flavour is Flavour.LYING:
        outputs = [list(reversed(row)) for row in golden.outputs]
        golden = msgspec.structs.replace(golden, outputs=outputs)
    transport, encoded = pack(artifact, CHUNK_BYTES)
    manifest = msgspec.structs.replace(
        plain.manifest,
        sha256=sha256_hex(artifact),
        length_bytes=len(artifact),
        transport=transport,
        golden=golden,
    )
    return Ware(check(manifest), artifact, encoded)


@functools.cache
def rows() -> Rows:
    """What every device measures, over and over."""
    return np.concatenate([releases.steady_rows(ROWS // 2), releases.changed_rows(ROWS // 2)])
