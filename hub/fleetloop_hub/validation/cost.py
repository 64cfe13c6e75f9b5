"""What an artifact costs a process to load and to keep, weighed in a process of its own."""

import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.graph import INPUT, OUTPUT, GraphBuilder
from fleetloop_hub.version_parts import Cost

_ROWS = 200
_LIMIT_S = 120.0


class _Told(msgspec.Struct, frozen=True):
    load_ms: float
    memory_bytes: int
    peaked: bool


def weigh(data: bytes, rows: npt.NDArray[np.float32]) -> Cost:
    """Load time and memory of an artifact, under ONNX Runtime with one thread.

    The load time is the median of several loads, each to the first answer. The memory is the peak
    of loading and running it, less what the process held after it had run a trivial model.

    Args:
        data: The artifact.
        rows: Rows to run it on; the first few are used.

    Raises:
        TrainingError: The process ended badly or not in time.
    """
    with tempfile.TemporaryDirectory(prefix="fleetloop-weigh-") as name:
        folder = Path(name)
        (folder / "trivial.onnx").write_bytes(_trivial(rows.shape[1]))
        (folder / "artifact.onnx").write_bytes(data)
        np.save(folder / "rows.npy", rows[:_ROWS])
        files = [str(folder / file) for file in ("trivial.onnx", "artifact.onnx", "rows.npy")]
        command = [sys.executable, "-m", "fleetloop_hub.validation.weigh", *files]
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, timeout=_LIMIT_S, check=True
            )
            told = msgspec.json.decode(ended.stdout, type=_Told)
        except subprocess.TimeoutExpired as error:
            raise TrainingError(
                f"loading the artifact in a process of its own took over {_LIMIT_S:g} s: name a "
                "smaller candidate"
            ) from error
        except (subprocess.CalledProcessError, msgspec.MsgspecError) as error:
            said = getattr(error, "stderr", "") or str(error)
            raise TrainingError(
                f"the artifact does not load and run in a process of its own: {said.strip()[-500:]}"
            ) from error
    return Cost(load_ms=told.load_ms, memory_bytes=told.memory_bytes if told.peaked else None)


def _trivial(width: int) -> bytes:
    """A model that adds its values up."""
    graph = GraphBuilder()
    weights = graph.keep(np.ones((width, 1), np.float32))
    graph.add("MatMul", INPUT, weights, output=OUTPUT)
    return graph.finish(width, 1)
