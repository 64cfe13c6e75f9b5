"""Values over time: what the script of the page draws, and a drawing where no script runs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from markupsafe import Markup

from fleetloop_hub.charts.axes import short
from fleetloop_hub.web.words import exactly

_WIDTH, _HEIGHT, _PAD = 480, 120, 6
_PLOT_HEIGHT = 190


@dataclass(frozen=True)
class TimePlot:
    """Some lines over the same moments.

    Attributes:
        title: What is shown.
        unit: Of all values.
        at: Unix seconds, ascending.
        lines: Values by name, one a moment; None where there is none.
        limit: Where a dashed line is drawn, None for nowhere.
    """

    title: str
    unit: str
    at: list[float]
    lines: dict[str, list[float | None]] = field(default_factory=dict)
    limit: float | None = None

    @property
    def told(self) -> dict[str, object]:
        """As `static/plots.js` reads it."""
        series: list[dict[str, object]] = [
            {"name": name, "values": values} for name, values in self.lines.items()
        ]
        if self.limit is not None:
            flat = [self.limit] * len(self.at)
            series.append({"name": "limit", "values": flat, "role": "limit"})
        return {
            "kind": "lines",
            "x": self.at,
            "x_is": "time",
            "series": series,
            "unit": self.unit,
            "height": _PLOT_HEIGHT,
        }

    @property
    def known(self) -> list[float]:
        """Every value that there is."""
        told = [v for values in self.lines.values() for v in values if v is not None]
        return [v for v in told if math.isfinite(v)]

    @property
    def drawn(self) -> Markup:
        """The same as SVG, with the range in words."""
        values = self.known
        if not values:
            return Markup("")
        low, high = min(0.0, *values), max(values)
        paths = Markup("").join(
            Markup('<polyline class="line-{n}" points="{points}"><title>{name}</title></polyline>')
            .format(n=n % 6 + 1, points=points, name=name)
            for n, (name, line) in enumerate(self.lines.items())
            for points in self._pieces(line, low, high)
        )  # fmt: skip
        label = (
            f"{self.title}: {short(min(values))} to {short(high)} {self.unit}, "
            f"{exactly(self.at[0])} to {exactly(self.at[-1])}"
        )
        return Markup(
            '<svg class="over-time" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">'
            "<title>{label}</title>{paths}</svg><small>{label}</small>"
        ).format(w=_WIDTH, h=_HEIGHT, label=label, paths=paths)

    def _pieces(self, values: list[float | None], low: float, high: float) -> Iterator[str]:
        """The points of each stretch without a gap."""
        span_s = (self.at[-1] - self.at[0]) or 1.0
        span = (high - low) or 1.0
        pairs = zip(self.at, values, strict=True)
        for known, stretch in groupby(pairs, key=lambda pair: _is_known(pair[1])):
            if known:
                yield " ".join(
                    f"{_PAD + (at - self.at[0]) / span_s * (_WIDTH - 2 * _PAD):.1f},"
                    f"{_HEIGHT - _PAD - ((value or 0.0) - low) / span * (_HEIGHT - 2 * _PAD):.1f}"
                    for at, value in stretch
                )


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
