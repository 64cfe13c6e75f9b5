"""Makes versions of chosen rows as a run does: split, tournament, packing, drift thresholds."""

import hashlib
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from msgspec import structs
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.packaging.assembly import Origin, World, assemble
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.training.prepared import ready
from fleetloop_hub.training.split import ordered
from fleetloop_hub.training.tournament import Rules, hold
from fleetloop_hub.validation.accuracy import accuracy_reference
from fleetloop_hub.validation.bootstrap import interval, paired_interval
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.manifest import Manifest

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Taught:
    """A version.

    Attributes:
        artifact: The quantized model.
        manifest: What is known about it: signature, reference, thresholds, accuracy.
        held_out: The newest of its rows, on which nothing was fitted or chosen.
        name: The candidate that was taken.
    """

    artifact: Artifact
    manifest: Manifest
    held_out: Frame
    name: str

    def answers(self, rows: Frame) -> Answers:
        """What it says about rows."""
        return Answers(rows.label, self.artifact.outputs(rows.values), self.manifest.signature)


class School:
    """Teaches; the same rows give the same version, made once for all policies."""

    def __init__(self, spec: ModelSpec, frame: Frame) -> None:
        """Nobody is taught yet.

        Args:
            spec: Candidates, budget, gates.
            frame: All rows, of which some are chosen each time.
        """
        self._spec, self._frame = spec, frame
        self._known: dict[bytes, Taught] = {}

    def teach(self, places: Places) -> Taught:
        """A version of these rows.

        Raises:
            TrainingError: Nothing can be learned from them.
        """
        key = hashlib.sha256(places.tobytes()).digest()
        if key not in self._known:
            with threadpool_limits(limits=1):
                self._known[key] = self._taught(self._frame.take(places))
        return self._known[key]

    def is_better(self, new: Taught, old: Taught) -> tuple[bool, str]:
        """Whether a version passes the gates that rest on rows: the floor, and the champion."""
        gates, seed = self._spec.gates, self._spec.model.seed
        mine, theirs = new.answers(new.held_out), old.answers(new.held_out)
        low, _ = interval(gates.metric, mine, seed)
        if low < gates.floor:
            return False, f"{gates.metric} may be {low:.3f}, less than the floor {gates.floor:g}"
        low, high = paired_interval(gates.metric, mine, theirs, seed)
        told = f"{low:+.3f} to {high:+.3f} against the champion on {len(mine):,} newest rows"
        return low >= -gates.champion_margin, told

    def _taught(self, rows: Frame) -> Taught:
        prepared = ready(self._spec, ordered(rows, self._spec))
        rules = Rules(lambda _share, _text: None, time.monotonic)
        winner = hold(self._spec, prepared.split, prepared.form, rules).winner
        held_out = prepared.split.held_out
        world = World(rows=prepared.frame.by_device(), held_out=held_out.values)
        origin = Origin(1, 0, "0" * 64, "simulated", 0.0)
        form, data = winner.model.signature, winner.packed.data
        manifest, _ = assemble(self._spec, form, data, world, origin)
        artifact = Artifact(data, form)
        answers = Answers(held_out.label, artifact.outputs(held_out.values), form)
        accuracy = accuracy_reference(answers, self._spec)
        return Taught(
            artifact, structs.replace(manifest, accuracy=accuracy), held_out, winner.record.name
        )
