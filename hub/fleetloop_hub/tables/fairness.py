"""How groups of people are answered in the field, as tables."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleetloop_hub.monitoring.field_fairness import FieldFairness, FieldVerdict
from fleetloop_hub.tables.forms import interval, table
from fleetloop_hub.version_parts import Rate
from fleetloop_hub.web.words import number, share

_STYLES = {FieldVerdict.BROKEN: "red", FieldVerdict.BEYOND: "yellow", FieldVerdict.WITHIN: "green"}


def fairness_story(view: FieldFairness) -> Group:
    """What devices have counted, and what it says about each limit."""
    name = f"{view.model}@{view.version}"
    said = "a limit is broken" if view.alarm else "no limit is broken"
    head = Text(f"{name} on {view.devices:,} devices: {said}", "red" if view.alarm else "")
    parts: list[RenderableType] = [head]
    if view.note:
        parts.append(Text(view.note))
    if view.gaps:
        parts += ["", _gaps(view), "", _groups(view)]
    return Group(*parts)


def _gaps(view: FieldFairness) -> Table:
    shown = table("column", "measure", "value", "between", "limit", "verdict", wraps="between")
    for one in view.gaps:
        gap, between, value = one.gap, "", "too few rows"
        if gap.value is not None:
            value = f"{number(gap.value)}{interval(gap.low, gap.high)}"
            between = f"{gap.lowest or 'missing'} and {gap.highest or 'missing'}"
        limit = "none" if gap.limit is None else number(gap.limit)
        verdict = Text(one.verdict, _STYLES.get(one.verdict, "dim"))
        shown.add_row(gap.column, gap.measure, value, between, limit, verdict)
    return shown


def _groups(view: FieldFairness) -> Table:
    shown = table("group", "rows", "yes", "of truly yes", "of truly no", wraps="group")
    for row in view.groups:
        rates = [_rate(r) for r in (row.selection, row.true_positive, row.false_positive)]
        shown.add_row(f"{row.column} {row.group or 'missing'}", f"{row.rows:,}", *rates)
    return shown


def _rate(rate: Rate) -> str:
    return "-" if rate.value is None else f"{share(rate.value)} of {rate.rows:,}"
