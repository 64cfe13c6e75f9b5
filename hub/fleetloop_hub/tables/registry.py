"""One version at length, lineages as trees, and what a retention gives up."""

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from fleetloop_hub.records import Version
from fleetloop_hub.tables.forms import table
from fleetloop_hub.tables.runs import metrics_table
from fleetloop_hub.tables.versions import gates_table
from fleetloop_hub.tracking.freed import Freed
from fleetloop_hub.tracking.lineage import Descent, Rows
from fleetloop_hub.tracking.retention import Retained
from fleetloop_hub.version_parts import Parity
from fleetloop_hub.web.words import exactly, size

_BECAME = {
    "deleted": "is given up",
    "finished": "is no longer needed",
    "failed": "failed",
    "cancelled": "was cancelled",
}


def version_story(version: Version, descent: Descent) -> RenderableType:
    """All that is known about a version."""
    facts = table("", "", wraps="")
    for name, value in (
        ("state", ", ".join([str(version.state), *descent.aliases])),
        ("made", f"{exactly(version.created_at)} by run {version.run}"),
        ("dataset", version.dataset),
        ("artifact", f"{version.artifact}, {size(version.parity.artifact_bytes)}"),
        ("manifest", version.manifest or "not signed"),
        ("parity", _parity(version.parity)),
        ("devices", ", ".join(descent.devices) or "none runs it"),
        ("tags", ", ".join(f"{k}={v}" for k, v in sorted(version.tags.items())) or "none"),
    ):
        facts.add_row(Text(name, "dim"), value)
    head = Text(f"{version.model} v{version.number}", "bold")
    metrics = metrics_table(version.metrics)
    return Group(head, facts, Text(), gates_table(version.gates), Text(), metrics)


def lineage_tree(model: str, found: list[Descent]) -> RenderableType:
    """Versions with what they were made of and where they are, newest first."""
    tree = Tree(Text(model, "bold"), guide_style="dim")
    for descent in reversed(found):
        names = ", ".join([descent.state, *descent.aliases])
        branch = tree.add(f"version {descent.version}, {names}, artifact {descent.artifact[:12]}")
        if descent.run is not None:
            run = descent.run
            why = f"; {run.asked_by}: {run.reason}" if run.asked_by else ""
            made = branch.add(f"run {run.key}, {exactly(run.started_at)}, code {run.code}{why}")
        else:
            made = branch.add("a run that the catalog does not know")
        for rows in descent.datasets:
            made = _dataset(made, rows)
        for device in descent.devices:
            branch.add(f"{device} runs it")
        for device in descent.ready:
            branch.add(f"{device} may go back to it")
    return tree


def retained(found: Retained) -> RenderableType:
    """What was, or would be, given up."""
    parts = [Text(f"{key} stays: {'; '.join(why)}") for key, why in sorted(found.kept.items())]
    verb = "are deleted" if found.done else "would be deleted"
    versions = ", ".join(found.deleted) or "none"
    parts.append(Text(f"versions that {verb}: {versions}"))
    if found.swept:
        parts.append(Text(f"runs whose files {verb}: {', '.join(found.swept)}"))
    freed = "freed" if found.done else "would be freed; --yes does it"
    parts.append(Text(f"{size(found.freed_bytes)} in {_files(found.contents)} {freed}"))
    parts += [Text(f"  {_whose(freed)}") for freed in found.freed]
    return Group(*parts)


def _whose(freed: Freed) -> str:
    told = f"{_files(len(freed.names))}, {size(freed.bytes)}"
    if not freed.owner:
        return f"nothing in the whole hub refers to: {told}"
    return f"{freed.owner}, which {_BECAME[freed.why]}: {', '.join(freed.names)} ({told})"


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"


def _parity(parity: Parity) -> str:
    return (
        f"{parity.label_flips:,} of {parity.rows:,} answers differ from the float model's, "
        f"largest gap {parity.largest_gap:.4f}; {size(parity.float_bytes)} became "
        f"{size(parity.artifact_bytes)}, {parity.float_ms:.3f} ms became "
        f"{parity.artifact_ms:.3f} ms a row"
    )


def _dataset(made: Tree, rows: Rows) -> Tree:
    branch = made.add(f"dataset version {rows.key[:12]}, {rows.rows:,} rows")
    for source in rows.sources:
        told = f", SHA-256 {source.sha256[:12]}" if source.sha256 else ""
        branch.add(f"{source.words}{told}{f', {source.rows:,} rows' if source.rows else ''}")
    return branch
