"""A device too small for two repositories: it verifies the one signed statement of its director.

Uptane calls this partial verification (standard 2.1.0, section 5.4.4.2): only the `targets` role of
the director, by the keys that were pinned at enrolment. It needs Ed25519 (in pure Python), SHA-256,
JSON and some hundred bytes of state; no TUF library, no clock that is right.

What it gives up: it believes the director alone, so a stolen director key can make it install; it
sees neither snapshot nor timestamp, so held-back news shows only when the statement itself expires;
and a new key needs a new enrolment.

 1. The bundle is whole, and no larger than a limit.
 2. Enough of the pinned keys have signed its `targets`, as targets.
 3. Its version is not below the last one; an equal one is the same bytes.
 4. It has not expired, by a time that is never earlier than the last statement's.
 5. It lists one file, this cohort's, with the length and hash of what came along.
 6. That says it is for this cohort, and its sequence and floor do not go back.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from securesystemslib.exceptions import (
    FormatError,
    UnverifiedSignatureError,
    VerificationError,
)
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Key, Signature

from fleetloop_shared.codec import decode, decode_compressed
from fleetloop_shared.errors import (
    BelowFloorError,
    FreezeError,
    MixAndMatchError,
    RollbackError,
    SignatureError,
    UndecodableError,
    WrongCohortError,
)
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.messages import DesiredState
from fleetloop_shared.trust import Bundle, desired_target

_TARGETS = "targets"


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """All that it keeps, some hundred bytes; whoever holds it makes it durable before acting on it.

    Attributes:
        version: Of the last accepted `targets`.
        signed: SHA-256 of their signed part.
        sequence: Of the last accepted desired state.
        floor: Its security floor.
        time_floor: When it was issued: it is this late at least, Unix seconds.
    """

    version: int = 0
    signed: str = ""
    sequence: int = 0
    floor: int = 0
    time_floor: float = 0.0


class _File(msgspec.Struct):
    length: int
    hashes: dict[str, str]


class _Signed(msgspec.Struct):
    version: int
    expires: datetime
    targets: dict[str, _File]


class _Signature(msgspec.Struct):
    keyid: str
    sig: str


class _Metadata(msgspec.Struct):
    signatures: list[_Signature]
    signed: dict[str, Any]


class _Role(msgspec.Struct):
    keyids: list[str]
    threshold: int


class _Root(msgspec.Struct):
    keys: dict[str, dict[str, Any]]
    roles: dict[str, _Role]


class Pins:
    """The keys that a device took from the director's root when it enrolled."""

    def __init__(self, director_root: str) -> None:
        """Take them.

        Args:
            director_root: The root metadata that stood in the enrolment's answer.

        Raises:
            UndecodableError: It is none.
        """
        root = _convert(decode(director_root.encode(), _Metadata).signed, _Root)
        role = root.roles[_TARGETS]
        self._keys = {keyid: Key.from_dict(keyid, dict(root.keys[keyid])) for keyid in role.keyids}
        self._threshold = role.threshold

    def check(self, metadata: "_Metadata", data: bytes) -> None:
        """See that enough of them have signed.

        Raises:
            SignatureError: They have not.
        """
        good = set()
        for signature in metadata.signatures:
            key = self._keys.get(signature.keyid)
            if key is not None and _is_by(key, signature, data):
                good.add(signature.keyid)
        if len(good) < self._threshold:
            raise SignatureError(
                f"{len(good)} of the {self._threshold} signatures that are needed are by pinned"
                " keys: somebody else made this"
            )


class Mcu:
    """The verifying part of a constrained device.

    Attributes:
        memory: What it keeps; to be made durable after each `accept`.
    """

    def __init__(self, cohort: str, pins: Pins, memory: Memory | None = None) -> None:
        """Power on.

        Args:
            cohort: The cohort it belongs to.
            pins: Whom it believes.
            memory: What it has kept; by default nothing yet.
        """
        self.memory = memory or Memory()
        self._cohort = cohort
        self._pins = pins

    def accept(self, payload: bytes, now: float) -> DesiredState:
        """The desired state in a director bundle, if this device may follow it.

        Args:
            payload: The message.
            now: Unix seconds, by a clock that may be wrong.

        Raises:
            RefusedError: A check has failed; nothing has changed.
        """
        bundle = decode_compressed(payload, Bundle)  # 1
        metadata = decode(bundle.targets.encode(), _Metadata)
        try:
            data = str(encode_canonical(metadata.signed)).encode()
        except (FormatError, AttributeError, ValueError, RecursionError) as error:
            raise UndecodableError(f"metadata that has no canonical form: {error}") from error
        self._pins.check(metadata, data)  # 2
        signed, name, memory = _convert(metadata.signed, _Signed), sha256_hex(data), self.memory
        if metadata.signed.get("_type") != _TARGETS:
            raise MixAndMatchError(
                f"signed as {metadata.signed.get('_type')!r:.40}, not as targets"
            )
        if signed.version < memory.version:  # 3
            raise RollbackError(
                f"version {signed.version} is older than {memory.version}: a replay"
            )
        if signed.version == memory.version and name != memory.signed:
            raise MixAndMatchError(f"two different statements have version {signed.version}")
        at = datetime.fromtimestamp(max(now, memory.time_floor), UTC)
        if signed.expires <= at:  # 4
            raise FreezeError(f"the statement has expired at {signed.expires:%Y-%m-%d %H:%M} UTC")
        desired = self._desired(signed, bundle)
        self.memory = Memory(
            version=signed.version,
            signed=name,
            sequence=desired.sequence,
            floor=desired.floor,
            time_floor=max(memory.time_floor, desired.issued_at),
        )
        return desired

    def _desired(self, signed: _Signed, bundle: Bundle) -> DesiredState:
        path, memory = desired_target(self._cohort), self.memory
        entry = signed.targets.get(path)
        if entry is None or len(signed.targets) != 1:  # 5
            raise WrongCohortError(f"a statement that is not for cohort {self._cohort} alone")
        data = bundle.files.get(path, "").encode()
        if (len(data), sha256_hex(data)) != (entry.length, entry.hashes.get("sha256")):
            raise MixAndMatchError("the desired state is not the one that the director has signed")
        desired = decode(data, DesiredState)
        if desired.cohort != self._cohort:  # 6
            raise WrongCohortError(f"a statement for cohort {desired.cohort}, not {self._cohort}")
        if desired.sequence < memory.sequence:
            raise RollbackError(f"statement {desired.sequence} is older than {memory.sequence}")
        if desired.floor < memory.floor:
            raise BelowFloorError(f"a floor of {desired.floor}, below the accepted {memory.floor}")
        return desired


def _is_by(key: Key, signature: _Signature, data: bytes) -> bool:
    try:
        key.verify_signature(Signature(signature.keyid, signature.sig), data)
    except (UnverifiedSignatureError, VerificationError, ValueError):
        return False
    return True


def _convert(value: dict[str, Any], type_: type[Any]) -> Any:  # noqa: ANN401  # of the given type
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise UndecodableError(f"metadata that is none: {error}") from error
