"""The process in which skl2onnx converts: an estimator on standard input, a file on its output.

What is unpickled was pickled by the process that started this one.
"""

import pickle
import sys

from fleetloop_hub.packaging.estimators import Estimator

_OPSET = {"": 17, "ai.onnx.ml": 3}


def to_onnx(estimator: Estimator, width: int) -> bytes:
    """skl2onnx's float32 graph: probabilities, or whatever the estimator puts out, come last."""
    from skl2onnx import convert_sklearn  # noqa: PLC0415  # slow; not for what is no estimator
    from skl2onnx.common.data_types import FloatTensorType  # noqa: PLC0415  # the same

    probabilities = hasattr(estimator, "predict_proba")
    options = {id(estimator): {"zipmap": False, "output_class_labels": False}}
    converted: bytes = convert_sklearn(
        estimator,
        initial_types=[("prepared", FloatTensorType([None, width]))],
        options=options if probabilities else None,
        target_opset=_OPSET,
    ).SerializeToString()
    return converted


if __name__ == "__main__":
    sys.stdout.buffer.write(to_onnx(*pickle.load(sys.stdin.buffer)))  # noqa: S301  # see above
