"""The figures of a comparison in units that people know; records have shares and doublings."""

from fleetloop_hub.judgement_records import Comparison

_MIB = 1_048_576
_US_PER_MS = 1_000


def figure(comparison: Comparison, value: float | None) -> str:
    """A side's figure."""
    if value is None:
        return "nothing yet"
    if comparison.unit == "points":
        return f"{value * 100:.2f} %"
    if comparison.measure == "latency":
        return f"{2**value / _US_PER_MS:.3g} ms"
    if comparison.measure == "memory":
        return f"{2**value / _MIB:.1f} MiB"
    if comparison.unit == "x":
        return f"{2**value:.2f}"
    return f"{value:.2g} {comparison.unit}"


def amount(comparison: Comparison, value: float | None) -> str:
    """How much worse, "" where it cannot be told."""
    if value is None:
        return ""
    return f"{value:.2f} times" if comparison.unit == "x" else f"{value:+.2f} {comparison.unit}"


def interval(comparison: Comparison) -> str:
    """Where the difference surely lies, "" where it cannot be told."""
    if comparison.difference is None:
        return ""
    low, high = (_end(end) for end in (comparison.low, comparison.high))
    return f"{low} to {high}"


def _end(value: float | None) -> str:
    return "no end" if value is None else f"{value:.2f}"
