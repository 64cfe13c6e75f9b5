"""What is compared with, in an environment of its own under build/, made when it is needed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_script(environment: str, packages: list[str], script: str, *arguments: str) -> None:
    """Run a script of this folder where packages are installed that the project does not have.

    Args:
        environment: Its folder under build/.
        packages: What it needs, as for pip.
        script: The file's name.
        arguments: What it is told.
    """
    folder = ROOT / "build" / environment
    python, uv = str(folder / "bin" / "python"), str(Path(sys.executable).parent / "uv")
    if not Path(python).exists():
        made = [uv, "venv", "--quiet", "--python", sys.executable, str(folder)]
        subprocess.run(made, check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python, *packages]
    subprocess.run(install, check=True)
    told = [python, str(Path(__file__).parent / script), *arguments]
    subprocess.run(told, check=True, capture_output=True)
