"""What the daemon says of itself, in lines for people: times, sizes and shares as they are read."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from fleetloop_shared.messages import ReportedState

_TIMES = {"at", "over_at", "trusted_until", "time_floor", "waits_until"}
_UNKNOWN: tuple[object, ...] = (None, [], {}, "")
_KIB = 1024
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_WIDTH = 24


def update_in_words(update: ReportedState) -> list[str]:
    """What the update does, and why it waits."""
    serves = f"{update.model} {update.version}" if update.model else "no model yet"
    lines = [f"serves {serves}"]
    if update.target is not None:
        lines.append(f"moves to version {update.target}: {update.state}")
    if update.state == "trial":
        lines.append(f"if the agent ends, {update.attempts_left} more starts try this version")
    if update.waits_for:
        until = "" if update.waits_until is None else f", until {time_in_words(update.waits_until)}"
        lines.append(f"waits: {update.waits_for}{until}")
    return [*lines, ""]


def fields_in_words(told: Mapping[str, object]) -> Iterator[str]:
    """A line a field, the fields of a group behind the group's name.

    Args:
        told: By name; the name's end says the unit.
    """
    for name, value in told.items():
        if name == "reported" and isinstance(value, dict):
            yield from fields_in_words(value)
        elif name in {"system", "clock", "drift", "sensors"} and isinstance(value, dict):
            yield f"{name}:"
            yield from (f"  {line}" for line in fields_in_words(value))
        else:
            yield f"{name:<{_WIDTH}}{value_in_words(name, value)}"


def value_in_words(name: str, value: object) -> str:
    """A value as people read it.

    >>> value_in_words("disk_free_bytes", 3_221_225_472), value_in_words("cpu_ratio", 0.25)
    ('3.0 GiB', '25.0 %')
    """
    if value in _UNKNOWN:
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{key} {count}" for key, count in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _number_in_words(name, value) if isinstance(value, int | float) else str(value)


def time_in_words(at: float) -> str:
    """A moment in local time, with its zone.

    Args:
        at: Unix seconds; 0 is no moment yet.
    """
    try:
        return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S %Z}" if at else "-"
    except (OverflowError, ValueError, OSError):
        return "further away than a calendar reaches"


def _number_in_words(name: str, value: float) -> str:
    if name in _TIMES:
        return time_in_words(value)
    match name.rpartition("_")[2]:
        case "bytes":
            return _size(value)
        case "ratio":
            return f"{value:.1%}".replace("%", " %")
        case "c":
            return f"{value:.1f} °C"
        case "s":
            return _duration(value)
        case _:
            return str(value)


def _size(value: float) -> str:
    power = 0
    while value >= _KIB and power < len(_UNITS) - 1:
        value, power = value / _KIB, power + 1
    return f"{value:.1f} {_UNITS[power]}" if power else f"{value:.0f} B"


def _duration(seconds: float) -> str:
    if abs(seconds) < 60:  # noqa: PLR2004  # a minute
        return f"{seconds:.3f} s"
    try:
        return f"{'-' if seconds < 0 else ''}{timedelta(seconds=round(abs(seconds)))} h"
    except OverflowError:
        return f"{seconds} s"
