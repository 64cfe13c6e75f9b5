"""What wants attention: `fleetloop alerts list | show | acknowledge | silence | unsilence`."""

import re
from typing import Annotated
from urllib.parse import quote

import typer

from fleetloop_hub.alert_records import AlertKind, Silence
from fleetloop_hub.alerting.shown import AlertView
from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, person, print_json
from fleetloop_hub.cli.rollouts import By, Reason
from fleetloop_hub.errors import ConfigError
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables import alerts as tables
from fleetloop_hub.web.words import exactly

app = typer.Typer(
    no_args_is_help=True,
    help="What wants attention: drift, silent devices, stopped rollouts, attacks and more.",
)
Key = Annotated[str, typer.Argument(metavar="KEY", help="The alert's key, as the list shows it.")]
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@app.command("list")
def list_alerts(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    kind: Annotated[AlertKind | None, typer.Option(help="Only of this kind.")] = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """List the alerts that stand, the gravest and newest first, and the silences that hold."""
    remote = find_hub(state_dir, hub, change=False)
    asked = f"/alerts?state={'' if every else 'standing'}{f'&kind={kind}' if kind else ''}"
    found = remote.listed(asked, "alerts", AlertView)
    silences = remote.listed("/silences", "silences", Silence)
    if json:
        print_json({"alerts": found, "silences": silences})
        return
    out.print(tables.alerts_table(found) if found else "Nothing wants attention.")
    if silences:
        out.print(tables.silences_table(silences))


@app.command()
def show(
    key: Key, *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False
) -> None:
    """Show one alert, whom it is about, and when it stood before."""
    found = find_hub(state_dir, hub, change=False).get(f"/alerts/{quote(key, safe='')}", AlertView)
    if json:
        print_json(found)
        return
    lines = [
        f"{found.key}: {found.kind} of {found.subject}, {found.level}, {found.state}"
        + (", silenced" if found.silenced else ""),
        found.text,
        f"opened    {exactly(found.opened_at)}, {found.opened_times} times in all",
    ]
    if found.names:
        lines.append(f"about     {', '.join(found.names)}")
    if found.acknowledged_by:
        lines.append(f"seen to   by {found.acknowledged_by}: {found.reason}")
    if found.closed_at is not None:
        lines.append(f"closed    {exactly(found.closed_at)}")
    lines += [
        f"before    {exactly(before.opened_at)} to {exactly(before.closed_at)}"
        for before in reversed(found.past)
    ]
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)


@app.command()
def acknowledge(  # noqa: PLR0913  # each is an argument or option of the command
    key: Key,
    *,
    reason: Reason,
    by: By = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Say that you see to an alert; it opens again if it gets graver or twice as large."""
    ask = {"by": by or person(), "reason": reason}
    where = f"/alerts/{quote(key, safe='')}/acknowledge"
    done = find_hub(state_dir, hub, change=True).post(where, ask, AlertView)
    if json:
        print_json(done)
        return
    out.print(f"{done.key} is acknowledged by {done.acknowledged_by}.", markup=False)


@app.command()
def silence(  # noqa: PLR0913  # each is an argument or option of the command
    duration: Annotated[str, typer.Argument(metavar="DURATION", help="For how long: 30m, 8h, 7d.")],
    *,
    kind: Annotated[AlertKind | None, typer.Option(help="Only this kind.")] = None,
    subject: Annotated[str, typer.Option(help="Only about this: rain@default.")] = "",
    reason: Reason,
    by: By = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Tell no channel of some alerts for a while; they are shown as ever."""
    ask: dict[str, object] = {"for_s": _seconds(duration), "subject": subject, "kind": kind}
    ask |= {"by": by or person(), "reason": reason}
    made = find_hub(state_dir, hub, change=True).post("/silences", ask, Silence)
    if json:
        print_json(made)
        return
    out.print(
        f"No channel is told of {made.kind or 'alerts'}{f' of {made.subject}' * bool(made.subject)}"
        f" until {exactly(made.until)}: fleetloop alerts unsilence {made.key}",
        markup=False,
        soft_wrap=True,
    )


@app.command()
def unsilence(  # noqa: PLR0913  # each is an argument or option of the command
    key: Annotated[str, typer.Argument(metavar="SILENCE", help="The silence, as listed.")],
    *,
    reason: Reason,
    by: By = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """End a silence before its time; what was not told meanwhile and still stands is told."""
    ask = {"by": by or person(), "reason": reason}
    where = f"/silences/{quote(key, safe='')}/end"
    ended = find_hub(state_dir, hub, change=True).post(where, ask, Silence)
    if json:
        print_json(ended)
        return
    out.print(f"{ended.key} is over.", markup=False)


def _seconds(duration: str) -> int:
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ConfigError(
            f"duration {duration[:80]!r}: write a number and s, m, h or d, such as 8h"
        )
    return int(found[1]) * _SECONDS[found[2]]
