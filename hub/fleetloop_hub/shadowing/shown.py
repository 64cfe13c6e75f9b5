"""A shadow as people are shown it, in forms that a light command can read."""

import msgspec

from fleetloop_hub.shadow_records import ShadowRun
from fleetloop_hub.shadowing.weighing import Weighed
from fleetloop_shared.shadow_report import ShadowCounts


class ShadowView(msgspec.Struct, frozen=True, kw_only=True):
    """A shadow with what was counted.

    Attributes:
        run: It.
        devices: Devices that have told something.
        weighed: What the counts say, None before the first.
        counts: They, None before the first.
        by_hardware: What they say by hardware type.
        run_p50_ms: The median run of the challenger, None without runs.
    """

    run: ShadowRun
    devices: int
    weighed: Weighed | None
    counts: ShadowCounts | None
    by_hardware: dict[str, Weighed]
    run_p50_ms: float | None
