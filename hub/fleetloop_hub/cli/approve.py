"""What people say to versions, and the audit log: approve, waive, reject, audit."""

from typing import Annotated
from urllib.parse import urlencode

import typer
from rich.table import Table
from rich.text import Text

from fleetloop_hub.audit_records import AuditEntry
from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, print_json
from fleetloop_hub.errors import GateError
from fleetloop_hub.remote import find_hub
from fleetloop_hub.web.words import exactly

VersionName = Annotated[
    str, typer.Argument(metavar="MODEL@VERSION", help="Which version, by its number.")
]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Your name; it is recorded.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded.")]


def approve(
    version: VersionName,
    by: By,
    reason: Reason,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Approve a version that has passed its gates and waits for a person."""
    _say(version, {"saying": "approve", "by": by, "reason": reason}, state_dir, hub)


def waive(  # noqa: PLR0913  # each is an argument or option of the command
    version: VersionName,
    *,
    gate: Annotated[str, typer.Option("--gate", help="The failed gate, by its name.")],
    by: By,
    reason: Reason,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Let one version pass although a gate has failed."""
    _say(version, {"saying": "waive", "gate": gate, "by": by, "reason": reason}, state_dir, hub)


def reject(
    version: VersionName,
    by: By,
    reason: Reason,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Reject a version for good; it cannot be released any more."""
    _say(version, {"saying": "reject", "by": by, "reason": reason}, state_dir, hub)


def audit(  # noqa: PLR0913  # each is an option of the command
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only say whether the log is what was written.")
    ] = False,
    by: Annotated[str, typer.Option(help="Only of whoever has this in their name.")] = "",
    action: Annotated[str, typer.Option(help="Only where this was done.")] = "",
    subject: Annotated[str, typer.Option(help="Only what was done to this.")] = "",
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Show who did what to what, and why, oldest first; the hub verifies every entry first."""
    entries = find_hub(state_dir, hub, change=False).listed(
        "/audit?" + urlencode({} if verify else {"by": by, "action": action, "subject": subject}),
        "entries",
        AuditEntry,
    )
    last = entries[-1].hash if entries else "none"
    if json:
        print_json({"entries": [] if verify else entries, "count": len(entries), "last": last})
    elif verify:
        out.print(f"{len(entries):,} entries, each as it was written and bound to the one before.")
        out.print(f"The last one's hash is {last}: keep it elsewhere to compare with later.")
    elif entries:
        out.print(_table(entries))
    else:
        out.print("Nobody has done anything yet.")


def _say(version: str, ask: dict[str, str], state_dir: StateDir, hub: HubUrl) -> None:
    model, _, number = version.partition("@")
    if not model or not number.isdecimal():
        raise GateError(f"{version!r} is no version: write MODEL@VERSION, as rain@3")
    remote = find_hub(state_dir, hub, change=True)
    made = remote.post(f"/versions/{model}/{int(number)}/sayings", ask, dict[str, str])
    after = {
        "ready": f"fleetloop rollouts start {model}@{number}",
        "waiting": f"it waits for `fleetloop approve {version} --by NAME --reason TEXT`",
        "blocked": f"other gates still block it: fleetloop why {version}",
        "rejected": "it will not be released",
    }
    out.print(f"{version} is {made['state']}: {after.get(made['state'], '')}")


def _table(entries: list[AuditEntry]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "when", "who", "did", "to", "why", "hash"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "why")
    for entry in entries:
        table.add_row(
            str(entry.number),
            exactly(entry.at),
            entry.by,
            " ".join([entry.action, entry.details.get("gate", "")]).strip(),
            entry.subject,
            entry.reason,
            Text(entry.hash[:12], "dim"),
        )
    return table
