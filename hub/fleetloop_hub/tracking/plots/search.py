"""How a search went: every setting in the order it was tried, and by the parameters that varied."""

from itertools import islice

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleetloop_hub.run_parts import Setting
from fleetloop_hub.tracking.plots.style import COLOURS, GREY, MARKERS, figure
from fleetloop_hub.tracking.plots.words import short

_MOST_PANELS = 6
_COLUMNS = 3
_DECADE = 20.0

Searches = dict[str, list[Setting]]


def fitted(searches: Searches) -> Searches:
    """The searches of which two settings or more could be fitted and scored, without the others."""
    scored = {name: [s for s in settings if _known(s)] for name, settings in searches.items()}
    return {name: settings for name, settings in scored.items() if len(settings) > 1}


def search(searches: Searches, title: str) -> Figure:
    """Mean score over the folds of every setting; bars reach from the worst to the best fold.

    Args:
        searches: Settings that were tried, by candidate.
        title: What the picture is of.
    """
    tried = fitted(searches)
    varied = list(islice(_varied(tried), _MOST_PANELS - 1))
    panels = 1 + len(varied)
    columns = min(_COLUMNS, panels)
    rows = -(-panels // columns)
    drawn = figure(3.6 * columns + 0.6, 3.3 * rows + 0.5)
    axes = drawn.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    _in_order(axes[0], tried)
    for panel, (name, parameter) in zip(axes[1:], varied, strict=False):
        _by_value(panel, tried[name], list(tried).index(name), parameter)
        panel.set_title(short(name), fontsize=9.5)
    for panel in axes[panels:]:
        panel.set_visible(False)
    for panel in axes[::columns]:
        panel.set_ylabel("score, mean of the folds")
    drawn.suptitle(f"{title}\nSettings that were tried", x=0.01, ha="left", fontsize=11)
    return drawn


def _in_order(axes: Axes, tried: Searches) -> None:
    for place, (name, settings) in enumerate(tried.items()):
        colour = COLOURS[place % len(COLOURS)]
        steps = np.arange(1, len(settings) + 1)
        means = np.array([_mean(setting) for setting in settings])
        axes.plot(
            steps,
            means,
            linestyle="",
            marker=MARKERS[place % len(MARKERS)],
            color=colour,
            markersize=4.5,
            label=short(name),
        )
        axes.step(steps, np.fmax.accumulate(means), where="post", color=colour, linewidth=1)
    axes.set(xlabel="trial; the line is the best so far")
    axes.legend(loc="lower right", fontsize=8)


def _by_value(axes: Axes, settings: list[Setting], place: int, parameter: str) -> None:
    values = np.array([_number(setting.parameters[parameter]) for setting in settings])
    means = np.array([_mean(setting) for setting in settings])
    ends = np.array([(min(_known(s)), max(_known(s))) for s in settings]).T
    colour = COLOURS[place % len(COLOURS)]
    axes.vlines(values, ends[0], ends[1], color=GREY, linewidth=0.8)
    marker = MARKERS[place % len(MARKERS)]
    axes.plot(values, means, linestyle="", marker=marker, color=colour, markersize=4.5)
    axes.set(xlabel=parameter.replace("_", " "))
    if values.min() > 0 and values.max() / values.min() > _DECADE:
        axes.set_xscale("log")


def _varied(tried: Searches) -> list[tuple[str, str]]:
    """Candidate and parameter, where numbers were searched among."""
    found = []
    for name, settings in tried.items():
        for parameter in settings[0].parameters:
            values = [setting.parameters.get(parameter) for setting in settings]
            numbers = [v for v in values if _is_number(v)]
            if len(numbers) == len(values) and len(set(map(_number, values))) > 1:
                found.append((name, parameter))
    return found


def _mean(setting: Setting) -> float:
    return float(np.mean(_known(setting)))


def _known(setting: Setting) -> list[float]:
    return [score for score in setting.scores if score is not None]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
