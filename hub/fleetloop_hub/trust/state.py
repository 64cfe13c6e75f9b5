"""What is kept of one repository: one file, replaced as a whole."""

from pathlib import Path

import msgspec

from fleetloop_hub.errors import KeyFileError
from fleetloop_hub.trust.terms import Repository
from fleetloop_shared.codec import encode
from fleetloop_shared.durable import Disk, replace
from fleetloop_shared.ids import sha256_hex

FORMAT = 1
_HASH_CHARS = 64


class State(msgspec.Struct, frozen=True, kw_only=True):
    """One repository: what is published, and what waits for signatures.

    Attributes:
        repository: Which.
        roots: Every root from version 1 on, signed in full.
        online: Names of the keys that lie on the hub, by key id.
        people: Names of the keys that people hold, by key id.
        revoked: Keys whose signatures are not taken any more: when, Unix seconds, by key id.
        targets: The list that is published; "" where there is none, as for the director, whose
            lists are made for one cohort each.
        snapshot: Belongs to `targets`.
        timestamp: Belongs to `snapshot`.
        next_root: A root that waits for signatures, "" for none.
        next_targets: A list that waits for signatures, "" for none.
        targets_version: The last number given to a list, also to one that was never published.
        format: Of this record.
    """

    repository: Repository
    roots: list[str] = []
    online: dict[str, str] = {}
    people: dict[str, str] = {}
    revoked: dict[str, float] = {}
    targets: str = ""
    snapshot: str = ""
    timestamp: str = ""
    next_root: str = ""
    next_targets: str = ""
    targets_version: int = 0
    format: int = FORMAT


def path_of(repository: Repository) -> Path:
    """Where a repository is kept, below the state folder."""
    return Path("trust") / f"{repository}.json"


def save(disk: Disk, state: State) -> None:
    """Make it durable.

    Raises:
        DiskFullError: No room; what was there stands.
    """
    data = encode(state)
    replace(disk, path_of(state.repository), f"{sha256_hex(data)}\n".encode() + data)


def load(disk: Disk, repository: Repository) -> State | None:
    """What is kept, None if nothing ever was.

    Raises:
        KeyFileError: It is damaged, or of a newer form.
    """
    path = path_of(repository)
    try:
        data = disk.read(path)
    except FileNotFoundError:
        return None
    body = data[_HASH_CHARS + 1 :]
    if data[:_HASH_CHARS] != sha256_hex(body).encode():
        raise KeyFileError(
            f"{path} is not what was written: restore it from a copy, together with the folder keys"
        )
    try:
        state = msgspec.json.decode(body, type=State)
    except msgspec.MsgspecError as error:
        raise KeyFileError(f"{path} is of another form ({error}): update the hub") from error
    if state.format != FORMAT or state.repository is not repository:
        raise KeyFileError(f"{path} has format {state.format}: update the hub")
    return state
