"""Checks that a tensor in a foreign file lies in that file, and is as large as it says."""

import math

from onnx import TensorProto, helper

from fleetloop_hub.errors import ModelFileError

_ONE_FILE = (
    'write the model as one file: onnx.save_model(onnx.load("model.onnx"), "whole.onnx", '
    "save_as_external_data=False), or torch.onnx.export(..., external_data=False)"
)
_BYTES: dict[int, int] = {
    TensorProto.FLOAT: 4,
    TensorProto.DOUBLE: 8,
    TensorProto.FLOAT16: 2,
    TensorProto.BOOL: 1,
    TensorProto.INT8: 1,
    TensorProto.INT16: 2,
    TensorProto.INT32: 4,
    TensorProto.INT64: 8,
    TensorProto.UINT8: 1,
    TensorProto.UINT16: 2,
    TensorProto.UINT32: 4,
    TensorProto.UINT64: 8,
}


def check_tensor(tensor: TensorProto) -> None:
    """Refuse a tensor whose values lie elsewhere, or are not as many as its shape says.

    Raises:
        ModelFileError: Naming the tensor.
    """
    name = tensor.name[:80] or "a constant"
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        where = next((e.value for e in tensor.external_data if e.key == "location"), "?")
        raise ModelFileError(
            f"the values of {name} lie in another file, {where[:120]!r}, which is never opened: "
            f"{_ONE_FILE}"
        )
    found, wanted = _values(tensor, name), math.prod(tensor.dims)
    if found != wanted or any(size < 0 for size in tensor.dims):
        shape = "x".join(map(str, tensor.dims)) or "()"
        raise ModelFileError(
            f"{name} has the shape {shape}, {wanted:,} values, but the file holds {found:,}: "
            "it is damaged, copy it again or export it anew"
        )


def _values(tensor: TensorProto, name: str) -> int | float:
    """How many values there are."""
    if tensor.data_type == TensorProto.STRING:
        return len(tensor.string_data)
    size = _BYTES.get(tensor.data_type)
    if size is None:
        raise ModelFileError(
            f"{name} is of a type that devices do not compute ({tensor.data_type}): export the "
            "model with float32 weights"
        )
    if tensor.HasField("raw_data"):
        return len(tensor.raw_data) / size
    values = getattr(tensor, helper.tensor_dtype_to_field(tensor.data_type))
    return len(values)
