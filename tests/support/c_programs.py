"""Models as C programs: written from real artifacts, compiled by the system's compiler, run."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.artifact import Artifact, Rows
from fleetloop_hub.packaging.c_program.program import Program
from fleetloop_hub.packaging.files import files
from fleetloop_hub.packaging.golden import golden
from fleetloop_hub.packaging.reference import build_reference
from fleetloop_hub.spec.scalars import Family
from fleetloop_shared.chunks import pack
from fleetloop_shared.drift.bins import scaled_scores
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Feature, Manifest, Signature
from fleetloop_shared.profile import ScaleThresholds
from support.examples import MANIFEST
from support.fitted_models import example

COMPILER = shutil.which(os.environ.get("CC", "cc"))
WHY = "no C compiler on this system: install cc, or name one in CC"

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-ffp-contract=off")
SANITIZED = ("-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

_RUN_S = 60


@dataclass(frozen=True)
class Answers:
    """What a program says about rows.

    Attributes:
        outputs: Shape (rows, outputs).
        scores: One a row.
        places: Of the answer among the classes, -1 of a regression.
        out_of_range: Values outside their feature's range.
        answered: Whether there is an answer.
    """

    outputs: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64]
    out_of_range: npt.NDArray[np.int64]
    answered: npt.NDArray[np.bool_]


def signed(data: bytes, signature: Signature, rows: Rows) -> Manifest:
    """A manifest of an artifact, its golden vectors and reference from some rows.

    The thresholds are not calibrated: every window would be an alarm.
    """
    artifact = Artifact(data, signature)
    scores = scaled_scores(artifact.scores(rows), signature.score_low, signature.score_high)
    width = len(signature.features)
    scale = ScaleThresholds(
        rows=64,
        anderson_darling=[1.0] * width,
        triangular=[1.0] * width,
        rare=[20.0] * width,
        correlation=1.0,
        score=1.0,
    )
    return msgspec.structs.replace(
        MANIFEST,
        sha256=sha256_hex(data),
        length_bytes=len(data),
        transport=pack(data)[0],
        signature=signature,
        reference=build_reference(signature.features, rows, scores),
        thresholds=msgspec.structs.replace(MANIFEST.thresholds, window_rows=64, scales=[scale]),
        golden=golden(artifact, signature, rows),
    )


def packed(kind: str, family: Family, recipe: str = "") -> tuple[Manifest, bytes]:
    """A small model with three numbers and two categories, a to e, in its smallest form.

    Args:
        kind: One of `fitted_models.KINDS`.
        family: Its family.
        recipe: The form that is wanted instead.
    """
    case = example(kind, family, "categories")
    written = dict(files(case.fitted, case.head, case.learned))
    data = written[recipe] if recipe else min(written.values(), key=len)
    return signed(data, named(case.signature), case.fresh), data


def named(signature: Signature) -> Signature:
    """The signature with names, ranges and categories."""
    numbers = [Feature(name=name, low=-1.0, high=1e4) for name in "abc"]
    listed = [Feature(name=name, categories=["x", "1", "y z", "w"]) for name in "de"]
    return msgspec.structs.replace(signature, features=[*numbers, *listed])


def build(made: Program, folder: Path, *flags: str, compiler: str | None = COMPILER) -> Path:
    """The program, compiled without a warning."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.files.items():
        (folder / name).write_bytes(content)
    target = folder / "model"
    sources = [str(folder / name) for name in made.files if name.endswith(".c")]
    command = [str(compiler), *STRICT, *flags, "-o", str(target), *sources, "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def run(target: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What the program says to some input."""
    return subprocess.run(
        [str(target), *words], input=given, capture_output=True, check=False, timeout=_RUN_S
    )


def answers(target: Path, rows: Rows, outputs: int) -> Answers:
    """What the program says about rows, through its binary door."""
    done = run(target, "--floats", given=np.ascontiguousarray(rows, np.float32).tobytes())
    assert done.returncode == 0, done.stderr.decode()
    found = np.frombuffer(done.stdout, np.float32).reshape(len(rows), outputs + 4)
    place, beyond, status = (found[:, outputs + k].astype(np.int64) for k in (1, 2, 3))
    return Answers(found[:, :outputs], found[:, outputs], place, beyond, status == 0)
