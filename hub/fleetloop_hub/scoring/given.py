"""Takes a manifest as it is given."""

import msgspec

from fleetloop_hub.errors import DataError
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.manifest_check import check


def manifest(data: bytes) -> Manifest:
    """The manifest in some bytes, its parts seen to agree.

    Scoring trusts the hub or the file that it is given, and sees only that the artifact is the
    manifest's. A device trusts nobody, and asks both repositories.

    Raises:
        DataError: There is none in them.
    """
    try:
        return check(msgspec.json.decode(data, type=Manifest))
    except (msgspec.MsgspecError, FleetloopError) as error:
        raise DataError(f"not a manifest of this version: {error}") from error
