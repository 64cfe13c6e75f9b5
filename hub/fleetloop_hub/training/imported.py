"""The run of an import: a file trained elsewhere becomes a candidate like any other."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.artifact import Artifact, Outputs
from fleetloop_hub.packaging.foreign_adapting import adapted_file, raw_file
from fleetloop_hub.packaging.foreign_form import Ask, find_form
from fleetloop_hub.packaging.foreign_graph import kernel
from fleetloop_hub.packaging.foreign_missing import holes, preparation_for
from fleetloop_hub.packaging.foreign_reading import read
from fleetloop_hub.packaging.foreign_sense import make_sense
from fleetloop_hub.packaging.foreign_trial import try_out
from fleetloop_hub.packaging.foreign_variants import AS_IMPORTED, variants
from fleetloop_hub.packaging.packing import Chosen, Packed, Trial, choose
from fleetloop_hub.run_parts import Candidate, Imported
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.training.deciding import with_odd_range
from fleetloop_hub.training.oddities import judged
from fleetloop_hub.training.preparation import learn_preparation
from fleetloop_hub.training.split import Split
from fleetloop_hub.validation.metrics import Answers, measure
from fleetloop_shared.chunks import pack as encode
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import ANOMALY, REGRESSION, Signature

FAMILY = "imported"

_LOOKED_AT = 512
_TRIED = 32

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Entered:
    """An imported model, packed for devices.

    Attributes:
        record: What the run says about it.
        packed: Its files.
        signature: How its outputs are read.
        notes: What was decided about it, in words.
    """

    record: Candidate
    packed: Packed
    signature: Signature
    notes: list[str]


def enter(
    imported: Imported, path: Path, spec: ModelSpec, split: Split, signature: Signature
) -> Entered:
    """Read, try and adapt a file, and pack it.

    Args:
        imported: The file, and what a person said about it.
        path: Where its bytes lie.
        spec: The model spec.
        split: Old rows to look at, newer ones to choose the form by.
        signature: What the artifact's input and output must be.

    Raises:
        ModelFileError: It is not taken; the text says what was found and what to do.
    """
    data = _bytes(path, imported.sha256)
    ask = Ask(len(spec.features), spec.model.task, imported.input, imported.output)
    complete, truth = _complete(split.train, spec)
    try_out(data, ask, complete[:_TRIED])
    model = read(data)
    form = find_form(model, ask)
    core = kernel(model, form)
    raw = Artifact(raw_file(core, form, ask.features), signature)
    answers = raw.outputs(complete)
    sense, notes = make_sense(answers, form.labels, signature, imported.activation, truth)
    learned = learn_preparation(spec.features, split.train.values, "gradient-boosting")
    preparation, told = preparation_for(
        core, form, learned, lambda: raw.outputs(holes(complete)), spec
    )
    columns = 1 if signature.task == REGRESSION else len(signature.classes)
    exact = adapted_file(core, form, sense, preparation, columns)
    trial = _trial(spec, split, signature)
    packed = _packed(exact, trial, signature)
    if signature.task == ANOMALY:
        scores = Artifact(packed.data, signature).scores(split.train.values)
        signature = with_odd_range(signature, scores)
    record = _record(imported, packed, signature, trial)
    notes = [f"{imported.file}: {note}" for note in (*notes, *told)]
    return Entered(record, packed, signature, notes)


def _bytes(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"the imported file cannot be read: {error}; import it again"
        ) from error
    if sha256_hex(data) != sha256:
        raise ModelFileError(f"the imported file in {path} is not {sha256[:12]}: import it again")
    return data


def _complete(train: Frame, spec: ModelSpec) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Training rows from the first to the last, nothing missing in them, and their labels."""
    places = np.linspace(0, len(train) - 1, min(_LOOKED_AT, len(train))).astype(np.int64)
    some = train.take(places)
    fill = learn_preparation(spec.features, train.values, "gradient-boosting").fill
    return np.where(np.isnan(some.values), fill, some.values), some.label


def _trial(spec: ModelSpec, split: Split, signature: Signature) -> Trial:
    """What the forms of the file are tried on; static quantization learns from training rows."""
    older, newer = split.train, split.validation
    if signature.task == ANOMALY:
        newer = judged(newer, older, spec.model.seed)[0]

    def score(outputs: Outputs) -> float:
        return measure(spec.gates.metric, Answers(newer.label, outputs, signature))

    return Trial(
        newer.values,
        score,
        spec.quantization.largest_loss,
        spec.gates.label_flips,
        learned=older.values,
        calibration_rows=spec.quantization.calibration_rows,
    )


def _packed(exact: bytes, trial: Trial, signature: Signature) -> Packed:
    """The smallest form that answers as the exact one does; at worst, that one."""
    reference = Artifact(exact, signature).outputs(trial.rows)
    learned = trial.rows if trial.learned is None else trial.learned
    found = variants(exact, learned[-trial.calibration_rows :])
    exact_score = trial.measure(reference)
    chosen = choose(found, reference, signature, trial) or Chosen(AS_IMPORTED, exact, exact_score)
    return Packed(
        recipe=chosen.recipe,
        data=chosen.data,
        float_data=exact,
        score=chosen.score,
        float_score=exact_score,
        transport_bytes=encode(chosen.data)[0].length_bytes,
    )


def _record(imported: Imported, packed: Packed, signature: Signature, trial: Trial) -> Candidate:
    return Candidate(
        name=FAMILY,
        parameters={
            "family": FAMILY,
            "file": imported.file,
            "sha256": imported.sha256,
            "producer": imported.producer,
            "opset": imported.opset,
            "file_bytes": imported.length_bytes,
            "activation": imported.activation,
        },
        score=packed.float_score,
        quantized_score=packed.score,
        float_bytes=len(packed.float_data),
        artifact_bytes=len(packed.data),
        latency_ms=Artifact(packed.data, signature).median_ms(trial.rows),
        recipe=packed.recipe,
        note=f"imported from {imported.file}, not trained here",
        wire_bytes=packed.transport_bytes,
        decision_threshold=signature.decision_threshold,
    )
