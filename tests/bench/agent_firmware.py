"""What an answer costs as a C program, beside ONNX Runtime on the same artifact and rows.

The program reads rows from a pipe, answers them one by one and writes the answers: its processor
time is that of the whole child, start and pipes as well. ONNX Runtime is called from Python with
everything prepared, with the settings of the agent's sessions, one row a call. Both are taken in
turns; the value is the median of the turns' ratios.
"""

import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.packaging.c_program.program import program
from fleetloop_shared.answers import Rule
from fleetloop_shared.manifest import Manifest
from support.c_programs import answers, build, signed
from support.packed import artifact

Figure = dict[str, Any]
Rows = np.ndarray

TURNS = 9
ROWS = 20_000
MODELS = {
    "linear": "linear, sensors",
    "MLP 64-32": "mlp 64-32, sensors",
    "MLP 128-64": "mlp 128-64, digits",
    "boosted trees, 100": "boosting of two, sensors",
    "forest, 100 trees": "forest of two, sensors",
}


def run() -> list[Figure]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            figure
            for number, (name, case) in enumerate(MODELS.items())
            for figure in _figures(name, case, Path(folder) / str(number))
        ]


def _figures(name: str, case: str, folder: Path) -> list[Figure]:
    model = artifact(case)
    data, rows = model.data, model.fresh
    manifest = signed(data, model.form, model.chosen_on)
    made = program(manifest, data)
    target = build(made, folder, "-O2")
    wanted = Artifact(data, manifest.signature).outputs(rows)
    found = answers(target, rows, wanted.shape[1])
    differs = float(np.abs(found.outputs - wanted).max())
    many = np.ascontiguousarray(np.resize(rows, (ROWS, rows.shape[1])))
    session = _session(data)
    said, given = [manifest.signature.score_name], manifest.signature.input_name
    pairs = [(_child_s(target, many), _session_s(session, said, given, many)) for _ in range(TURNS)]
    ratio = float(np.median([ours / theirs for ours, theirs in pairs]))
    ours, theirs = (1e6 * float(np.median(column)) / ROWS for column in zip(*pairs, strict=True))
    return [
        _figure(
            f"{name}: time of a row in C / session.run of ONNX Runtime",
            round(ratio, 3),
            "x",
            {"C": f"{ours:.2f} µs", "ONNX Runtime": f"{theirs:.2f} µs"},
            ("<=", 1.0),
        ),
        _figure(
            f"{name}: largest difference of an output on {len(rows):,} rows",
            float(f"{differs:.2g}"),
            "",
            {"answers that differ": _other_answers(manifest, wanted, found.places)},
            ("<=", manifest.golden.tolerance),
        ),
        _figure(
            f"{name}: tables in flash / artifact",
            round(made.table_bytes / len(data), 2),
            "x",
            {
                "tables": f"{made.table_bytes:,} bytes",
                "work memory": f"{made.work_bytes:,} bytes",
                "artifact": f"{len(data):,} bytes",
            },
            ("<=", 1.0),
        ),
    ]


def _other_answers(manifest: Manifest, wanted: Rows, places: Rows) -> int:
    _, labels = Rule(manifest.signature).answer(wanted)
    return int((np.array(manifest.signature.classes)[places] != labels).sum())


def _session(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _child_s(target: Path, rows: Rows) -> float:
    """Processor time of a child that answers rows, start to end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([target, "--floats"], input=rows.tobytes(), capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def _session_s(
    session: onnxruntime.InferenceSession, said: list[str], given: str, rows: Rows
) -> float:
    singles = [rows[k : k + 1] for k in range(len(rows))]
    began = time.process_time()
    for row in singles:
        session.run(said, {given: row})
    return time.process_time() - began


def _figure(
    metric: str, value: float, unit: str, peers: dict[str, Any], goal: tuple[str, float]
) -> Figure:
    op, target = goal
    return {
        "metric": metric,
        "value": value,
        "unit": unit,
        "op": op,
        "target": target,
        "peers": peers,
    }
