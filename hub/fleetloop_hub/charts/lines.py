"""Values over time as lines, with intervals as bands and a limit as a dashed line."""

import math
from dataclasses import dataclass

from fleetloop_hub.charts.axes import COLOURS, GREY, HEIGHT, Axes, line, picture, text

_LEGEND_EVERY, _LEGEND_ACROSS = 16, 4
_THIN, _WIDER = 1.8, 0.8


@dataclass(frozen=True)
class Point:
    """A value at a moment.

    Attributes:
        x: When.
        y: What was measured.
        low: Lower end of its 95 % interval, None where there is none.
        high: Upper end of it.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """Points that belong together.

    Attributes:
        name: As the legend calls them; "" keeps them out of it.
        points: In order.
        quiet: Drawn grey and thin, behind the others.
        dots: Moments to mark on the line, by x.
    """

    name: str
    points: list[Point]
    quiet: bool = False
    dots: list[float] | None = None


@dataclass(frozen=True)
class Words:
    """What stands around the lines.

    Attributes:
        title: What the picture shows.
        x: Name of the axis to the right, with its unit.
        y: Name of the axis upwards, with its unit.
        limit: What the dashed line is.
    """

    title: str
    x: str
    y: str
    limit: str = ""


def lines(words: Words, series: list[Series], *, limit: float | None = None) -> bytes:
    """An SVG file with all series; values that are not finite are left out.

    Args:
        words: What stands around them.
        series: At least one with a point.
        limit: Where the dashed line is.
    """
    axes = _axes(series, limit)
    parts = [axes.frame(words.title, words.x, words.y)]
    if limit is not None:
        (x1, y), (x2, _) = axes.place(axes.x[0], limit), axes.place(axes.x[1], limit)
        parts += [line(x1, y, x2, y, GREY, dashed=True)]
        parts += [text(x2, y - 4, words.limit, anchor="end", colour=GREY)]
    loud = [one for one in series if not one.quiet]
    parts += [_drawn(one, axes, "#B9BEC5", 1.0) for one in series if one.quiet]
    colours = [COLOURS[k % len(COLOURS)] for k in range(len(loud))]
    parts += [_band(one, axes, c) for one, c in zip(loud, colours, strict=True)]
    # The first ones are the widest, so that each shows beside those that lie over it.
    widths = [_THIN + _WIDER * k for k in reversed(range(len(loud)))]
    drawn = zip(loud, colours, widths, strict=True)
    parts += [_drawn(one, axes, colour, width) for one, colour, width in drawn]
    named = [(one.name, c) for one, c in zip(loud, colours, strict=True) if one.name]
    for k, (name, colour) in enumerate(named):
        x = 58 + (k % _LEGEND_ACROSS) * 152
        y = HEIGHT + 4 + (k // _LEGEND_ACROSS) * _LEGEND_EVERY
        parts += [f'<rect x="{x}" y="{y - 8}" width="10" height="10" fill="{colour}"/>']
        parts += [text(x + 15, y + 1, name if len(name) < 24 else f"{name[:22]}…")]  # noqa: PLR2004  # a column's width
    rows = math.ceil(len(named) / _LEGEND_ACROSS)
    return picture(parts, words.title, HEIGHT + rows * _LEGEND_EVERY)


def _axes(series: list[Series], limit: float | None) -> Axes:
    points = [p for one in series for p in one.points if math.isfinite(p.y)]
    ys = [v for p in points for v in (p.y, p.low, p.high) if v is not None and math.isfinite(v)]
    ys += [] if limit is None else [limit]
    xs = [p.x for p in points]
    low, high = min(ys, default=0.0), max(ys, default=1.0)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    floor = 0.0 if low >= 0 and low < (high - low) else low - room
    return Axes(x=(min(xs, default=0.0), max(xs, default=1.0)), y=(floor, high + room))


def _drawn(one: Series, axes: Axes, colour: str, width: float) -> str:
    places = [axes.place(p.x, p.y) for p in one.points if math.isfinite(p.y)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    marked = one.dots or []
    if len(places) == 1:
        marked = [one.points[0].x]
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width + 1.7:.1f}" fill="{colour}"/>'
        for p, (x, y) in zip((p for p in one.points if math.isfinite(p.y)), places, strict=True)
        if p.x in marked
    )
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
        f'stroke-linejoin="round"/>{dots}'
    )


def _band(one: Series, axes: Axes, colour: str) -> str:
    known = [(p.x, p.low, p.high) for p in one.points if p.low is not None and p.high is not None]
    if not known:
        return ""
    if len(known) == 1:  # a single point has its interval as a whisker
        [(x, low, high)] = known
        (left, top), (_, bottom) = axes.place(x, high), axes.place(x, low)
        return line(left, top, left, bottom, colour)
    upper = [axes.place(x, high) for x, _, high in known]
    lower = [axes.place(x, low) for x, low, _ in reversed(known)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *lower])
    return f'<polygon points="{path}" fill="{colour}" fill-opacity="0.15"/>'
