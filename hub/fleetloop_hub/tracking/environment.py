"""What a run's result depends on besides its data, spec and seed: the code and its libraries."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("numpy", "scikit-learn", "onnx", "onnxruntime", "pyarrow")
_GIT_S = 5.0


def libraries() -> dict[str, str]:
    """Versions of what bears on a trained model's bytes."""
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}


def code_version() -> str:
    """The hub's version, and the git revision where it runs from a clone."""
    released = version("fleetloop-hub")
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return released
    try:
        told = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607  # whichever git the machine has
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return released
    return f"{released}+{told.stdout.strip()}"
