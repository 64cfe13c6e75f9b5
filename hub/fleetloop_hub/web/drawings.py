"""Small pictures as SVG, drawn here so that the page needs no script for them."""

from markupsafe import Markup

_WIDTH, _HEIGHT, _PAD = 120, 26, 3
_BAR_WIDTH, _BAR_HEIGHT = 400, 10
_LEAST_TOP = 2.0


def sparkline(ratios: list[float]) -> Markup:
    """The drift ratios of the last windows; the dashed line is the threshold, 1."""
    if not ratios:
        return Markup("")
    top = max(_LEAST_TOP, *ratios)
    step = (_WIDTH - 2 * _PAD) / max(1, len(ratios) - 1)
    points = [(_PAD + i * step, _y(ratio, top)) for i, ratio in enumerate(ratios)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
        'aria-label="{label}"><title>{label}</title>'
        '<line class="limit" x1="0" x2="{w}" y1="{limit}" y2="{limit}"/>'
        '<polyline points="{path}"/><circle class="{kind}" cx="{x}" cy="{y}" r="2.5"/></svg>'
    ).format(
        w=_WIDTH,
        h=_HEIGHT,
        label=f"Drift ratio of the last {len(ratios)} windows, now {ratios[-1]:.2f}; "
        "an alarm from 1",
        limit=f"{_y(1.0, top):.1f}",
        path=path,
        kind="over" if ratios[-1] >= 1 else "under",
        x=f"{x:.1f}",
        y=f"{y:.1f}",
    )


def _y(ratio: float, top: float) -> float:
    return _HEIGHT - _PAD - (ratio / top) * (_HEIGHT - 2 * _PAD)
