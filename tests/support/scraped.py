"""Reads what is exposed to Prometheus with the parsers of its own library."""

from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

Series = dict[str, float]
"""Numbers by name and labels: `name{label=value,...}`."""


def parsed(text: str) -> list[Metric]:
    """The families in Prometheus' text format; an error if it is none."""
    return list(text_string_to_metric_families(text))


def parsed_open(text: str) -> list[Metric]:
    """The families in OpenMetrics."""
    return list(openmetrics.text_string_to_metric_families(text))  # type: ignore[no-untyped-call]  # as the library has it


def series(found: list[Metric]) -> Series:
    """Every number by its name with its labels, as it stands in the text."""
    return {
        f"{s.name}{{{','.join(f'{k}={v}' for k, v in sorted(s.labels.items()))}}}": s.value
        for family in found
        for s in family.samples
    }
