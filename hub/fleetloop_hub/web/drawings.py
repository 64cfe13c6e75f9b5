"""Small pictures as SVG, drawn here so that the page needs no script for them."""

from markupsafe import Markup

from fleetloop_hub.monitoring.overview import RolloutView

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


def phase_bar(rollout: RolloutView) -> Markup:
    """The phases of a rollout as parts of its cohort; those that are open are filled."""
    lower, parts = 0.0, []
    for number, upper in enumerate(rollout.shares, 1):
        parts.append(
            Markup('<rect class="{kind}" x="{x}" width="{w}" height="{h}" rx="3"/>').format(
                kind="done"
                if number < rollout.phase or rollout.ended_at
                else "open"
                if number == rollout.phase
                else "shut",
                x=f"{lower * _BAR_WIDTH:.1f}",
                w=f"{max(1.0, (upper - lower) * _BAR_WIDTH - 3):.1f}",
                h=_BAR_HEIGHT,
            )
        )
        lower = upper
    return Markup(
        '<svg class="phases" viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img" '
        'aria-label="Phase {phase} of {phases}">{parts}</svg>'
    ).format(
        w=_BAR_WIDTH,
        h=_BAR_HEIGHT,
        phase=rollout.phase,
        phases=len(rollout.shares),
        parts=Markup("").join(parts),
    )


def _y(ratio: float, top: float) -> float:
    return _HEIGHT - _PAD - (ratio / top) * (_HEIGHT - 2 * _PAD)
