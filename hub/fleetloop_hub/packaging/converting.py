"""The process in which skl2onnx converts: an estimator on standard input, a file on its output.

What is unpickled was pickled by the process that started this one.
"""

import contextlib
import pickle
import sys

from fleetloop_hub.packaging.estimators import Estimator

_OPSET = {"": 17, "ai.onnx.ml": 3}


def to_onnx(estimator: Estimator, width: int) -> bytes:
    """skl2onnx's float32 graph: probabilities, or whatever the estimator puts out, come last."""
    from skl2onnx import convert_sklearn  # noqa: PLC0415  # slow; not for what is no estimator
    from skl2onnx.common.data_types import FloatTensorType  # noqa: PLC0415  # the same

    def converted(options: dict[int, dict[str, bool]] | None) -> bytes:
        written: bytes = convert_sklearn(
            estimator,
            initial_types=[("prepared", FloatTensorType([None, width]))],
            options=options,
            target_opset=_OPSET,
        ).SerializeToString()
        return written

    if not hasattr(estimator, "classes_"):
        return converted(None)
    try:
        return converted({id(estimator): {"zipmap": False, "output_class_labels": False}})
    except (NameError, ValueError):  # a machine without probabilities knows fewer options
        with contextlib.suppress(NameError, ValueError):
            return converted({id(estimator): {"zipmap": False}})
        return converted(None)


if __name__ == "__main__":
    sys.stdout.buffer.write(to_onnx(*pickle.load(sys.stdin.buffer)))  # noqa: S301  # see above
