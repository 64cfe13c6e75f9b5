"""Puts the tensors of a request together into the model's rows."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fleetloop_agent.errors import InputError
from fleetloop_agent.serving.open_inference.tensors import TEXTS, numbers, shape_of, texts
from fleetloop_agent.serving.open_inference.wire import InputTensor
from fleetloop_shared.categories import Categories
from fleetloop_shared.manifest import Signature

_SHOWN = 5

Part = memoryview | None
Array = npt.NDArray[np.generic]


class Inputs:
    """Takes one tensor with all features as its columns, or one tensor a feature.

    A category is a text in a tensor of its own, or in any tensor its place among the values that
    the signature lists.
    """

    def __init__(self, signature: Signature, max_rows: int) -> None:
        """Take names and categories from a signature.

        Args:
            signature: Of the model that will answer.
            max_rows: The most rows of one request.
        """
        self._whole = signature.input_name
        self._places = {f.name: k for k, f in enumerate(signature.features)}
        self._categories = {
            f.name: Categories(f.categories) for f in signature.features if f.categories
        }
        self._max_rows = max_rows

    def rows(self, tensors: Sequence[InputTensor], parts: Sequence[Part]) -> Array:
        """The rows, shape (rows, features), float32 or double.

        Raises:
            InputError: Naming the tensor, and what to send.
        """
        if len(tensors) == 1 and tensors[0].name == self._whole:
            shape = shape_of(tensors[0], self._max_rows)
            if shape[1] == len(self._places) and tensors[0].datatype != TEXTS:
                return numbers(tensors[0], parts[0], shape)
            if self._whole not in self._places:
                raise InputError(
                    f"input {self._whole!r} is {tensors[0].datatype[:20]} of shape "
                    f"{tensors[0].shape}; give FP32 of [rows, {len(self._places)}]"
                )
        self._check_names(tensors)
        count = shape_of(tensors[0], self._max_rows)[0]
        rows = np.empty((count, len(self._places)))
        for tensor, part in zip(tensors, parts, strict=True):
            rows[:, self._places[tensor.name]] = self._column(tensor, part, count)
        return rows

    def _column(self, tensor: InputTensor, part: Part, count: int) -> Array | list[float]:
        shape = shape_of(tensor, self._max_rows)
        if shape != (count, 1):
            raise InputError(
                f"input {tensor.name!r} has the shape {tensor.shape}; give [{count}, 1] as the"
                " first input has so many rows"
            )
        categories = self._categories.get(tensor.name)
        if tensor.datatype != TEXTS:
            column = numbers(tensor, part, shape)[:, 0]
            if tensor.datatype != "BOOL" or categories is None:
                return column
            return [categories.place("true" if value else "false") for value in column.tolist()]
        if categories is None:
            raise InputError(f"input {tensor.name!r} is BYTES; it is a number: give FP32")
        return [categories.place(text) for text in texts(tensor, part, shape)]

    def _check_names(self, tensors: Sequence[InputTensor]) -> None:
        names = [tensor.name for tensor in tensors]
        unknown = [name for name in names if name not in self._places]
        absent = [name for name in self._places if name not in names]
        if not unknown and not absent and len(names) == len(self._places):
            return
        if unknown:
            what = f"the model has no input {_listed(unknown)}"
        else:
            what = f"no input {_listed(absent)}" if absent else "an input comes twice"
        raise InputError(
            f"{what}; give {self._whole!r}, FP32 of [rows, {len(self._places)}], or one tensor of"
            f" [rows, 1] for each of {_listed(list(self._places))}"
        )


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    listed = ", ".join(repr(name[:80]) for name in names[:_SHOWN])
    return f"{listed} and {more} more" if more > 0 else listed
