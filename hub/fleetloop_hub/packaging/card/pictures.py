"""The pictures of a card, as SVG that takes its colours from the page."""

from markupsafe import Markup

from fleetloop_hub.packaging.card.parts import Whisker
from fleetloop_hub.packaging.card.words import number
from fleetloop_hub.version_parts import CalibrationBin

_WIDTH, _HEIGHT, _PAD = 120, 18, 4
_SIDE, _LEFT, _TOP = 260, 44, 10


def whisker(cell: Whisker) -> Markup:
    """A dot with its interval on a line; a stroke where the limit is."""
    start, end = cell.scale

    def x(value: float) -> str:
        part = (min(max(value, start), end) - start) / ((end - start) or 1.0)
        return f"{_PAD + part * (_WIDTH - 2 * _PAD):.1f}"

    limit = Markup("")
    if cell.limit is not None:
        limit = Markup('<line class="limit" x1="{0}" x2="{0}" y1="2" y2="16"/>').format(
            x(cell.limit)
        )
    return Markup(
        '<span class="whisker {level}"><b>{value}</b><svg viewBox="0 0 {w} {h}" width="{w}" '
        'height="{h}" role="img" aria-label="{value}, interval {low} to {high}">'
        '<line class="axis" x1="{pad}" x2="{far}" y1="9" y2="9"/>{limit}'
        '<line class="interval" x1="{x1}" x2="{x2}" y1="9" y2="9"/>'
        '<circle cx="{x}" cy="9" r="3.5"/></svg><i>{low} to {high}</i></span>'
    ).format(
        level=cell.level,
        value=number(cell.value),
        w=_WIDTH,
        h=_HEIGHT,
        pad=_PAD,
        far=_WIDTH - _PAD,
        limit=limit,
        x1=x(cell.low),
        x2=x(cell.high),
        x=x(cell.value),
        low=f"{cell.low:.3f}",
        high=f"{cell.high:.3f}",
    )


def reliability(bins: list[CalibrationBin]) -> Markup:
    """Mean scores to the right, true shares upwards; on the diagonal a score is a probability."""
    dots = Markup("").join(
        Markup(
            '<circle cx="{}" cy="{}" r="4"><title>{} rows: {} against {}</title></circle>'
        ).format(
            f"{_LEFT + b.score * _SIDE:.1f}",
            f"{_TOP + (1 - b.share) * _SIDE:.1f}",
            f"{b.rows:,}",
            f"{b.score:.3f}",
            f"{b.share:.3f}",
        )
        for b in bins
    )
    path = " ".join(
        f"{_LEFT + b.score * _SIDE:.1f},{_TOP + (1 - b.share) * _SIDE:.1f}" for b in bins
    )
    ticks = Markup("").join(_ticks(tick / 4) for tick in range(5))
    return Markup(
        '<svg class="reliability" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
        'aria-label="Scores against what was true">{ticks}'
        '<line class="ideal" x1="{l}" y1="{b}" x2="{r}" y2="{t}"/>'
        '<polyline points="{path}"/>{dots}'
        '<text x="{m}" y="{low}" class="name">score</text>'
        '<text transform="translate(12 {c}) rotate(-90)" class="name">share that was true</text>'
        "</svg>"
    ).format(
        w=_LEFT + _SIDE + 16,
        h=_TOP + _SIDE + 44,
        ticks=ticks,
        l=_LEFT,
        b=_TOP + _SIDE,
        r=_LEFT + _SIDE,
        t=_TOP,
        path=path,
        dots=dots,
        m=_LEFT + _SIDE // 2,
        low=_TOP + _SIDE + 38,
        c=_TOP + _SIDE // 2,
    )


def _ticks(part: float) -> Markup:
    return Markup(
        '<line class="grid" x1="{x}" x2="{x}" y1="{t}" y2="{b}"/>'
        '<line class="grid" x1="{l}" x2="{r}" y1="{y}" y2="{y}"/>'
        '<text x="{x}" y="{below}" class="tick">{part}</text>'
        '<text x="{beside}" y="{level}" class="tick end">{part}</text>'
    ).format(
        x=f"{_LEFT + part * _SIDE:.0f}",
        y=f"{_TOP + (1 - part) * _SIDE:.0f}",
        t=_TOP,
        b=_TOP + _SIDE,
        l=_LEFT,
        r=_LEFT + _SIDE,
        below=_TOP + _SIDE + 18,
        beside=_LEFT - 6,
        level=f"{_TOP + (1 - part) * _SIDE + 4:.0f}",
        part=f"{part:g}",
    )
