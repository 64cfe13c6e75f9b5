"""How soon changes are seen, in words and in brief."""

from collections.abc import Callable
from dataclasses import dataclass

from fleetloop_hub.delay_parts import UNSEEN, Delays, FeatureDelay

_NAMED = 3


@dataclass(frozen=True)
class Kind:
    """One thing that can happen to a feature.

    Attributes:
        name: Of the field of `FeatureDelay`.
        words: What it is, as a heading.
        shift_sd: By how many standard deviations the mean moves, 0 for none.
    """

    name: str
    words: str
    shift_sd: float = 0.0

    def rows(self, delay: FeatureDelay) -> int | None:
        """The feature's delay."""
        found: int | None = getattr(delay, self.name)
        return found


KINDS = (
    Kind("quarter_sd", "mean + 0.25 sd", 0.25),
    Kind("half_sd", "mean + 0.5 sd", 0.5),
    Kind("whole_sd", "mean + 1 sd", 1.0),
    Kind("spread", "sd x 1.5"),
    Kind("missing", "missing + 2 %"),
    Kind("unknown", "unknown category 2 %"),
)


@dataclass(frozen=True)
class Brief:
    """A kind of change, over all features.

    Attributes:
        words: What it is.
        soonest: The feature that shows it first, with its unit, "" if none shows it.
        soonest_rows: After so many rows.
        latest: The feature that shows it last.
        latest_rows: After so many rows.
        unseen: The features in which it is seen seldom or late: no window shows it by the median.
    """

    words: str
    soonest: str
    soonest_rows: int
    latest: str
    latest_rows: int
    unseen: list[str]


def briefs(delays: Delays) -> list[Brief]:
    """Each kind of change with the features that show it first and last, and those that seldom do.

    >>> from fleetloop_hub.delay_parts import FeatureDelay
    >>> delays = Delays(features=[
    ...     FeatureDelay(name="pressure", unit="hPa", sd=6.2, half_sd=288),
    ...     FeatureDelay(name="wind", unit="kn", sd=4.0, half_sd=0)], pairs=[])
    >>> briefs(delays)[0]  # doctest: +NORMALIZE_WHITESPACE
    Brief(words='mean + 0.5 sd', soonest='pressure (3.1 hPa)', soonest_rows=288,
          latest='pressure (3.1 hPa)', latest_rows=288, unseen=['wind'])
    """
    found = []
    for kind in KINDS:
        made = _brief(kind.words, [(_named(f, kind), kind.rows(f)) for f in delays.features])
        found += [] if made is None else [made]
    pairs = [(f"{p.a} and {p.b} ({p.correlation:.2f})", p.flipped) for p in delays.pairs]
    flipped = _brief("correlation turned round", [(name, rows) for name, rows in pairs])
    return found if flipped is None else [*found, flipped]


def sentences(delays: Delays) -> list[str]:
    """The same as a person would say it: what is seen soon, what late, and what hardly.

    >>> from fleetloop_hub.delay_parts import FeatureDelay
    >>> delays = Delays(features=[
    ...     FeatureDelay(name="pressure", unit="hPa", sd=6.2, half_sd=288),
    ...     FeatureDelay(name="wind", unit="kn", sd=4.0, half_sd=0)], pairs=[])
    >>> sentences(delays)
    ['mean + 0.5 sd: seen after about 290 rows of pressure (3.1 hPa); seldom of wind']
    """
    return [f"{brief.words}: {_seen(brief)}" for brief in briefs(delays)]


def about(rows: int | None) -> str:
    """A number of rows with two digits, "seldom", or "-" where the change makes no sense.

    >>> about(288), about(0), about(None), about(1344)
    ('290', 'seldom', '-', '1,300')
    """
    if rows is None:
        return "-"
    return "seldom" if rows == UNSEEN else digits(rows)


def digits(value: float) -> str:
    """A number with two digits, without an exponent.

    >>> digits(3.141), digits(1234.5), digits(0.000123)
    ('3.1', '1,200', '0.00012')
    """
    short = float(f"{value:.2g}")
    return f"{short:,.0f}" if short.is_integer() else f"{short:,.10g}"


def _brief(words: str, told: list[tuple[str, int | None]]) -> Brief | None:
    known = [(name, rows) for name, rows in told if rows is not None]
    if not known:
        return None
    rows_of: Callable[[tuple[str, int]], int] = lambda pair: pair[1]  # noqa: E731  # a key
    seen = [(name, rows) for name, rows in known if rows != UNSEEN]
    soonest, latest = (
        (min(seen, key=rows_of), max(seen, key=rows_of)) if seen else (("", UNSEEN), ("", UNSEEN))
    )
    unseen = [name.partition(" (")[0] for name, rows in known if rows == UNSEEN]
    return Brief(words, *soonest, *latest, unseen)


def _named(feature: FeatureDelay, kind: Kind) -> str:
    if not (kind.shift_sd and feature.unit):
        return feature.name
    return f"{feature.name} ({digits(kind.shift_sd * feature.sd)} {feature.unit})"


def _seen(brief: Brief) -> str:
    parts = []
    if brief.soonest:
        told = f"seen after about {about(brief.soonest_rows)} rows of {brief.soonest}"
        if brief.latest_rows > brief.soonest_rows:
            told += f", at the latest after {about(brief.latest_rows)} of {brief.latest}"
        parts.append(told)
    if brief.unseen:
        more = len(brief.unseen) - _NAMED
        names = ", ".join(brief.unseen[:_NAMED])
        parts.append(f"seldom of {names}{f' and {more} more' if more > 0 else ''}")
    return "; ".join(parts)
