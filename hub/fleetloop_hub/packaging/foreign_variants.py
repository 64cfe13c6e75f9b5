"""Every smaller form of an adapted foreign graph; which one is good enough is measured."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto

from fleetloop_hub.packaging.compacting import compact_trees
from fleetloop_hub.packaging.foreign_graph import needed
from fleetloop_hub.packaging.graph import OUTPUT
from fleetloop_hub.packaging.quantizing import quantized_variants

Rows = npt.NDArray[np.float32]

AS_IMPORTED = "float32, as imported"

_LEAF_BITS = (8, 16)


def variants(data: bytes, calibration: Rows) -> Iterator[tuple[str, bytes]]:
    """Each recipe's name and file; the file as it is comes last.

    Thresholds of trees stay as they are: the rows that they were learned from, between which a
    shorter number would change nothing, are not known here.

    Args:
        data: The adapted graph, nothing quantized.
        calibration: Training rows that static quantization looks at.
    """
    model = onnx.load_from_string(data)
    exact = compact_trees(model)
    if exact is not model:
        for bits in _LEAF_BITS:
            yield f"trees, {bits}-bit leaves", _bytes(compact_trees(model, bits=bits))
        yield "trees, float32", _bytes(exact)
    yield from quantized_variants(data, calibration)
    yield AS_IMPORTED, data


def _bytes(model: ModelProto) -> bytes:
    """The file, without what only led to labels."""
    kept, tensors = needed(model.graph, OUTPUT)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    del model.graph.initializer[:]
    model.graph.initializer.extend(tensors)
    written: bytes = model.SerializeToString(deterministic=True)
    return written
