"""Compiles the firmware of a constrained device: a model in C and its link, by the system's cc."""

import os
import shutil
import subprocess
from pathlib import Path

import msgspec

from fleetloop_firmware_sim.errors import FirmwareError
from fleetloop_shared.manifest import Manifest

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-ffp-contract=off", "-O2")
"""Products and sums are rounded one by one, as where the model was judged."""

LINK = Path(__file__).parent / "c"
"""The link's sources."""

_MODEL = ("model.c", "model_profile.c", "model_reference.c", "model_rows.c")
_LONGEST_S = 300
_LAST_WORDS = 2_000


def manifest_of(folder: Path) -> Manifest:
    """What is signed about an exported model.

    Raises:
        FirmwareError: The folder holds none.
    """
    try:
        return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise FirmwareError(
            f"{folder} holds no model in C ({error}): make one with `fleetloop export MODEL`"
        ) from error


def build(folder: Path, into: Path, *flags: str) -> Path:
    """The firmware of an exported model, compiled.

    Args:
        folder: What `fleetloop export` has written.
        into: Where the program goes.
        flags: More of them for the compiler.

    Raises:
        FirmwareError: There is no compiler, or it has refused.
    """
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise FirmwareError(
            "there is no C compiler, so nothing was started: install one (Debian: apt-get install "
            "gcc libc6-dev), or name it in CC"
        )
    program = into / "firmware"
    sources = [folder / name for name in _MODEL] + sorted(LINK.glob("*.c"))
    paths = [f"-I{folder}", f"-I{LINK}", "-o", str(program), *map(str, sources), "-lm"]
    try:
        done = subprocess.run(
            [compiler, *FLAGS, *flags, *paths],
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST_S,
        )
    except subprocess.TimeoutExpired as error:
        raise FirmwareError(f"{compiler} did not come to an end in {_LONGEST_S} s") from error
    if done.returncode:
        raise FirmwareError(
            f"{compiler} did not compile {folder}: {done.stderr[-_LAST_WORDS:].strip()}"
        )
    return program
