"""Draws a simulation: the metric over time with its retrainings, and the metric by its price."""

from html import escape

from fleetloop_hub.charts.lines import Point, Series, Words, lines
from fleetloop_hub.simulating.outcome import Result, Simulation

_DAY_S = 86_400.0
_LONG_DAYS = 3.0


def over_time(simulation: Simulation) -> bytes:
    """An SVG file: a line a policy; dots where a new version took over."""
    first = min(s.at for r in simulation.results for s in r.spans)
    last = max(s.at for r in simulation.results for s in r.spans)
    unit, length_s = ("days", _DAY_S) if last - first > _LONG_DAYS * _DAY_S else ("seconds", 1.0)
    series = [_line(r, first, length_s) for r in simulation.results]
    words = Words(
        title=f"{simulation.model}: {simulation.metric} under {len(series)} policies",
        x=f"{unit} since the first span of replayed rows; a dot: a new version took over in it",
        y=f"{simulation.metric}, each span of {simulation.results[0].spans[0].rows:,} rows",
    )
    return lines(words, series)


def by_price(simulation: Simulation) -> bytes:
    """An SVG file: a dot a policy, at the labels it has used and the metric it has reached."""
    series = [
        Series(
            f"{r.policy}: {r.retrainings} retrainings",
            [Point(r.labels_used, r.value, r.low, r.high)],
        )
        for r in simulation.results
    ]
    words = Words(
        title=f"{simulation.model}: what each policy reached, and its price",
        x="labels learned from",
        y=f"{simulation.metric} on all replayed rows, with its 95 % interval",
    )
    return lines(words, series)


def page(simulation: Simulation) -> bytes:
    """An HTML file with both drawings and the table; it needs nothing else."""
    rows = "".join(
        f"<tr><th>{escape(r.policy)}</th><td>{r.value:.3f}</td><td>{r.low:.3f} to {r.high:.3f}</td>"
        f"<td>{'' if r.worst is None else f'{r.worst:.3f}'}</td><td>{r.retrainings}</td>"
        f"<td>{r.in_vain}</td><td>{r.labels_used:,}</td></tr>"
        for r in simulation.results
    )
    heads = (
        "policy",
        simulation.metric,
        "95 % interval",
        "worst span",
        "retrainings",
        "in vain",
        "labels used",
    )
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    notes = "".join(f"<li>{escape(note)}</li>" for note in simulation.notes)
    drawn = over_time(simulation).decode() + by_price(simulation).decode()
    title = escape(f"{simulation.model} on {simulation.data}: policies of retraining")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:15px system-ui,sans-serif;max-width:720px;margin:2em auto;padding:0 1em}"
        "td,th{padding:.25em .8em;text-align:right}th:first-child{text-align:left}</style>"
        f"<h1>{title}</h1><p>{escape(simulation.text)}</p>"
        f"<table><tr>{head}</tr>{rows}</table>{drawn}<ul>{notes}</ul></html>\n"
    ).encode()


def _line(result: Result, first: float, length_s: float) -> Series:
    points = [
        Point((span.at - first) / length_s, span.value)
        for span in result.spans
        if span.value is not None
    ]
    taken = [a.at for a in result.asked if a.taken]
    ends = [(s.at - first) / length_s for s in result.spans]
    dots = [
        next((x for x in ends if x >= (at - first) / length_s), ends[-1]) for at in taken if ends
    ]
    return Series(result.policy, points, dots=dots)
