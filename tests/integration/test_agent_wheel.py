"""What lands on a device: the agent's wheels in an empty environment, and nothing of the hub."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).parents[2]
UV = [sys.executable, "-m", "uv"]

ALLOWED = {
    "fleetloop-agent",
    "fleetloop-shared",
    "msgspec",
    "numpy",
    "onnxruntime",
    "paho-mqtt",
    "securesystemslib",
    "tuf",
    "urllib3",  # tuf's own need
    "flatbuffers",  # onnxruntime's own needs, from here on
    "packaging",
    "protobuf",
}

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with nothing in it but what the agent's wheel asks for."""
    folder = tmp_path_factory.mktemp("device")
    wheels, python = folder / "dist", folder / "env" / "bin" / "python"
    for member in ("shared", "agent"):
        run(*UV, "build", "-q", "--wheel", "--no-build-isolation", f"./{member}", "-o", wheels)
    run(*UV, "venv", "-q", "--python", sys.executable, folder / "env")
    pins = folder / "pins.txt"
    pins.write_text(
        "".join(f"{name}=={version(name)}\n" for name in ALLOWED if "fleetloop" not in name)
    )
    agent = next(wheels.glob("fleetloop_agent-*.whl"))
    find: list[str | Path] = ["--find-links", wheels, "--constraint", pins]
    run(*UV, "pip", "install", "-q", "--python", python, *find, agent)
    return python


def test_nothing_lands_on_a_device_that_is_not_allowed(device: Path) -> None:
    listed = run(*UV, "pip", "list", "--python", device, "--format", "json")
    names = {p["name"] for p in msgspec.json.decode(listed, type=list[dict[str, str]])}
    assert names == ALLOWED


def test_the_agent_runs_there_without_any_package_of_the_hub(device: Path) -> None:
    walk = (
        "import importlib, pkgutil, sys, fleetloop_agent as a\n"
        "names = [m.name for m in pkgutil.walk_packages(a.__path__, 'fleetloop_agent.')]\n"
        "[importlib.import_module(n) for n in names if not n.endswith('__main__')]\n"
        "hub = {'flask', 'onnx', 'skl2onnx', 'sklearn', 'pandas', 'tinydb', 'fleetloop_hub'}\n"
        "assert len(names) > 20 and not hub & set(sys.modules)\n"
    )
    run(device, "-c", walk)
    assert "run the daemon" in run(device, "-m", "fleetloop_agent", "--help")
