"""One row of a dataset version, and what keeps it out of training."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fleetloop_hub.spec.model_spec import ModelSpec

_LARGEST_FLOAT32 = 3.4028234663852886e38


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its origin; one with a fault is kept, counted, and trained on by nobody.

    Attributes:
        at: Its place in time, NaN if unknown.
        label: The truth, None if unknown.
        values: In the order of the spec's features, NaN where missing.
        device: Who saw it, "" for the source.
        origin: The line in the source, or the prediction id on the device.
        fault: Why it is quarantined, "" if it is not.
    """

    at: float
    label: int | None
    values: tuple[float, ...]
    device: str
    origin: str
    fault: str = ""


def checked(row: Row, spec: ModelSpec) -> Row:
    """The row, with the first fault that the spec finds in it, if it has none yet."""
    return row if row.fault else replace(row, fault=next(_faults(row, spec), ""))


def in_time_order(rows: Iterable[Row]) -> list[Row]:
    """The source's rows, then the devices' rows, each by time; equal times keep their order.

    The two are not compared: a source may count days, where devices tell Unix seconds.
    """
    return sorted(rows, key=lambda r: (bool(r.device), -math.inf if math.isnan(r.at) else r.at))


def _faults(row: Row, spec: ModelSpec) -> Iterator[str]:
    if not math.isfinite(row.at):
        yield f"no {spec.rows.time}"
    if row.label is None:
        yield f"no {spec.label.column}"
    if len(row.values) != len(spec.features):
        yield f"not {len(spec.features)} values"
        return
    for feature, value in zip(spec.features, row.values, strict=True):
        if abs(value) > _LARGEST_FLOAT32:
            yield f"{feature.name} too large for float32"
        if feature.low is not None and value < feature.low:
            yield f"{feature.name} below {feature.low:g}"
        if feature.high is not None and value > feature.high:
            yield f"{feature.name} above {feature.high:g}"
