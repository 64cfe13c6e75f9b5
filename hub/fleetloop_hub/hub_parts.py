"""Everything the hub is made of, for one who builds it: the real thing, or a test's."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fleetloop_hub.broker_port import Broker
from fleetloop_hub.data.additions import Additions
from fleetloop_hub.journeys.spans import Spans
from fleetloop_hub.metrics.meter import Meter
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.link import Link


@dataclass(frozen=True)
class Parts:
    """Everything the hub is made of; a test passes others.

    Attributes:
        catalog: Small documents.
        telemetry: What devices say.
        blobs: Content by hash.
        broker: Started already.
        link: To that broker, started already.
        trust: What is signed, and the keys.
        hub_password: Of the hub's own account at the broker.
        runs_dir: Where training processes work.
        additions: Dataset versions being built.
        now: The hub's clock, Unix seconds.
        max_bytes_per_s: The fastest average pace at which chunks are published, None for no limit.
        meter: Where what happens is counted.
        spans: Where traces of rollouts go, None if nobody wants them.
    """

    catalog: Catalog
    telemetry: Telemetry
    blobs: Blobs
    broker: Broker
    link: Link
    trust: Trust
    hub_password: str
    runs_dir: Path
    additions: Additions
    now: Callable[[], float] = time.time
    max_bytes_per_s: int | None = None
    meter: Meter = field(default_factory=Meter)
    spans: Spans | None = None
