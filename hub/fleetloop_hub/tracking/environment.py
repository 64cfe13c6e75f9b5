"""What a run's result depends on besides its data, spec and seed: code, libraries and machine."""

import contextlib
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from threadpoolctl import threadpool_info  # type: ignore[import-untyped]  # it ships no types

from fleetloop_hub.run_parts import Machine
from fleetloop_shared.ids import sha256_hex

_LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "skl2onnx",
    "onnx",
    "onnxruntime",
    "fairlearn",
    "pyarrow",
    "pandas",
)
_GIT_S = 5.0
_EXTENSIONS = frozenset(
    {"avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp"}
)
_CPU_FILE = Path("/proc/cpuinfo")


def libraries() -> dict[str, str]:
    """Versions of what bears on a trained model's bytes."""
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}


def code_version() -> str:
    """The hub's version; where it runs from a clone also the revision, and a hash of its changes.

    Changed files give `0.1.0+1a2b3c4d5e6f-dirty.0a1b2c3d`: the same text means the same code.
    """
    released = version("fleetloop-hub")
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return released
    try:
        revision = _git(root, "describe", "--always", "--abbrev=12").decode().strip()
        changes = _git(root, "diff", "HEAD", "--no-ext-diff", "--binary", "--", "hub", "shared")
    except (OSError, subprocess.SubprocessError):
        return released
    dirty = f"-dirty.{sha256_hex(changes)[:8]}" if changes else ""
    return f"{released}+{revision}{dirty}"


def machine() -> Machine:
    """What this process runs on; libraries that have threads count once they are loaded."""
    name, extensions = _processor()
    return Machine(
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=name,
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _cores(),
        memory_bytes=_memory_bytes(),
        extensions=extensions,
        threads=sorted({_in_words(pool) for pool in threadpool_info()}),
    )


def _git(root: Path, *arguments: str) -> bytes:
    told = subprocess.run(
        ["git", "-C", str(root), *arguments],  # noqa: S607  # whichever git the machine has
        capture_output=True,
        timeout=_GIT_S,
        check=True,
    )
    return told.stdout


def _processor() -> tuple[str, list[str]]:
    """Name and extensions of the first processor, as far as the system tells."""
    facts: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in _CPU_FILE.read_text("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            facts.setdefault(key.strip(), value.strip())
    flags = facts.get("flags", facts.get("Features", "")).split()
    name = facts.get("model name", "") or platform.processor() or platform.machine()
    return name, sorted(_EXTENSIONS.intersection(flags))


def _cores() -> int:
    return os.cpu_count() or 1


def _memory_bytes() -> int:
    with contextlib.suppress(ValueError, OSError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def _in_words(pool: dict[str, object]) -> str:
    build = " ".join(str(pool[key]) for key in ("version", "architecture") if pool.get(key))
    count = pool["num_threads"]
    return (
        f"{pool['internal_api']} {build}".strip() + f", {count} thread{'' if count == 1 else 's'}"
    )
