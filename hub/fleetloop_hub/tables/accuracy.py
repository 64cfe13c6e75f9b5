"""How accurate a version is now, as a table."""

from collections.abc import Iterator

from rich.console import Group
from rich.text import Text

from fleetloop_hub.monitoring.accuracy_views import AccuracyView, Scope, against
from fleetloop_hub.tables.forms import Noted, interval
from fleetloop_hub.web.words import number
from fleetloop_shared.estimate.records import Estimate

_MOST = 21


def accuracy_story(view: AccuracyView) -> Group:
    """What labels say, what is estimated without them, and what no estimate can show."""
    return Group(*_parts(view))


def _parts(view: AccuracyView) -> Iterator[Text | Noted]:
    name = f"{view.model}@{view.version}"
    if view.labels is not None:
        style = "red" if view.labels.alarm else "green"
        yield Text(f"by labels: {against(view.labels)}", style)
    else:
        yield Text("by labels: none has found its answer yet; devices take them at POST /feedback")
    if view.weighed:
        yield _weighed(view)
    if view.refused:
        yield Text(f"without labels: {view.refused}")
    elif not view.scopes:
        yield Text(f"without labels: no device has reported a whole window under {name} yet")
    else:
        usual = ", ".join(f"{_named(m)} {number(v)}" for m, v in view.held_out.items())
        yield Text(f"on {view.held_out_rows:,} held-out rows: {usual}")
        yield _table(view)
    yield Text(view.note, "dim")


def _weighed(view: AccuracyView) -> Noted:
    shown = Noted("samples of", "accuracy", "labels", "worth", note="")
    for one in view.weighed[:_MOST]:
        value = f"{number(one.value)}{interval(one.low, one.high)}"
        worth = f"{one.effective_labels:,.0f}"
        shown.add_row(one.device or "fleet", value, f"{one.labels:,}", worth, note="")
    return shown


def _table(view: AccuracyView) -> Noted:
    named = [_named(metric) for metric in view.held_out]
    shown = Noted("rows of", *named, "rows", "like them", note="labels, or why not")
    for scope in view.scopes:
        of_metric = {e.metric: e for e in scope.estimates}
        cells = [_cell(of_metric.get(metric)) for metric in view.held_out]
        who = scope.name if scope.name == scope.place else f"{scope.place} {scope.name}"
        like = f"{scope.effective_rows:,.0f}"
        shown.add_row(who, *cells, f"{scope.rows:,}", like, note=_note(scope))
    return shown


def _cell(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "-"
    return f"{number(estimate.value)}{interval(estimate.low, estimate.high)}"


def _note(scope: Scope) -> str:
    refused = scope.estimates[0].refused
    labels = "" if scope.labels is None else against(scope.labels)
    return "; ".join(filter(None, [refused, labels]))


def _named(metric: str) -> str:
    return metric.replace("_", " ")
