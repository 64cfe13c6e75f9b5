"""Features side by side: how often values came at training, and how often they come now."""

from dataclasses import dataclass

from fleetloop_hub.charts.axes import COLOURS, GREY, SOFT, WIDTH, line, picture, text

_ACROSS, _TALL, _TOP, _PAD, _HIGH = 2, 166, 52, 28, 92


@dataclass(frozen=True)
class Pair:
    """One feature's rows, by the same bins.

    Attributes:
        name: The feature, with its unit.
        words: How it has moved.
        before: Share of the reference rows in each bin.
        now: Share of the live rows in each bin.
        edges: The lowest and the highest inner edge, as they are to be read.
    """

    name: str
    words: str
    before: list[float]
    now: list[float]
    edges: tuple[str, str]


def histograms(title: str, pairs: list[Pair]) -> bytes:
    """An SVG file with a small histogram a feature.

    Args:
        title: What the picture shows.
        pairs: At least one; bins are drawn equally wide, as they hold about equally many rows.
    """
    parts = [
        text(14, 20, title, size=14, weight="600"),
        f'<rect x="14" y="30" width="10" height="10" fill="{GREY}" fill-opacity="0.6"/>',
        text(29, 39, "at training", colour=SOFT),
        f'<rect x="104" y="30" width="10" height="10" fill="{COLOURS[1]}" fill-opacity="0.75"/>',
        text(119, 39, "now; share of rows by bin", colour=SOFT),
    ]
    wide = (WIDTH - _PAD * (_ACROSS + 1)) / _ACROSS
    for k, pair in enumerate(pairs):
        x = _PAD + (k % _ACROSS) * (wide + _PAD)
        parts.append(_one(pair, x, _TOP + (k // _ACROSS) * _TALL, wide))
    return picture(parts, title, _TOP + -(-len(pairs) // _ACROSS) * _TALL)


def _one(pair: Pair, left: float, top: float, wide: float) -> str:
    tallest = max([*pair.before, *pair.now], default=0.0) or 1.0
    base, step = top + 40 + _HIGH, wide / max(1, len(pair.before))
    drawn = [
        text(left, top + 12, pair.name, weight="600"),
        text(left, top + 26, pair.words, colour=SOFT),
    ]
    for k, (before, now) in enumerate(zip(pair.before, pair.now, strict=True)):
        x = left + k * step
        drawn.append(_bar(x, base, step * 0.46, _HIGH * before / tallest, now=False))
        x += step * 0.46
        drawn.append(_bar(x, base, step * 0.46, _HIGH * now / tallest, now=True))
    drawn.append(line(left, base, left + wide, base, GREY))
    drawn.append(text(left, base + 13, pair.edges[0], colour=SOFT))
    drawn.append(text(left + wide, base + 13, pair.edges[1], anchor="end", colour=SOFT))
    return "".join(drawn)


def _bar(x: float, base: float, wide: float, high: float, *, now: bool) -> str:
    colour, opacity = (COLOURS[1], 0.75) if now else (GREY, 0.6)
    return (
        f'<rect x="{x:.1f}" y="{base - high:.1f}" width="{wide:.1f}" height="{high:.1f}" '
        f'fill="{colour}" fill-opacity="{opacity}"/>'
    )
