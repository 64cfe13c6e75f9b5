"""A chart's frame: numbers to places, ticks at round numbers, titles, all as SVG text.

Colours stand in attributes, never in styles, so that a page whose policy forbids styles shows them.
They are those of Okabe and Ito (2008), which colour-blind people can tell apart.
"""

import math
from dataclasses import dataclass
from html import escape

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREY, INK, SOFT, GRID = "#8A8F98", "#1A1A1A", "#555B63", "#E3E5E8"

WIDTH, HEIGHT = 680, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 16, 40, 46
_FONT = 'font-family="system-ui, sans-serif"'
_TICKS = 5


@dataclass(frozen=True)
class Axes:
    """Ranges of both axes, within a box of pixels.

    Attributes:
        x: Lowest and highest value that is shown to the right.
        y: Lowest and highest value that is shown upwards.
        box: Left, top, width and height of the plot, pixels.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    box: tuple[float, float, float, float] = (
        _LEFT,
        _TOP,
        WIDTH - _LEFT - _RIGHT,
        HEIGHT - _TOP - _BOTTOM,
    )

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies, in pixels; one beyond the ranges lies at their end."""
        left, top, width, height = self.box
        return (
            left + _part(x, self.x) * width,
            top + (1 - _part(y, self.y)) * height,
        )

    def frame(self, title: str, x_name: str, y_name: str) -> str:
        """Grid, ticks with their numbers, and the names of both axes with their units."""
        left, top, width, height = self.box
        drawn = [text(left - 44, 20, title, size=14, weight="600")]
        for value in ticks(*self.y):
            _, y = self.place(self.x[0], value)
            drawn.append(line(left, y, left + width, y, GRID))
            drawn.append(text(left - 6, y + 4, short(value), anchor="end", colour=SOFT))
        for value in ticks(*self.x):
            x, _ = self.place(value, self.y[0])
            drawn.append(line(x, top + height, x, top + height + 4, GREY))
            drawn.append(text(x, top + height + 17, short(value), anchor="middle", colour=SOFT))
        drawn.append(text(left + width, top + height + 36, x_name, anchor="end", colour=SOFT))
        drawn.append(text(left - 44, 34, y_name, colour=SOFT))
        return "".join(drawn)


def picture(parts: list[str], about: str, height: float = HEIGHT) -> bytes:
    """A whole SVG file.

    Args:
        parts: What is drawn, the hindmost first.
        about: The picture in words, for those who cannot see it.
        height: In pixels.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" role="img" aria-label="{escape(about)}">'
        f"<title>{escape(about)}</title>"
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#FFFFFF"/>{"".join(parts)}</svg>\n'
    ).encode()


def text(  # noqa: PLR0913  # where, what, and how it looks
    x: float,
    y: float,
    words: str,
    *,
    size: int = 11,
    colour: str = INK,
    anchor: str = "start",
    weight: str = "400",
) -> str:
    """Words at a place."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" {_FONT} font-size="{size}" font-weight="{weight}" '
        f'fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def line(  # noqa: PLR0913  # two ends, and how it looks
    x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False
) -> str:
    """A straight line."""
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="1"{dashes}/>'
    )


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two values, about five of them.

    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(3, 3)
    [3.0]
    """
    if not high > low:
        return [float(low)]
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def short(value: float) -> str:
    """A number as an axis shows it.

    >>> short(0.30000000000000004), short(12_000.0), short(-5.0)
    ('0.3', '12,000', '-5')
    """
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"


def _part(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    if not high > low:
        return 0.5
    return min(max((value - low) / (high - low), 0.0), 1.0)
