"""The hub's side of an update, in small: real keys, real signatures, a real model in ONNX."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fleetloop_firmware_sim.scenarios.repositories import Issue, Repository, payload
from fleetloop_shared.chunks import CHUNK_BYTES, pack, split
from fleetloop_shared.codec import encode
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
from fleetloop_shared.messages import DesiredState, EnrolAnswer, Release
from fleetloop_shared.profile import (
    SCORE_BINS,
    DriftThresholds,
    ReferenceFeature,
    ReferenceProfile,
    ScaleThresholds,
)
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import desired_target, manifest_target

MODEL = "rain"
COHORT = "plains"
HARDWARE = "board-a"
FEATURES = ("temperature", "pressure")
GOLDEN_ROWS: list[list[float | None]] = [[0.0, 0.0], [1.0, -1.0], [2.0, 0.5], [-3.0, 1.5]]
EVERYONE = 10_000
SIGNED_AT, LIFE_S = 1_700_000_000.0, 20 * 365 * 86_400.0


def score(row: list[float], bias: float) -> float:
    """What the tiny model answers: the logistic of the sum and a bias."""
    return float(1.0 / (1.0 + np.exp(-(np.float32(sum(row)) + np.float32(bias)))))


def outputs(row: list[float], bias: float) -> list[float]:
    """All that it puts out: the probabilities of both classes."""
    return [1.0 - score(row, bias), score(row, bias)]


@cache
def tiny_model(bias: float = 0.0, padding_bytes: int = 0) -> bytes:
    """A real ONNX model of two features; padding makes it as large as a test needs.

    The padding is random, so that it does not compress, and is the same for the same arguments.
    """
    weights = np.array([[-1.0, 1.0], [-1.0, 1.0]], dtype=np.float32) / 2
    biases = np.array([-bias, bias], dtype=np.float32) / 2
    nodes = [
        helper.make_node("Gemm", ["input", "weights", "biases"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(biases, "biases"),
    ]
    if padding_bytes:
        noise = np.random.default_rng(int(bias * 1000) % 2**32).bytes(padding_bytes)
        constants.append(numpy_helper.from_array(np.frombuffer(noise, np.uint8), "padding"))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, len(FEATURES)])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def reference_profile() -> ReferenceProfile:
    """What the two features looked like at training: standard normal, uncorrelated."""
    features = [
        ReferenceFeature(
            name=name,
            edges=[-1.0, 0.0, 1.0],
            counts=[159, 341, 341, 159],
            missing=0,
            mean=0.0,
            sd=1.0,
        )
        for name in FEATURES
    ]
    counts = [32] * SCORE_BINS
    return ReferenceProfile(rows=1000, features=features, correlations=[0.0], score_counts=counts)


def manifest_of(artifact: bytes, version: int, bias: float = 0.0) -> Manifest:
    """A manifest that agrees with itself and with `artifact`."""
    transport, _ = pack(artifact)
    return Manifest(
        schema=SCHEMA,
        model=MODEL,
        version=version,
        sha256=sha256_hex(artifact),
        length_bytes=len(artifact),
        transport=transport,
        signature=Signature(
            input_name="input",
            score_name="probabilities",
            features=[Feature(name=name) for name in FEATURES],
            classes=[0, 1],
            positive=1,
            decision_threshold=0.5,
        ),
        reference=reference_profile(),
        thresholds=DriftThresholds(
            window_rows=256,
            false_alarms_per_million_rows=1.0,
            scales=[
                ScaleThresholds(
                    rows=256,
                    anderson_darling=[10.0] * len(FEATURES),
                    triangular=[0.2] * len(FEATURES),
                    rare=[20.0] * len(FEATURES),
                    correlation=4.0,
                    score=0.2,
                )
            ],
        ),
        golden=Golden(
            inputs=GOLDEN_ROWS,
            outputs=[outputs([v or 0.0 for v in row], bias) for row in GOLDEN_ROWS],
            tolerance=1e-4,
        ),
        budget=Budget(
            artifact_bytes=max(len(artifact), 50_000_000),
            latency_ms=100.0,
            memory_bytes=256_000_000,
        ),
        floor=0,
        hardware=[HARDWARE],
        dataset="ab" * 32,
        run="run-1",
        created_at=1_700_000_000.0,
    )


@dataclass(frozen=True)
class Shipment:
    """A model version, ready to be published.

    Attributes:
        manifest: All about it.
        artifact: Its bytes.
        document: The manifest's bytes, whose hash is listed.
        release: How a statement names it.
    """

    manifest: Manifest
    artifact: bytes
    document: bytes
    release: Release

    @property
    def blobs(self) -> dict[str, bytes]:
        """Every retained topic that holds it, with its payload."""
        transport, encoded = self.encoded()
        topics = {Topic.BLOB.at(sha256=self.release.manifest_sha256, index=0): self.document}
        for index, chunk in enumerate(split(encoded, transport.chunk_bytes)):
            topics[Topic.BLOB.at(sha256=transport.sha256, index=index)] = chunk
        return topics

    def encoded(self) -> tuple[Transport, bytes]:
        """How the artifact travels."""
        return pack(self.artifact, self.manifest.transport.chunk_bytes)


def _repository() -> Repository:
    return Repository(SIGNED_AT, root_life_s=LIFE_S)


@dataclass(frozen=True)
class Hubside:
    """Two repositories, and what a hub signs in them."""

    image: Repository = field(default_factory=_repository)
    director: Repository = field(default_factory=_repository)

    def identity(self, device: str, cohort: str = COHORT, broker: str = "mqtt://h") -> EnrolAnswer:
        """What a device gets when it enrols."""
        return EnrolAnswer(
            device=device,
            cohort=cohort,
            broker=broker,
            username=device,
            password="secret",
            image_root=self.image.roots[0],
            director_root=self.director.roots[0],
        )

    def ship(
        self,
        version: int,
        *,
        bias: float | None = None,
        padding_bytes: int = 0,
        chunk_bytes: int = CHUNK_BYTES,
        **changes: object,
    ) -> Shipment:
        """A version of the tiny model; `changes` are made to its manifest."""
        bias = float(version) if bias is None else bias
        artifact = tiny_model(bias, padding_bytes)
        transport, _ = pack(artifact, chunk_bytes)
        manifest = manifest_of(artifact, version, bias)
        manifest = msgspec.structs.replace(manifest, **{"transport": transport, **changes})
        return self.ship_bytes(manifest, artifact)

    def ship_bytes(self, manifest: Manifest, artifact: bytes) -> Shipment:
        """Any manifest and artifact."""
        document = encode(manifest)
        release = Release(
            model=manifest.model,
            version=manifest.version,
            manifest_sha256=sha256_hex(document),
            manifest_bytes=len(document),
        )
        return Shipment(manifest, artifact, document, release)

    def desire(self, sequence: int, release: Release, **changes: object) -> DesiredState:
        """A statement that gives everyone `release` at once."""
        desired = DesiredState(
            cohort=COHORT,
            sequence=sequence,
            rollout=f"rollout-{sequence}",
            salt=f"salt-{sequence}",
            phase=EVERYONE,
            release=release,
            control=None,
            floor=0,
            issued_at=1_700_000_000.0 + sequence,
            soak_rows=10,
            soak_s=60.0,
        )
        return msgspec.structs.replace(desired, **changes)

    def direct(self, desired: DesiredState, version: int | None = None) -> bytes:
        """The director bundle of a statement, by default with its sequence as version."""
        how = Issue(desired.sequence if version is None else version, SIGNED_AT, LIFE_S)
        files = {desired_target(desired.cohort): encode(desired)}
        return payload(self.director.issue(how, files))

    def listing(self, shipments: Iterable[Shipment], version: int = 1) -> bytes:
        """The image bundle that lists these."""
        files = {manifest_target(s.release.model, s.release.version): s.document for s in shipments}
        return payload(self.image.issue(Issue(version, SIGNED_AT, LIFE_S), files, carried=False))
