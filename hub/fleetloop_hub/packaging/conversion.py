"""skl2onnx's own graph of an estimator, converted in a process of its own with a time limit.

It is a second hand that writes the same model, and the last resort where no lean graph is known. A
conversion may fail, and some never end (QuantileTransformer's); neither may hold up a run.
"""

import pickle
import subprocess
import sys
from dataclasses import dataclass

import onnx

from fleetloop_hub.packaging.estimators import Estimator
from fleetloop_hub.packaging.files import output_columns
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.graph import GraphBuilder
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.head_graph import write_head
from fleetloop_hub.packaging.preparation_graph import write_preparation

LIMIT_S = 60.0
_LAST_WORDS = 200


@dataclass(frozen=True)
class Converted:
    """What came of a conversion.

    Attributes:
        data: The file; None if there is none.
        why: Why there is none, in words.
    """

    data: bytes | None
    why: str = ""


def convert(estimator: Estimator, width: int, limit_s: float = LIMIT_S) -> Converted:
    """The estimator alone as skl2onnx writes it.

    Args:
        estimator: Fitted.
        width: Columns that it sees.
        limit_s: After so many seconds the conversion is ended.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "fleetloop_hub.packaging.converting"],
            input=pickle.dumps((estimator, width)),
            capture_output=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Converted(None, f"skl2onnx did not come to an end in {limit_s:g} s")
    if done.returncode or not done.stdout:
        words = done.stderr.decode(errors="replace").strip()[-_LAST_WORDS:].splitlines()
        return Converted(None, f"skl2onnx cannot convert it: {words[-1] if words else 'no word'}")
    return Converted(done.stdout)


def float_graph(fitted: Fitted, head: Head, limit_s: float = LIMIT_S) -> Converted:
    """The candidate as float32 ONNX with the same input and output as an artifact's.

    What comes before and after the estimator is the same as in lean graphs.

    Args:
        fitted: The model.
        head: What follows it.
        limit_s: After so many seconds the conversion is ended.
    """
    if fitted.task == "anomaly" or not (
        fitted.task == "regression" or hasattr(fitted.estimator, "predict_proba")
    ):
        return Converted(None, f"what skl2onnx makes of {fitted.family} are not the same outputs")
    converted = convert(fitted.estimator, fitted.preparation.width, limit_s)
    if converted.data is None:
        return converted
    graph = GraphBuilder()
    x = write_preparation(graph, fitted.preparation)
    raw = graph.embed(onnx.load_from_string(converted.data), x)[-1]
    outputs = output_columns(fitted)
    if outputs == 2:  # noqa: PLR2004  # yes and no
        raw = graph.column(raw, 1)
    write_head(graph, head, raw, outputs)
    return Converted(graph.finish(len(fitted.preparation.fill), outputs))
