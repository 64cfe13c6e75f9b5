"""The candidates of a run: score against what they cost, and how they learned."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from fleetloop_hub.run_parts import Candidate
from fleetloop_hub.tracking.plots.style import BLUE, COLOURS, GREY, MARKERS, RED, figure
from fleetloop_hub.tracking.plots.words import short, size

_MOST_LINES = 8
_MOST_NAMES = 3
_NEAR = 0.08
_HALF = 0.5
_WIDE = 4.0


def pareto(candidates: list[Candidate], chosen: str | None, title: str) -> Figure:
    """Score against bytes and milliseconds; those that no other beats in both are joined.

    Args:
        candidates: Those that were tried.
        chosen: The one that was taken.
        title: What the picture is of.
    """
    drawn = figure(9.6, 4.6)
    left, right = drawn.subplots(1, 2, sharey=True)
    _against(left, candidates, chosen, {c.name: float(c.artifact_bytes) for c in candidates})
    _against(right, candidates, chosen, {c.name: c.latency_ms for c in candidates})
    left.set(xlabel="size of the artifact", ylabel="score on the validation rows")
    left.xaxis.set_major_formatter(FuncFormatter(lambda value, _: size(value)))
    right.set(xlabel="time of one row at the hub, ms")
    right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    for panel in (left, right):
        panel.xaxis.set_minor_formatter(NullFormatter())
        if panel.get_xscale() == "linear":
            panel.xaxis.set_major_locator(MaxNLocator(5))
    left.set_title(f"{title}\nCandidates: score against what they cost a device")
    right.legend(loc="best")
    return drawn


def learning(candidates: list[Candidate], title: str) -> Figure:
    """Every curve that candidates have, one panel a name.

    Args:
        candidates: Those that have curves.
        title: What the picture is of.
    """
    names = list(dict.fromkeys(name for c in candidates for name in c.curves))[:6]
    drawn = figure(3.8 * min(len(names), 2) + 1.6, 3.4 * ((len(names) + 1) // 2) + 0.5)
    panels = drawn.subplots((len(names) + 1) // 2, min(len(names), 2), squeeze=False).ravel()
    for panel, name in zip(panels, names, strict=False):
        what, by, step = name.partition(" by ")
        for place, candidate in enumerate(c for c in candidates if name in c.curves):
            if place == _MOST_LINES:
                break
            values = candidate.curves[name]
            steps = range(1, len(values) + 1)
            marker = MARKERS[place] if len(values) <= 12 else ""  # noqa: PLR2004  # by eye
            panel.plot(
                steps, values, color=COLOURS[place], marker=marker, label=short(candidate.name)
            )
        panel.set(xlabel=step if by else "epoch or round", ylabel=what)
        panel.legend(loc="best")
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    drawn.suptitle(f"{title}\nHow candidates learned", x=0.01, ha="left", fontsize=11)
    return drawn


def _against(
    axes: Axes, candidates: list[Candidate], chosen: str | None, cost: dict[str, float]
) -> None:
    front = _front(candidates, cost)
    axes.step(
        [cost[c.name] for c in front],
        [c.quantized_score for c in front],
        where="post",
        color=GREY,
        linewidth=1,
        linestyle=(0, (4, 3)),
        label="the best for the price",
    )
    for candidate in candidates:
        taken = candidate.name == chosen
        axes.plot(
            [cost[candidate.name]],
            [candidate.quantized_score],
            marker="*" if taken else "o",
            markersize=15 if taken else 7,
            color=RED if taken else BLUE if candidate in front else GREY,
            markeredgecolor="white",
            linestyle="",
            zorder=4 if taken else 3,
            label="taken" if taken else None,
        )
    if max(cost.values()) > _WIDE * min(cost.values()):
        axes.set_xscale("log")
    axes.margins(x=0.2, y=0.2)
    _name(axes, candidates, cost)


def _front(candidates: list[Candidate], cost: dict[str, float]) -> list[Candidate]:
    """Those that are better than all that cost no more, the cheapest first."""
    best, front = float("-inf"), []
    for candidate in sorted(candidates, key=lambda c: (cost[c.name], -c.quantized_score)):
        if candidate.quantized_score > best:
            best = candidate.quantized_score
            front.append(candidate)
    return front


def _name(axes: Axes, candidates: list[Candidate], cost: dict[str, float]) -> None:
    """Write names beside points; those that lie on each other share a text."""
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # places are known from here on
    groups: dict[tuple[float, float], list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: cost[c.name]):
        point = (cost[candidate.name], candidate.quantized_score)
        x, y = axes.transAxes.inverted().transform(axes.transData.transform(point))
        groups.setdefault((round(x / _NEAR), round(y / _NEAR)), []).append(candidate)
    for place, group in enumerate(groups.values()):
        names = ", ".join(short(c.name) for c in group[:_MOST_NAMES])
        more = f" and {len(group) - _MOST_NAMES} more" if len(group) > _MOST_NAMES else ""
        right = axes.transAxes.inverted().transform(
            axes.transData.transform((cost[group[0].name], group[0].quantized_score))
        )[0]
        beyond = right > _HALF
        axes.annotate(
            names + more,
            (cost[group[0].name], group[0].quantized_score),
            xytext=(-7 if beyond else 7, -15 if place % 2 else 8),
            ha="right" if beyond else "left",
            textcoords="offset points",
            fontsize=8.5,
        )
