"""A small convolutional network as an ONNX file, its last layer fitted on real digits."""

from functools import cache

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

Rows = npt.NDArray[np.float32]

LEARNED = 1200
_FILTERS = 12


@cache
def digits() -> tuple[Rows, npt.NDArray[np.int64]]:
    """Images of 8 times 8 as rows, and which digit each is."""
    images, digit = load_digits(return_X_y=True)
    return images.astype(np.float32), digit


@cache
def convolutions(filters: int = _FILTERS) -> bytes:
    """Two convolutions with fixed weights, a pool, and a layer that is fitted on what they see.

    Args:
        filters: Of the first convolution; the second has twice as many.
    """
    rng = np.random.default_rng(0)
    kept = {
        "shape": np.array([-1, 1, 8, 8]),
        "flat": np.array([0, -1]),
        "scale": np.array([1 / 16], np.float32),
        "w1": rng.normal(0, 0.4, (filters, 1, 3, 3)).astype(np.float32),
        "b1": np.zeros(filters, np.float32),
        "w2": rng.normal(0, 0.15, (2 * filters, filters, 3, 3)).astype(np.float32),
        "b2": np.zeros(2 * filters, np.float32),
    }
    nodes = [
        helper.make_node("Mul", ["features", "scale"], ["scaled"]),
        helper.make_node("Reshape", ["scaled", "shape"], ["image"]),
        helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Reshape", ["pooled", "flat"], ["seen"]),
    ]
    images, digit = digits()
    seen = _run(_file(nodes, kept, "seen", 32 * filters), images[:LEARNED])
    last = LogisticRegression(C=0.1, max_iter=200, tol=1e-2).fit(seen, digit[:LEARNED])
    kept["w3"] = last.coef_.astype(np.float32)
    kept["b3"] = last.intercept_.astype(np.float32)
    nodes += [
        helper.make_node("Gemm", ["seen", "w3", "b3"], ["logits"], transB=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    return _file(nodes, kept, "probabilities", 10)


def _file(
    nodes: list[onnx.NodeProto], kept: dict[str, np.ndarray], output: str, width: int
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", 64])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["rows", width])],
        [numpy_helper.from_array(values, name) for name, values in kept.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


def _run(data: bytes, rows: Rows) -> Rows:

    outputs: Rows = InferenceSession(data).run(None, {"features": rows})[0]
    return outputs
