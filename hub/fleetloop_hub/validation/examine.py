"""Runs the artifact, and the champion's, on the held-out rows and on what disturbs them."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.artifact import Artifact, Outputs
from fleetloop_hub.packaging.head import GroupOffsets
from fleetloop_hub.packaging.packing import Packed
from fleetloop_hub.packaging.parity import compare
from fleetloop_hub.spec.data_tables import FeatureTable
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.training.job import Champion
from fleetloop_hub.validation.cost import weigh
from fleetloop_hub.validation.exam import Exam, Flagged
from fleetloop_hub.validation.metrics import Answers
from fleetloop_hub.validation.robustness import disturbed
from fleetloop_hub.validation.slices import parts
from fleetloop_hub.version_parts import GroupThreshold
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import ANOMALY, Signature

_DISTURBED_ROWS = 20_000
_NEVER_CERTAIN = 1e-7


@dataclass(frozen=True)
class Papers:
    """What is examined.

    Attributes:
        packed: The artifact, and the float file.
        signature: How their outputs are read.
        champion: What it has to beat, None if there is nothing.
        contamination: The share of odd rows that an anomaly model was told to expect.
        offsets: What the graph adds to the scores of groups, None for nothing.
    """

    packed: Packed
    signature: Signature
    champion: Champion | None = None
    contamination: float | None = None
    offsets: GroupOffsets | None = None


def examine(
    papers: Papers, older: Frame, held_out: Frame, spec: ModelSpec, *, must_beat: bool = False
) -> Exam:
    """Everything that the gates look at.

    Args:
        papers: What is examined.
        older: The rows that were trained and chosen on.
        held_out: Newer rows; those without a label are left out where the truth is needed.
        spec: What the model is meant to be.
        must_beat: Whether it must be better than the champion, not only no worse.

    Raises:
        TrainingError: The champion cannot be compared with, or an artifact does not run.
    """
    form, seed = papers.signature, spec.model.seed
    known = np.isfinite(held_out.label)
    rows = held_out.take(known)
    artifact = Artifact(papers.packed.data, form)
    outputs = artifact.outputs(held_out.values)
    challenger = Answers(rows.label, outputs[known], form)
    return Exam(
        challenger=challenger,
        champion=None if papers.champion is None else _champion(papers.champion, rows, spec),
        parity=compare(papers.packed.data, papers.packed.float_data, form, held_out.values),
        seed=seed,
        task=spec.model.task,
        groups={name: rows.groups[name] for name in spec.fairness.groups},
        slices={
            (table.column, name): mine
            for table in spec.slices
            for name, mine in parts(table, rows.groups[table.column]).items()
        },
        disturbed=_disturbed(artifact, challenger, rows, older, spec),
        cost=weigh(papers.packed.data, held_out.values),
        thresholds=_thresholds(papers, spec),
        flagged=_flagged(papers, outputs) if not len(rows) else None,
        must_beat=must_beat,
    )


def _champion(champion: Champion, rows: Frame, spec: ModelSpec) -> Answers:
    """What the champion says about the same rows, in the columns that it knows."""
    names = spec.feature_names
    wanted = [feature.name for feature in champion.signature.features]
    if unknown := [name for name in wanted if name not in names]:
        raise TrainingError(
            f"the champion reads {', '.join(unknown)}, which the spec no longer names, so the two "
            "cannot be compared: keep the column, or add the model under a new name"
        )
    artifact = Artifact(_read(champion), champion.signature)
    values = rows.values[:, [names.index(name) for name in wanted]]
    outputs = artifact.outputs(values) if len(rows) else _nothing(champion.signature)
    return Answers(rows.label, outputs, champion.signature)


def _disturbed(
    artifact: Artifact, challenger: Answers, rows: Frame, older: Frame, spec: ModelSpec
) -> dict[str, Answers]:
    """Answers to disturbed rows beside the undisturbed ones, of the newest rows if many."""
    if not len(rows):
        return {}
    newest = slice(max(0, len(rows) - _DISTURBED_ROWS), len(rows))
    changed = disturbed(rows.values[newest], older.values, spec, spec.model.seed)
    return {
        name: Answers(challenger.truth[newest], artifact.outputs(values), challenger.signature)
        for name, values in changed.items()
    }


def _flagged(papers: Papers, outputs: Outputs) -> Flagged | None:
    form = papers.signature
    if form.task != ANOMALY or papers.contamination is None:
        return None
    said = Answers(np.full(len(outputs), np.nan), outputs, form).labels
    odd = int(np.count_nonzero(said == form.classes[form.positive]))
    return Flagged(len(outputs), odd, papers.contamination)


def _thresholds(papers: Papers, spec: ModelSpec) -> list[GroupThreshold]:
    """The thresholds that offsets come to: what a score must be before it is shifted."""
    if papers.offsets is None:
        return []
    feature = spec.features[papers.offsets.feature]
    sure = min(max(papers.signature.decision_threshold, _NEVER_CERTAIN), 1 - _NEVER_CERTAIN)
    usual = math.log(sure / (1 - sure))
    return [
        GroupThreshold(
            column=feature.name,
            value=_group(feature, value),
            threshold=1 / (1 + math.exp(offset - usual)),
        )
        for value, offset in zip(papers.offsets.values, papers.offsets.offsets, strict=True)
    ]


def _group(feature: FeatureTable, value: float) -> str:
    if feature.kind == "number":
        return f"{value:g}"
    return feature.categories[int(value)] if value >= 0 else "any other"


def _nothing(form: Signature) -> Outputs:
    return np.zeros((0, max(1, len(form.classes))), np.float32)


def _read(champion: Champion) -> bytes:
    try:
        data = Path(champion.path).read_bytes()
    except OSError as error:
        raise TrainingError(f"the champion cannot be read: {error}") from error
    if sha256_hex(data) != champion.sha256:
        raise TrainingError(
            f"the champion in {champion.path} is not {champion.sha256[:12]}: restore it from a copy"
        )
    return data
