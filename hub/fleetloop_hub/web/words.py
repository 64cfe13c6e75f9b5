"""Numbers and times as people read them, on the page and in the terminal."""

from datetime import UTC, datetime

from fleetloop_hub.monitoring.drift_words import number as three

_KILO = 1_000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


def ago(at: float, now: float) -> str:
    """How long before `now` it was; `static/live.js` counts on by the same rule.

    >>> ago(0, 3_700)
    '1 h ago'
    """
    passed = int(max(0.0, now - at))
    if passed < _MINUTE_S:
        return f"{passed} s ago"
    if passed < _HOUR_S:
        return f"{passed // _MINUTE_S} min ago"
    if passed < _DAY_S:
        return f"{passed // _HOUR_S} h ago"
    return f"{passed // _DAY_S} d ago"


def exactly(at: float) -> str:
    """The second, in UTC.

    >>> exactly(0)
    '1970-01-01 00:00:00 UTC'
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def machine_time(at: float) -> str:
    """The same for `<time datetime>`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def size(count: float) -> str:
    """Bytes in the largest unit that leaves a whole number in front.

    >>> size(12_345)
    '12.3 kB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < _KILO:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= _KILO
    return f"{count:.1f} TB"


def share(value: float) -> str:
    """A share of one in percent.

    >>> share(0.8125)
    '81.2 %'
    """
    return f"{value * 100:.1f} %"


def number(value: float | None) -> str:
    """A number with as many digits as help; nothing for None.

    >>> number(1234.0), number(0.123456)
    ('1,234', '0.123')
    """
    if value is None:
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3f}"


def milliseconds(value_ms: float | None) -> str:
    """A time in the unit that fits; nothing for None.

    >>> milliseconds(0.0123), milliseconds(1.5), milliseconds(2_400), milliseconds(None)
    ('12.3 µs', '1.5 ms', '2.4 s', '')
    """
    if value_ms is None:
        return ""
    return seconds(value_ms / _KILO)


def seconds(value_s: float) -> str:
    """A time or an offset in the unit that fits.

    >>> seconds(-0.25), seconds(7_300), seconds(3e-6), seconds(0)
    ('-250 ms', '2.03 h', '3 µs', '0 s')
    """
    size_s = abs(value_s)
    units = {"d": _DAY_S, "h": _HOUR_S, "s": 1.0, "ms": 1e-3, "µs": 1e-6}
    unit = next((u for u, length in units.items() if size_s >= length), "µs") if size_s else "s"
    return f"{three(value_s / units[unit])} {unit}"
