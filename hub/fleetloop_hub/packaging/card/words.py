"""Numbers as a card writes them."""

from datetime import UTC, datetime

_SMALL = 0.001


def moment(at: float) -> str:
    """The minute, in UTC.

    >>> moment(0)
    '1970-01-01 00:00 UTC'
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def size(count: float) -> str:
    """Bytes in the largest unit that leaves a whole number in front.

    >>> size(12_345)
    '12.3 kB'
    """
    for unit in ("B", "kB", "MB"):
        if count < 1_000:  # noqa: PLR2004  # SI
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1_000
    return f"{count:.1f} GB"


def share(value: float) -> str:
    """A share of one in percent.

    >>> share(0.813)
    '81.3 %'
    """
    return f"{value * 100:.1f} %"


def number(value: float | None) -> str:
    """A number with as many digits as help; a dash for none.

    >>> number(1234.0), number(0.12345), number(0.00012), number(None)
    ('1,234', '0.123', '0.00012', '-')
    """
    if value is None:
        return "-"
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.3f}" if abs(value) >= _SMALL else f"{value:.2g}"


def plural(count: int, word: str) -> str:
    """A count of things.

    >>> plural(1, "row"), plural(2, "row")
    ('1 row', '2 rows')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"
