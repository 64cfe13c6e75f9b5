"""Labels that people or programs tell the hub, for predictions that devices have made."""

import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta

from fleetloop_hub.ports import Telemetry
from fleetloop_shared.codec import encode
from fleetloop_shared.reports import Label, LabelReport

_BOOT = 0
"""A device's own boots count from 1."""


class ToldLabel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The truth about a prediction.

    Attributes:
        device: Who made it.
        prediction_id: Its id.
        label: What it should have been, as a number.
        at: When that became known, Unix seconds.
    """

    device: Annotated[str, Meta(min_length=1, max_length=200)]
    prediction_id: Annotated[str, Meta(min_length=1, max_length=200)]
    label: Annotated[float, Meta(ge=-1e15, le=1e15)]
    at: Annotated[float, Meta(ge=0, le=1e12)]


def take(telemetry: Telemetry, told: list[ToldLabel]) -> int:
    """Keep labels as if their devices had sent them; what was told before is not kept twice.

    Returns:
        How many labels were told.

    Raises:
        DiskFullError: No room; none was kept.
    """
    of_device: dict[str, list[Label]] = {}
    for one in told:
        number = int(one.label) if one.label.is_integer() else one.label
        label = Label(prediction_id=one.prediction_id, label=number, at=one.at)
        of_device.setdefault(one.device, []).append(label)
    reports = []
    for device, labels in of_device.items():
        content = msgspec.json.encode(labels)
        seq = int.from_bytes(hashlib.sha256(content).digest()[:7], "big") + 1
        at = max(label.at for label in labels)
        report = LabelReport(device=device, boot=_BOOT, seq=seq, at=at, labels=labels)
        reports.append(("labels", encode(report), report))
    telemetry.store(reports)
    return len(told)
