"""Puts together what will be signed about an artifact."""

from dataclasses import dataclass

from fleetloop_hub.packaging.artifact import Artifact, Rows
from fleetloop_hub.packaging.field_groups import field_groups
from fleetloop_hub.packaging.golden import golden
from fleetloop_hub.packaging.graph import INPUT, OUTPUT
from fleetloop_hub.packaging.reference import build_reference
from fleetloop_hub.packaging.thresholds import calibrate
from fleetloop_hub.spec.labels import class_names, positive_place
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_shared.chunks import pack
from fleetloop_shared.drift.bins import scaled_scores
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import SCHEMA, Budget, Feature, Manifest, Signature
from fleetloop_shared.manifest_check import check


@dataclass(frozen=True)
class Origin:
    """Where an artifact comes from.

    Attributes:
        version: The model version it becomes.
        floor: The security floor it is released at.
        dataset: The SHA-256 of the dataset version.
        run: The run that made it.
        created_at: Unix seconds.
    """

    version: int
    floor: int
    dataset: str
    run: str
    created_at: float


@dataclass(frozen=True)
class World:
    """The rows an artifact comes from, as devices will compare with them.

    Attributes:
        rows: All of them, in the order in which a device would see them.
        held_out: Those that nothing was fitted or chosen on.
    """

    rows: Rows
    held_out: Rows


def signature(
    spec: ModelSpec, classes: list[int], decision_threshold: float, score_range: tuple[float, float]
) -> Signature:
    """Inputs and outputs of the model that a spec describes.

    Args:
        spec: The spec.
        classes: Its labels as numbers, in the order of the output's columns; none for a regression.
        decision_threshold: Of the positive class.
        score_range: Where the score histogram begins and ends: 0 and 1 for probabilities. A range
            without width (all labels are alike) is made one.
    """
    low, high = score_range
    return Signature(
        input_name=INPUT,
        score_name=OUTPUT,
        features=[
            Feature(
                name=f.name,
                unit=f.unit,
                low=f.low,
                high=f.high,
                categories=f.categories,
                out_of_range=f.out_of_range,
            )
            for f in spec.features
        ],
        classes=classes,
        positive=positive_place(spec, classes),
        decision_threshold=decision_threshold,
        task=spec.model.task,
        class_names=class_names(spec.label),
        score_low=low,
        score_high=high if high > low else low + max(1.0, abs(low)),
    )


def assemble(
    spec: ModelSpec, form: Signature, data: bytes, world: World, origin: Origin
) -> tuple[Manifest, bytes]:
    """The manifest of an artifact, not signed yet, and the artifact's bytes as they travel.

    Raises:
        ManifestError: The manifest contradicts itself.
    """
    artifact = Artifact(data, form)
    scores = scaled_scores(artifact.scores(world.rows), form.score_low, form.score_high)
    reference = build_reference(form.features, world.rows, scores)
    transport, encoded = pack(data, spec.delivery.chunk_bytes)
    manifest = Manifest(
        schema=SCHEMA,
        model=spec.model.name,
        version=origin.version,
        sha256=sha256_hex(data),
        length_bytes=len(data),
        transport=transport,
        signature=form,
        reference=reference,
        thresholds=calibrate(
            reference,
            world.rows,
            scores,
            window_rows=spec.drift.window_rows,
            false_alarms_per_million_rows=spec.drift.false_alarms_per_million_rows,
            seed=spec.model.seed,
        ),
        golden=golden(artifact, form, world.held_out),
        budget=Budget(
            artifact_bytes=spec.budget.artifact_bytes,
            latency_ms=spec.budget.latency_ms,
            memory_bytes=spec.budget.memory_bytes,
        ),
        floor=origin.floor,
        hardware=list(spec.model.hardware),
        dataset=origin.dataset,
        run=origin.run,
        created_at=origin.created_at,
        groups=field_groups(spec, world.rows),
    )
    return check(manifest), encoded
