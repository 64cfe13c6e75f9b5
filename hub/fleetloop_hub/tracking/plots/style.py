"""How every picture looks: colours that colour-blind people can tell apart, and plain axes.

Colours are those of Okabe and Ito (2008), "Color Universal Design". No state of matplotlib's is
changed: every figure is drawn and written inside `looks`.
"""

import io
from contextlib import AbstractContextManager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleetloop_hub.tracking.plots.formats import Format

BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
)
COLOURS = (BLUE, ORANGE, GREEN, PINK, RED, SKY, "#000000", YELLOW)
GREY = "#8A8F98"
MARKERS = "osD^vPX*"

_RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E3E5E8",
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",  # text stays text: it can be searched, and read aloud
    "svg.hashsalt": "fleetloop",  # equal pictures are equal bytes
}
_DOTS_PER_INCH = 144


def looks() -> AbstractContextManager[None]:
    """The settings in which figures are drawn and written."""
    return mpl.rc_context(_RC)  # type: ignore[arg-type]  # its stub lists every key as a literal


def figure(width: float = 6.4, height: float = 4.4) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height))


def written(drawn: Figure, format_: Format) -> bytes:
    """The figure as a file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    metadata = {"Date": None} if format_ == "svg" else {"Software": None}
    drawn.savefig(buffer, format=format_, dpi=_DOTS_PER_INCH, metadata=metadata)
    return buffer.getvalue()


def shares(axes: Axes, x: str, y: str) -> None:
    """Both axes are shares from 0 to 1, on a square."""
    axes.set(xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_aspect("equal")
