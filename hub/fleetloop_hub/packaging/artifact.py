"""Runs an artifact's bytes as devices run them: ONNX Runtime, one thread, one row at a time."""

import time

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from fleetloop_hub.errors import TrainingError
from fleetloop_shared.answers import Rule
from fleetloop_shared.manifest import Signature

Rows = npt.NDArray[np.float32]
Outputs = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

_TIMED_ROWS = 400
_REFUSED = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
)


class Artifact:
    """An ONNX file that is loaded and answers."""

    def __init__(self, data: bytes, signature: Signature) -> None:
        """Load it.

        Raises:
            TrainingError: ONNX Runtime does not take these bytes.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._signature = signature
        try:
            self._session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except _REFUSED as error:
            raise TrainingError(f"ONNX Runtime does not load this artifact: {error}") from error

    def outputs(self, rows: Rows) -> Outputs:
        """What it puts out for each row, asked for one at a time; shape (rows, classes or 1).

        Raises:
            TrainingError: The artifact fails on rows of this width.
        """
        try:
            return np.concatenate([self._run(rows[i : i + 1]) for i in range(len(rows))])
        except _REFUSED as error:
            raise TrainingError(f"the artifact fails on {rows.shape[1]} values: {error}") from error

    def scores(self, rows: Rows) -> Scores:
        """One score a row; see `outputs`."""
        return Rule(self._signature).scores(self.outputs(rows))

    def median_ms(self, rows: Rows) -> float:
        """Median time of one answer, in milliseconds."""
        times = []
        for turn in range(_TIMED_ROWS):
            row = rows[turn % len(rows) :][:1]
            start = time.perf_counter()
            self._run(row)
            times.append(time.perf_counter() - start)
        return float(np.median(times) * 1000)

    def _run(self, row: Rows) -> Outputs:
        names = [self._signature.score_name]
        outputs: Outputs = self._session.run(names, {self._signature.input_name: row})[0]
        return outputs
