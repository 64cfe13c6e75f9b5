"""What the monitor has counted and not yet told, as bytes and back; nothing in them is trusted."""

import hashlib
import math
import zlib
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_shared.codec import decompress, encode
from fleetloop_shared.drift.scan import OpenWindows
from fleetloop_shared.drift.sums import Block
from fleetloop_shared.drift.trace import Part
from fleetloop_shared.errors import UnusableWindowError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Manifest

_DIGEST_BYTES = 32
_ARRAYS = {
    "counts": np.int64,
    "low": np.float32,
    "high": np.float32,
    "sums": np.float64,
    "products": np.float64,
    "score_counts": np.int64,
    "out_of_range": np.int64,
}


class Rest(msgspec.Struct, frozen=True, array_like=True):
    """Rows that fill no block yet.

    Attributes:
        first_row: Number of the first.
        values: Their float32 values, row by row.
        scores: Their float64 scores.
    """

    first_row: int
    values: bytes
    scores: bytes


class _KeptPart(msgspec.Struct, frozen=True, array_like=True):
    first_row: int
    rows: int
    arrays: list[bytes]


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    bound_to: str
    rest: Rest
    parts: list[_KeptPart | None]
    since_row: int | None


class OpenWindow(msgspec.Struct, frozen=True, eq=False):
    """What a monitor and its scan must remember to go on after a restart.

    Attributes:
        rest: Rows that fill no block yet.
        windows: What the scan has of windows that are not over.
    """

    rest: Rest
    windows: OpenWindows

    @property
    def empty(self) -> bool:
        """Whether there is nothing to remember."""
        return self.rest.first_row == 1 and not self.rest.scores


def pack(window: OpenWindow, manifest: Manifest) -> bytes:
    """The bytes of an open window, bound to the model and what its rows are compared with."""
    kept = _Kept(
        bound_to=_name(manifest),
        rest=window.rest,
        parts=[_kept_part(part) for part in window.windows.parts],
        since_row=window.windows.since_row,
    )
    data = zlib.compress(msgspec.msgpack.encode(kept), 6)
    return hashlib.sha256(data).digest() + data


def unpack(data: bytes, manifest: Manifest, like: Block) -> OpenWindow:
    """The open window in some bytes.

    Args:
        data: The bytes.
        manifest: Of the model that serves.
        like: A block of its monitor, without rows.

    Raises:
        UnusableWindowError: They are not whole, no such window, or another model's.
        EndlessDataError: They grow beyond what any such window has.
    """
    digest, packed = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if hashlib.sha256(packed).digest() != digest:
        raise UnusableWindowError("the open window on the disk is damaged; counting begins anew")
    try:
        content = decompress(packed, _most_bytes(manifest, like))
        kept = msgspec.msgpack.decode(content, type=_Kept)
    except msgspec.MsgspecError as error:
        raise UnusableWindowError(f"no open window: {error}; counting begins anew") from error
    if kept.bound_to != _name(manifest):
        raise UnusableWindowError(
            "the open window on the disk is of another model; counting begins anew"
        )
    scales = manifest.thresholds.scales
    _demand(len(kept.parts) == len(scales), "other scales")
    parts = [
        None if part is None else _part(part, scale.rows, like)
        for part, scale in zip(kept.parts, scales, strict=True)
    ]
    _check_rest(kept.rest, scales[0].rows, width=len(like.low))
    return OpenWindow(kept.rest, OpenWindows(parts, kept.since_row))


def _name(manifest: Manifest) -> str:
    compared = encode([manifest.reference, manifest.thresholds, manifest.signature])
    return f"{manifest.sha256} {sha256_hex(compared)}"


def _most_bytes(manifest: Manifest, like: Block) -> int:
    """No open window of this model is larger."""
    scales = manifest.thresholds.scales
    part_bytes: int = sum(getattr(like, name).nbytes + 100 for name in _ARRAYS)
    return len(scales) * part_bytes + scales[0].rows * (4 * len(like.low) + 8) + 1_000


def _kept_part(part: Part | None) -> _KeptPart | None:
    if part is None:
        return None
    first_row, block = part
    arrays = [getattr(block, name).astype(kind).tobytes() for name, kind in _ARRAYS.items()]
    return _KeptPart(first_row, block.rows, arrays)


def _part(kept: _KeptPart, most_rows: int, like: Block) -> Part:
    _demand(0 < kept.rows < most_rows and kept.first_row > 0, f"{kept.rows} rows")
    _demand(len(kept.arrays) == len(_ARRAYS), "other sums")
    arrays: dict[str, Any] = {
        name: _array(data, np.dtype(kind), getattr(like, name).shape)
        for data, (name, kind) in zip(kept.arrays, _ARRAYS.items(), strict=True)
    }
    return kept.first_row, Block(rows=kept.rows, **arrays)


def _array(data: bytes, kind: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    _demand(len(data) == kind.itemsize * math.prod(shape), "other features")
    return np.frombuffer(data, kind).reshape(shape).copy()


def _check_rest(rest: Rest, block_rows: int, *, width: int) -> None:
    rows = len(rest.scores) // np.dtype(np.float64).itemsize
    whole = len(rest.scores) == rows * np.dtype(np.float64).itemsize
    whole = whole and len(rest.values) == rows * width * np.dtype(np.float32).itemsize
    _demand(whole and rows < block_rows and rest.first_row > 0, "other rows")
    _demand(bool(np.isfinite(np.frombuffer(rest.scores)).all()), "scores that are no numbers")


def _demand(met: bool, text: str) -> None:  # noqa: FBT001  # reads as a sentence
    if not met:
        raise UnusableWindowError(f"no open window of this model: {text}; counting begins anew")
