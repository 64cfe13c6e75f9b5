"""Dataset versions, what is in them and what tells two apart, as tables."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fleetloop_hub.data.difference import Difference
from fleetloop_hub.dataset_parts import ACT_PSI, Fault, Shift
from fleetloop_hub.records import Dataset
from fleetloop_hub.tables.forms import table
from fleetloop_hub.web.words import exactly, number, share

_MOST_DEVICES = 20
_SHORT = 12
_LOOK_PSI = 0.1


def datasets_table(found: list[Dataset]) -> Table:
    """A line a version."""
    shown = table("version", "model", "at", "rows", "kept out", "parent", "from", wraps="from")
    for one in found:
        waiting = f" (+{one.waiting:,} without label)" if one.waiting else ""
        shown.add_row(
            one.key[:_SHORT],
            one.model,
            exactly(one.created_at),
            f"{one.rows:,}{waiting}",
            f"{one.quarantined_rows:,}",
            "" if one.parent is None else one.parent[:_SHORT],
            one.source,
        )
    return shown


def dataset_story(one: Dataset) -> Group:
    """Everything about one version."""
    about = Table.grid(padding=(0, 2))
    about.add_row("version", one.key)
    about.add_row("model", one.model)
    about.add_row("made at", exactly(one.created_at))
    anew = bool(one.gone or one.read_anew)
    about.add_row("comes after" if anew else "grew from", one.parent or "nothing")
    about.add_row("rows", f"{one.rows:,} to train on, {one.added:,} of them new")
    if anew:
        about.add_row("", read_anew(one))
    if one.waiting:
        about.add_row("", f"{one.waiting:,} wait for their label")
    about.add_row("from", one.source)
    if one.labels:
        about.add_row("labels", _labels(one))
    about.add_row("kept out", f"{one.quarantined_rows:,} rows")
    parts: list[RenderableType] = [about, "", _sources(one)]
    if one.devices:
        parts += ["", field_table(one)]
    if one.faults:
        parts += ["", faults_table(one.faults)]
    if one.drift:
        parts += ["", shifts_table(one.drift, "new rows against those of before")]
    return Group(*parts)


def field_table(one: Dataset) -> Table:
    """The rows from the field by device: how much each is of them, and what was left out, why."""
    shown = table("rows from the field", "rows", "share", "left out", "why", wraps="why")
    total = sum(device.rows for device in one.devices) or 1
    for device in one.devices[:_MOST_DEVICES]:
        out = f"{device.left_out:,}" if device.left_out else ""
        row = (device.device, f"{device.rows:,}", share(device.rows / total), out, device.reason)
        shown.add_row(*row)
    if (more := len(one.devices) - _MOST_DEVICES) > 0:
        shown.add_row(f"and {more} more", "", "", "", "")
    return shown


def news(one: Dataset) -> Group:
    """What a person should know of new rows before a model is trained on them."""
    counts = f"{one.added:,} new rows, {one.rows:,} to train on, {one.quarantined_rows:,} kept out"
    parts: list[RenderableType] = [f"{counts}: fleetloop data show {one.key[:_SHORT]}"]
    if one.gone or one.read_anew:
        parts.append(read_anew(one))
    if moved := [shift for shift in one.drift if shift.psi >= _LOOK_PSI]:
        parts.append(shifts_table(moved, "what has moved against the rows of before"))
    return Group(*parts)


def read_anew(one: Dataset) -> str:
    """Which sources were read from their beginning, and what is not there any more."""
    gone = f"{one.gone:,} rows of before are not in it any more"
    if one.gone <= 1:
        none = "every row of before is still in it"
        gone = "1 row of before is not in it any more" if one.gone else none
    if not one.read_anew:
        return gone
    verb = "was" if len(one.read_anew) == 1 else "were"
    return f"{', '.join(one.read_anew)} {verb} read anew; {gone}"


def faults_table(faults: list[Fault]) -> Table:
    """A line a failed check, and one an example."""
    shown = table("kept out because", "rows", "for example", wraps="for example")
    for fault in faults:
        first, *others = fault.examples or [""]
        shown.add_row(fault.reason, f"{fault.rows:,}", Text(first))
        for example in others:
            shown.add_row("", "", Text(example))
    return shown


def shifts_table(shifts: list[Shift], title: str) -> Group:
    """A line a column."""
    shown = table("column", "before", "now", "shift", "in sd", "psi", "missing", "", wraps="column")
    for one in shifts:
        missing = f"{share(one.missing_before)} → {share(one.missing_now)}"
        shown.add_row(Text(one.column), *_means(one), f"{one.psi:.3f}", missing, _verdict(one.psi))
        for part in one.shares:
            shown.add_row(Text(f"  {part.name}", "dim"), share(part.before), share(part.now))
    return Group(Text(title, "dim"), shown)


def _means(one: Shift) -> tuple[str, str, str, str]:
    """Means and their difference; nothing for categories, whose numbers are places in a list."""
    if one.shares:
        return "", "", "", ""
    unit = f" {one.unit}" if one.unit else ""
    shift = f"{number(one.shift)}{unit}"
    return number(one.before), number(one.now), shift, number(one.shift_sd)


def difference_story(one: Difference) -> Group:
    """Everything that tells two versions apart."""
    about = Table.grid(padding=(0, 2))
    about.add_row("rows", f"{one.rows.a:,} → {one.rows.b:,}")
    about.add_row("", f"{one.added:,} added, {one.removed:,} removed")
    for how, columns in (("added", one.columns_added), ("removed", one.columns_removed)):
        if columns:
            about.add_row(f"columns {how}", ", ".join(columns))
    for label, pair in one.labels.items():
        about.add_row(f"label {label}", f"{pair.a:,} → {pair.b:,}")
    for reason, pair in one.quarantined.items():
        about.add_row("kept out", f"{reason}: {pair.a:,} → {pair.b:,}")
    title = f"{one.b[:_SHORT]} against {one.a[:_SHORT]}"
    return Group(about, "", shifts_table(one.columns, title))


def _sources(one: Dataset) -> Table:
    shown = table("source", "rows read", "bytes", "sha256", wraps="source")
    for mark in one.sources:
        words = f"{mark.words} (late labels)" if mark.late else mark.words
        shown.add_row(words, f"{mark.rows:,}", f"{mark.bytes:,}", mark.sha256[:_SHORT])
    return shown


def _labels(one: Dataset) -> str:
    total, names = max(sum(one.labels.values()), 1), one.names.get("label", {})
    return ", ".join(
        f"{names.get(k, k)}: {count:,} ({share(count / total)})" for k, count in one.labels.items()
    )


def _verdict(psi: float) -> Text:
    if psi >= ACT_PSI:
        return Text("has changed", "bold red")
    return Text("look at it", "yellow") if psi >= _LOOK_PSI else Text("")
