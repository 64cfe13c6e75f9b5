"""Takes a manifest as it is given: signed, in its envelope, or plain."""

import base64
import binascii

import msgspec

from fleetloop_hub.errors import DataError
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.manifest import Manifest, check
from fleetloop_shared.signing import MANIFEST_TYPE


class _Envelope(msgspec.Struct, frozen=True, rename={"payload_type": "payloadType"}):
    payload: str
    payload_type: str


def manifest(data: bytes) -> Manifest:
    """The manifest in some bytes, its parts seen to agree.

    The signature is not looked at: scoring trusts the hub or the file that it is given, and sees
    only that the artifact is the manifest's. A device trusts nobody and does look.

    Raises:
        DataError: There is none in them.
    """
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
    except msgspec.MsgspecError:
        envelope = None
    try:
        if envelope is not None:
            if envelope.payload_type != MANIFEST_TYPE:
                raise DataError(f"an envelope with {envelope.payload_type[:80]!r}, no manifest")
            data = base64.b64decode(envelope.payload, validate=True)
        return check(msgspec.json.decode(data, type=Manifest))
    except (msgspec.MsgspecError, binascii.Error, FleetloopError) as error:
        raise DataError(f"not a manifest of this version: {error}") from error
