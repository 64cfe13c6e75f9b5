"""Truth and answers of the held-out rows as one Parquet file, from which every picture is drawn."""

import io
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import DataError
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.manifest import Signature

_SIGNATURE = b"signature"
_OUTPUT = "out_"
_GROUP = "g."


@dataclass(frozen=True)
class Evaluation:
    """What the artifact answers to rows that nothing was fitted or chosen on.

    Attributes:
        answers: Truth and outputs.
        at: Place in time of each row.
        device: Who saw it, "" for a source.
        groups: What slices and fairness part the rows by, as text, by the name of the column.
    """

    answers: Answers
    at: npt.NDArray[np.float64]
    device: npt.NDArray[np.str_]
    groups: dict[str, npt.NDArray[np.str_]]


def encode(answers: Answers, rows: Frame) -> bytes:
    """The file: columns `truth`, `out_0` ..., `at`, `device`, `g.<group>`, and the signature.

    Args:
        answers: Of the artifact.
        rows: Those it was asked.
    """
    columns = {"truth": pa.array(answers.truth, pa.float64())}
    for place in range(answers.outputs.shape[1]):
        columns[f"{_OUTPUT}{place}"] = pa.array(answers.outputs[:, place], pa.float32())
    columns["at"] = pa.array(rows.at, pa.float64())
    columns["device"] = pa.array(rows.device.tolist(), pa.string())
    for name, column in rows.groups.items():
        columns[f"{_GROUP}{name}"] = pa.array(column.tolist(), pa.string())
    told = {_SIGNATURE: msgspec.json.encode(answers.signature)}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(told), buffer, compression="zstd")
    return buffer.getvalue()


def decode(data: bytes) -> Evaluation:
    """What a file says.

    Raises:
        DataError: It is no such file.
    """
    try:
        table = pq.read_table(io.BytesIO(data))
        signature = msgspec.json.decode(table.schema.metadata[_SIGNATURE], type=Signature)
        found = {name: table.column(name).to_numpy() for name in table.column_names}
        outputs = [found[f"{_OUTPUT}{k}"] for k in range(len(found)) if f"{_OUTPUT}{k}" in found]
        return Evaluation(
            answers=Answers(found["truth"], np.stack(outputs, axis=1), signature),
            at=found["at"],
            device=found["device"].astype(np.str_),
            groups={
                name.removeprefix(_GROUP): column.astype(np.str_)
                for name, column in found.items()
                if name.startswith(_GROUP)
            },
        )
    except (pa.ArrowException, msgspec.MsgspecError, OSError, KeyError, TypeError, ValueError) as e:
        raise DataError(
            f"these are no held-out answers of a run ({e}): train again to have them anew"
        ) from e
