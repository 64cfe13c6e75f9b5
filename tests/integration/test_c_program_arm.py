"""C programs on an emulated 32-bit ARM processor (`make test-arm` installs what it needs)."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.packaging.c_program.program import program
from fleetloop_hub.spec.scalars import Family
from support.c_programs import answers, build, packed, run
from support.fitted_models import example

COMPILER = shutil.which("arm-linux-gnueabihf-gcc")
EMULATOR = shutil.which("qemu-arm")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        COMPILER is None or EMULATOR is None,
        reason="no compiler for ARM, or no qemu-arm: make test-arm installs both",
    ),
]


@pytest.mark.parametrize(
    ("kind", "family"),
    [("several", "mlp"), ("several", "random-forest")],
)
def test_another_processor_gives_the_same_answers(
    kind: str, family: Family, tmp_path: Path
) -> None:
    manifest, data = packed(kind, family)
    made = build(program(manifest, data), tmp_path, "-O2", "-static", compiler=COMPILER)
    target = tmp_path / "emulated"
    target.write_text(f'#!/bin/sh\nexec {EMULATOR} {made} "$@"\n', "utf-8")
    target.chmod(0o755)
    proved = run(target, "--golden")
    assert (proved.returncode, b"same" in proved.stdout) == (0, True), proved.stdout
    rows = example(kind, family, "categories").fresh
    wanted = Artifact(data, manifest.signature).outputs(rows)
    found = answers(target, rows, wanted.shape[1]).outputs
    np.testing.assert_allclose(found, wanted, 1e-6, manifest.golden.tolerance)
    if family == "random-forest":
        np.testing.assert_array_equal(found, wanted)
