"""How soon devices will see a change, as tables."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleetloop_hub.delay_parts import Delays
from fleetloop_hub.delay_words import KINDS, about, briefs, digits
from fleetloop_hub.tables.forms import Noted, table


def brief_table(delays: Delays) -> RenderableType:
    """Each kind of change: where it is seen first and last, and where seldom."""
    shown = Noted("drift is seen", "after rows", "at the latest", note="where")
    for brief in briefs(delays):
        where = brief.soonest
        if brief.latest_rows > brief.soonest_rows:
            where += f" first, {brief.latest} last"
        if brief.unseen:
            where += f"{'; ' if where else ''}seldom or late: {', '.join(brief.unseen)}"
        first, last = about(brief.soonest_rows), about(brief.latest_rows)
        shown.add_row(brief.words, first, last, note=where)
    return shown


def whole_table(delays: Delays) -> RenderableType:
    """Every feature and every kind of change, and the pairs."""
    shown = table("feature", "sd", *(kind.words for kind in KINDS), wraps="feature")
    for feature in delays.features:
        sd = f"{digits(feature.sd)} {feature.unit}".strip()
        shown.add_row(feature.name, sd, *(about(kind.rows(feature)) for kind in KINDS))
    parts: list[RenderableType] = [shown]
    if delays.pairs:
        parts += [Text(), _pairs(delays)]
    note = (
        "Rows until an alarm, the median over all moments at which the change may begin. Seldom: "
        "no window is long enough for that; it is seen by luck, or after many windows. -: it makes "
        "no sense there."
    )
    return Group(*parts, Text(), Text(note, "dim"))


def _pairs(delays: Delays) -> Table:
    shown = table("pair", "correlation", "turned round", wraps="pair")
    for pair in delays.pairs:
        shown.add_row(f"{pair.a}, {pair.b}", f"{pair.correlation:.2f}", about(pair.flipped))
    return shown
