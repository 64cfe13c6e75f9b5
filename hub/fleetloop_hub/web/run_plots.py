"""Plots of runs, drawn in a process of their own: drawing is slow, and the hub must step."""

import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path

import msgspec

from fleetloop_hub.errors import AbsentError
from fleetloop_hub.ports import Blobs
from fleetloop_hub.records import Run
from fleetloop_hub.tracking.kept import whole
from fleetloop_shared.durable import RealDisk, replace

_EVALUATION = "evaluation.parquet"
_PATIENCE_S = 60.0
_KEPT_RUNS = 50
_FIRST = ("roc", "precision-recall", "confusion", "calibration", "predicted", "residuals")


class RunPlots:
    """Draws the plots of a run once, and keeps those of the last runs that were asked for."""

    def __init__(self, blobs: Blobs) -> None:
        """Nothing is drawn yet."""
        self._blobs = blobs
        self._drawn: OrderedDict[str, dict[str, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def has_any(self, run: Run) -> bool:
        """Whether there is something to draw."""
        return run.state.is_over and bool(run.candidates)

    def names(self, run: Run) -> list[str]:
        """Its plots, drawn now where they are not yet."""
        return sorted(self._all(run), key=_rank)

    def draw(self, run: Run, name: str) -> bytes:
        """A plot as SVG.

        Raises:
            AbsentError: There is nothing to draw under this name.
        """
        found = self._all(run).get(name)
        if found is None:
            raise AbsentError(f"there is nothing to draw of {run.key} under {name[:40]!r}")
        return found

    def _all(self, run: Run) -> dict[str, bytes]:
        with self._lock:
            if run.key not in self._drawn:
                self._drawn[run.key] = self._draw_all(run) if self.has_any(run) else {}
                if len(self._drawn) > _KEPT_RUNS:
                    self._drawn.popitem(last=False)
            return self._drawn[run.key]

    def _draw_all(self, run: Run) -> dict[str, bytes]:
        with tempfile.TemporaryDirectory(prefix="fleetloop-plots-") as made:
            folder, disk = Path(made), RealDisk(Path(made))
            replace(disk, Path("run.json"), msgspec.json.encode(whole(run, self._blobs)))
            if (sha256 := self._evaluation(run)) is not None:
                replace(disk, Path(_EVALUATION), self._blobs.get(sha256))
            command = [sys.executable, "-m", "fleetloop_hub.tracking.plots", str(folder)]
            subprocess.run(command, timeout=_PATIENCE_S, check=True, capture_output=True)
            return {path.stem: path.read_bytes() for path in folder.glob("*.svg")}

    def _evaluation(self, run: Run) -> str | None:
        sha256 = run.artifacts.get(_EVALUATION)
        return sha256 if sha256 is not None and self._blobs.has(sha256) else None


def _rank(name: str) -> tuple[int, str]:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST), name
