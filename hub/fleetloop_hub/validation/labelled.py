"""Labelled held-out rows with their answers, kept beside a run: what hub-side estimates rest on.

The features come along, as the model has seen them, so that the rows can be weighed by what devices
report; ten thousand rows at most, so that a version costs a megabyte or two, not a dataset.
"""

import io
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from fleetloop_hub.errors import DataError
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.manifest import Signature

MOST_ROWS = 10_000

_SIGNATURE = b"signature"
_OUTPUT, _FEATURE = "out_", "x_"

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Labelled:
    """Rows that nothing was fitted or chosen on, in order of time.

    Attributes:
        answers: Truth and outputs of the packaged artifact.
        values: The features, shape (rows, features), NaN where missing.
    """

    answers: Answers
    values: Rows


def encode(answers: Answers, values: Rows) -> bytes:
    """A Parquet file: `truth`, `out_0` ..., `x_0` ..., and the signature.

    Of more than `MOST_ROWS` rows, so many are kept, evenly spaced in time.

    Args:
        answers: Of the artifact.
        values: The rows it was asked, in the same order.
    """
    count = len(answers)
    if count > MOST_ROWS:
        taken = np.linspace(0, count - 1, MOST_ROWS).astype(np.int64)
        answers, values = answers.take(taken), values[taken]
    columns = {"truth": pa.array(answers.truth, pa.float64())}
    for name, block in ((_OUTPUT, answers.outputs), (_FEATURE, values)):
        for place in range(block.shape[1]):
            columns[f"{name}{place}"] = pa.array(block[:, place], pa.float32())
    told = {_SIGNATURE: msgspec.json.encode(answers.signature)}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(told), buffer, compression="zstd")
    return buffer.getvalue()


def decode(data: bytes) -> Labelled:
    """What a file says.

    Raises:
        DataError: It is no such file.
    """
    try:
        table = pq.read_table(io.BytesIO(data))
        signature = msgspec.json.decode(table.schema.metadata[_SIGNATURE], type=Signature)
        outputs, values = (
            np.stack(
                [table.column(n).to_numpy() for n in table.column_names if n.startswith(name)],
                axis=1,
            )
            for name in (_OUTPUT, _FEATURE)
        )
        truth = table.column("truth").to_numpy()
        return Labelled(Answers(truth, outputs, signature), values)
    except (pa.ArrowException, msgspec.MsgspecError, OSError, KeyError, TypeError, ValueError) as e:
        raise DataError(
            f"these are no labelled rows of a run ({e}): train again to have them anew"
        ) from e
