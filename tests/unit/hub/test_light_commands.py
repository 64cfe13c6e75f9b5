"""A command that only asks the hub loads none of the libraries that train and draw."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.commands import listening_hub

HEAVY = [
    "fairlearn",
    "flask",
    "matplotlib",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pandera",
    "pyarrow",
    "scipy",
    "skl2onnx",
    "sklearn",
    "sqlalchemy",
    "tinydb",
]
PROGRAM = """
import sys
from fleetloop_hub.__main__ import main
sys.argv[0] = "fleetloop"
try:
    main()
except SystemExit as ended:
    code = ended.code
print([name for name in {heavy} if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "command", [("--help",), ("train", "--help"), ("models",), ("rollouts", "list")]
)
def test_a_light_command_loads_no_heavy_library(tmp_path: Path, command: tuple[str, ...]) -> None:
    with listening_hub(tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(heavy=HEAVY), *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (0, "[]\n")
    assert "fleetloop" in done.stdout
