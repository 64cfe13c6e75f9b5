"""The bytes of samples that the hub takes from a device: what its policy lets it write.

A device keeps its own budget; one that lies does not. What an honest device may have saved up while
it was away, a week of it, is taken at once.
"""

from collections import OrderedDict

from fleetloop_hub.ports import Telemetry

DAYS = 7
"""Days that a device may be away without losing samples."""

_DAY_S = 86_400.0
_REMEMBERED = 20_000

Key = tuple[str, int, int]
"""A report's device, boot and number."""


class SampleQuota:
    """A bucket a device, filled by the hub's clock; after a restart it counts what is stored."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Nothing was taken yet."""
        self._telemetry = telemetry
        self._left: dict[str, tuple[float, float]] = {}
        self._taken: OrderedDict[Key, None] = OrderedDict()

    def take(self, key: Key, size_bytes: int, bytes_per_day: int, now: float) -> bool:
        """Take a report, unless its device has no bytes left; one that comes again costs nothing.

        Args:
            key: The report.
            size_bytes: Its payload.
            bytes_per_day: What the policy lets the device write.
            now: The hub's clock.
        """
        if key in self._taken:
            return True
        device, most = key[0], float(DAYS * bytes_per_day)
        if device not in self._left:
            stored = self._telemetry.sampled_bytes(device, now - DAYS * _DAY_S)
            self._left[device] = max(0.0, most - stored), now
        left, at = self._left[device]
        left = min(most, left + max(0.0, now - at) * bytes_per_day / _DAY_S)
        taken = size_bytes <= left
        self._left[device] = (left - size_bytes if taken else left), now
        if taken:
            self._taken[key] = None
            if len(self._taken) > _REMEMBERED:
                self._taken.popitem(last=False)
        return taken
