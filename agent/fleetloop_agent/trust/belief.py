"""What is believed of one repository: the metadata last accepted, as it is kept on the disk."""

from typing import ClassVar

import msgspec

from fleetloop_agent.sealed import Record


class Belief(Record, frozen=True, kw_only=True):
    """One repository's accepted metadata, each file as the text that was signed.

    Attributes:
        bundle: SHA-256 of the message it came in; the same message again says nothing new.
        root: The newest accepted root; empty before the first bundle.
        timestamp: The timestamp role.
        snapshot: The snapshot role.
        targets: The targets role.
        version: The timestamp's version.
        expires_at: When the first of them expires, Unix seconds.
        time_floor: It was this late at least, Unix seconds.
        desired: The desired state's bytes as text, in the director's repository.
    """

    FORMAT: ClassVar[int] = 1

    bundle: str = ""
    root: str = ""
    timestamp: str = ""
    snapshot: str = ""
    targets: str = ""
    version: int = 0
    expires_at: float = 0.0
    time_floor: float = 0.0
    desired: str = ""

    @property
    def files(self) -> dict[str, str]:
        """What the TUF client finds in its folder."""
        names = {"timestamp": self.timestamp, "snapshot": self.snapshot, "targets": self.targets}
        return {f"{name}.json": text for name, text in names.items() if text}


def listed(belief: Belief, path: str) -> tuple[int, str] | None:
    """Length and SHA-256 of a file that the accepted targets list, None if they do not."""
    if not belief.targets:
        return None
    signed = msgspec.json.decode(belief.targets, type=_Targets).signed
    entry = signed.targets.get(path)
    return None if entry is None else (entry.length, entry.hashes.get("sha256", ""))


class _File(msgspec.Struct):
    length: int
    hashes: dict[str, str]


class _Signed(msgspec.Struct):
    targets: dict[str, _File]


class _Targets(msgspec.Struct):
    signed: _Signed
