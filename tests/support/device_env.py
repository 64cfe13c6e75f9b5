"""An environment as a device has it: the agent's wheels, what they ask for, and nothing else."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = [sys.executable, "-m", "uv"]
NEEDS = (
    "flatbuffers",
    "msgspec",
    "numpy",
    "onnxruntime",
    "packaging",
    "paho-mqtt",
    "protobuf",
    "securesystemslib",
    "tuf",
    "urllib3",
)
"""Pinned to what the developers' environment has."""


def device_python(folder: Path) -> Path:
    """Make such an environment in a folder; returns its Python."""
    wheels, python = folder / "dist", folder / "env" / "bin" / "python"
    for member in ("shared", "agent"):
        call(*UV, "build", "-q", "--wheel", "--no-build-isolation", f"./{member}", "-o", wheels)
    call(*UV, "venv", "-q", "--python", sys.executable, folder / "env")
    pins = folder / "pins.txt"
    pins.write_text("".join(f"{name}=={version(name)}\n" for name in NEEDS))
    find: list[str | Path] = ["--find-links", wheels, "--constraint", pins]
    agent = next(wheels.glob("fleetloop_agent-*.whl"))
    install = [*UV, "pip", "install", "-q", "--compile-bytecode"]
    call(*install, "--python", python, *find, agent)
    return python


def call(*command: str | Path) -> str:
    """What a command says.

    Raises:
        RuntimeError: It failed; the text is the end of what it complained.
    """
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2_000:])
    return done.stdout
