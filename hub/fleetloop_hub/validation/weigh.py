"""The process that only loads and runs an artifact: `python -m fleetloop_hub.validation.weigh`.

It is told, in this order: a trivial model, the artifact, rows as a NumPy file. It runs the trivial
model first, so that what ONNX Runtime itself costs is not counted, and prints one line of JSON.
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime

_LOADS = 7
_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def main(trivial: Path, artifact: Path, rows: Path) -> None:
    """Weigh, and say so."""
    values = np.load(rows)
    _run(_load(trivial.read_bytes()), values[:1])
    data = artifact.read_bytes()
    before_bytes, peaked = _resident_bytes(), _forget_peak()
    session = _load(data)
    _run(session, values)
    memory_bytes = max(0, _peak_bytes() - before_bytes) if peaked else 0
    del session
    times = []
    for _ in range(_LOADS):
        start = time.perf_counter()
        _run(_load(data), values[:1])
        times.append((time.perf_counter() - start) * 1000)
    told = {"load_ms": statistics.median(times), "memory_bytes": memory_bytes, "peaked": peaked}
    sys.stdout.write(json.dumps(told) + "\n")


def _load(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, values: np.ndarray) -> None:
    name = session.get_inputs()[0].name
    for row in range(len(values)):
        session.run(None, {name: values[row : row + 1]})


def _resident_bytes() -> int:
    return _told_bytes("VmRSS:")


def _peak_bytes() -> int:
    """Since `_forget_peak`; where Linux does not tell, of the whole life of the process."""
    return _told_bytes("VmHWM:")


def _told_bytes(key: str) -> int:
    try:
        lines = _STATUS.read_text("ascii").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(key)), 0)


def _forget_peak() -> bool:
    """Let the peak begin anew; False where the system cannot."""
    try:
        _CLEAR.write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
