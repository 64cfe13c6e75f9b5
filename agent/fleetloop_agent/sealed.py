"""A small record that survives: two copies written in turn, each under a seal of its own.

A power cut in the middle of writing leaves the other copy. Damage to the newer copy costs one step;
what must not go back even then is written into both.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import msgspec

from fleetloop_shared import durable
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import DiskFaultError, UndecodableError
from fleetloop_shared.ids import sha256_hex

_SEAL_BYTES = 64


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What can be sealed; a subclass names its form and where its copies are.

    Attributes:
        format: The version of its form.
        generation: How often it has been written.
    """

    FORMAT: ClassVar[int]

    format: int = 1
    generation: int = 0


R = TypeVar("R", bound=Record)


def copies(folder: Path) -> tuple[Path, Path]:
    """Where the two copies of a record are kept."""
    return folder / "0.json", folder / "1.json"


def save(disk: Disk, folder: Path, record: R) -> R:
    """Make `record` the one that is found; returns it as it was written.

    Raises:
        DiskFullError: No room; the record before it stands.
    """
    written = msgspec.structs.replace(record, generation=record.generation + 1)
    body = encode(written)
    path = copies(folder)[written.generation % 2]
    durable.replace(disk, path, sha256_hex(body).encode() + b"\n" + body)
    return written


def save_both(disk: Disk, folder: Path, record: R) -> R:
    """The same, and damage to either copy does not undo it.

    Raises:
        DiskFullError: No room; the record before it, or this one, is found.
    """
    return save(disk, folder, save(disk, folder, record))


@dataclass(frozen=True)
class Copies(Generic[R]):
    """What the two copies hold.

    Attributes:
        newest: The newest whole record, None if there is none.
        older: The other one, None if it is not there or damaged.
        damage: What was wrong with those that are damaged.
    """

    newest: R | None
    older: R | None
    damage: list[str]


def load(disk: Disk, folder: Path, type_: type[R]) -> Copies[R]:
    """Read both copies."""
    found: list[R] = []
    damage: list[str] = []
    for path in copies(folder):
        try:
            found.append(_read(disk.read(path), type_))
        except FileNotFoundError:
            continue
        except (UndecodableError, DiskFaultError) as error:
            damage.append(f"{path}: {error}")
    found.sort(key=lambda record: record.generation, reverse=True)
    newest, older = [*found, None, None][:2]
    return Copies(newest, older, damage)


def _read(data: bytes, type_: type[R]) -> R:
    seal, body = data[:_SEAL_BYTES], data[_SEAL_BYTES + 1 :]
    if sha256_hex(body).encode() != seal:
        raise UndecodableError("torn or changed: its seal does not match")
    record = decode(body, type_)
    if record.format != type_.FORMAT:
        raise UndecodableError(f"format {record.format} is not {type_.FORMAT}: update the agent")
    return record
