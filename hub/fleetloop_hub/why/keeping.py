"""Keeps the pictures of a decision at its moment: what devices have said may be gone later."""

import logging
from collections.abc import Callable

from msgspec.structs import replace

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.errors import BlobError
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.records import Version
from fleetloop_hub.why.evidence import look
from fleetloop_hub.why.pictures import pictures
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import DiskFullError, UndecodableError
from fleetloop_shared.manifest import Manifest

_log = logging.getLogger(__name__)


def illustrating(
    catalog: Catalog, telemetry: Telemetry, blobs: Blobs
) -> Callable[[Decision], Decision]:
    """What adds the evidence of a decision to its record.

    A decision stands without it as well: where the champion's manifest cannot be read, or the disk
    is full, it is kept without pictures.
    """

    def illustrated(decision: Decision) -> Decision:
        version = catalog.find(Version, f"{decision.model}/{decision.champion}")
        if version is None or version.manifest is None:
            return decision
        try:
            manifest = decode(blobs.get(version.manifest), Manifest)
            seen = look(telemetry, manifest, decision)
            drawn = pictures(seen, decision.devices, decision.at)
            kept = {name: blobs.put(data) for name, data in drawn.items()}
        except (BlobError, UndecodableError, DiskFullError) as error:
            _log.warning("decision %s is kept without pictures: %s", decision.key, error)
            return decision
        return replace(decision, pictures=kept, moved=seen.moved)

    return illustrated
