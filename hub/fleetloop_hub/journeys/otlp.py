"""Sends spans over OTLP/HTTP where the environment says so, with the `traces` extra.

OpenTelemetry's own variables hold: endpoint, headers, time-outs, the service's name.
"""

import logging
import os
from collections.abc import Mapping

from fleetloop_hub.journeys.spans import Span, Spans

_LOG = logging.getLogger("fleetloop.traces")
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NS_PER_S = 1_000_000_000
_STOP_MS = 3_000


def from_environment(environment: Mapping[str, str] = os.environ) -> Spans | None:
    """Where spans go, None if nobody wants any or what sends them is not installed."""
    wanted = next((name for name in _ENDPOINTS if environment.get(name)), None)
    if wanted is None or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        return OtlpSpans()
    except ImportError as error:
        _LOG.warning(
            "%s is set, and no trace is sent (%s): install fleetloop-hub[traces]", wanted, error
        )
        return None


class OtlpSpans(Spans):
    """Spans in batches, by a thread of OpenTelemetry's; what it cannot send, it gives up."""

    def __init__(self) -> None:
        """Begin to send.

        Raises:
            ImportError: The extra is not installed.
        """
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  # an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  # the same
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # the same

        named = "OTEL_SERVICE_NAME" in os.environ
        self._resource = Resource.create({} if named else {"service.name": "fleetloop-hub"})
        self._processor = BatchSpanProcessor(OTLPSpanExporter())

    def end(self, span: Span) -> None:
        from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415  # an extra
        from opentelemetry.trace import (  # noqa: PLC0415  # the same
            SpanContext,
            Status,
            StatusCode,
            TraceFlags,
        )

        def context(name: str) -> SpanContext:
            sampled = TraceFlags(TraceFlags.SAMPLED)
            return SpanContext(int(span.trace, 16), int(name, 16), False, sampled)  # noqa: FBT003  # the library's order

        code = StatusCode.OK if span.fault is None else StatusCode.ERROR
        self._processor.on_end(
            ReadableSpan(
                span.title,
                context(span.name),
                None if span.parent is None else context(span.parent),
                resource=self._resource,
                attributes=dict(span.facts),
                status=Status(code, span.fault),
                start_time=int(span.began_at * _NS_PER_S),
                end_time=int(span.ended_at * _NS_PER_S),
            )
        )

    def close(self) -> None:
        self._processor.force_flush(_STOP_MS)
        self._processor.shutdown()  # type: ignore[no-untyped-call]  # as the library has it
