"""`/metrics` for Prometheus, and the counting of requests that it tells of."""

import time

from flask import Blueprint, Flask, Response, g, request

from fleetloop_hub.metrics.exposition import Exposition
from fleetloop_hub.metrics.families import REQUEST_S, REQUESTS
from fleetloop_hub.metrics.meter import Meter
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.web.access import needs

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER = "other"
_NO_ROUTE = "none"


def metrics_routes(meter: Meter, catalog: Catalog, telemetry: Telemetry) -> Blueprint:
    """What a scraper reads."""
    metrics = Blueprint("metrics", __name__)
    exposition = Exposition(meter, catalog, telemetry)

    @metrics.get("/metrics")
    @needs(Role.VIEWER)
    def read() -> Response:
        text, content_type = exposition.text(request.headers.get("Accept", ""))
        return Response(text, content_type=content_type)

    return metrics


def register(app: Flask, meter: Meter) -> None:
    """Count every request by its route, never by its address; to be registered first."""

    def begin() -> None:
        g.began_s = time.perf_counter()

    def count(response: Response) -> Response:
        rule = request.url_rule
        route = _NO_ROUTE if rule is None else rule.rule
        method = request.method if request.method in _METHODS else _OTHER
        meter.add(REQUESTS, route, method, str(response.status_code))
        meter.observe(REQUEST_S, time.perf_counter() - g.began_s, route)
        return response

    app.before_request(begin)
    app.after_request(count)
