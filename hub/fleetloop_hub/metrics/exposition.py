"""All numbers of the hub as text for a scraper: Prometheus' format, or OpenMetrics if it asks."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from fleetloop_hub.metrics.fleet import Fleet
from fleetloop_hub.metrics.meter import Meter
from fleetloop_hub.ports import Catalog, Telemetry


class _All(Collector):
    """Meter and fleet, as the library asks for them."""

    def __init__(self, meter: Meter, fleet: Fleet) -> None:
        self._meter, self._fleet = meter, fleet

    def collect(self) -> Iterator[Metric]:
        """Every family, once."""
        yield from self._fleet.collect()
        yield from self._meter.collect()

    def describe(self) -> list[Metric]:
        """Nothing: names need not be known before the first scrape."""
        return []


class Exposition:
    """What a scraper reads. Safe to be called from many threads."""

    def __init__(self, meter: Meter, catalog: Catalog, telemetry: Telemetry) -> None:
        """Tell of these, and of this process."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_All(meter, Fleet(catalog, telemetry)))
        ProcessCollector(registry=self._registry)

    def text(self, accept: str) -> tuple[bytes, str]:
        """The numbers of now, and their content type.

        Args:
            accept: The request's Accept header, "" without one.
        """
        encoder, content_type = choose_encoder(accept)
        return encoder(self._registry), content_type
