"""Where alerts are told: `fleetloop channels list | webhook | email | mqtt | remove | test ...`."""

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
import typer

from fleetloop_hub.alert_records import AlertKind, AlertLevel
from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, out, person, print_json
from fleetloop_hub.errors import ConfigError
from fleetloop_hub.notifying.channels import ChannelView, DeadLetter
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables import alerts as tables

app = typer.Typer(
    no_args_is_help=True, help="Where alerts are told: webhooks, e-mail, MQTT; and dead letters."
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="What the channel is called.")]
Level = Annotated[AlertLevel, typer.Option(help="Alerts as grave as this, and graver ones.")]
Kinds = Annotated[
    list[AlertKind] | None,
    typer.Option("--kind", help="Only alerts of this kind; may be given more than once."),
]
Private = Annotated[
    bool,
    typer.Option(help="It may lead to an address of the hub's machine or a private network."),
]
PASSWORD = "FLEETLOOP_SMTP_PASSWORD"  # noqa: S105  # the name of the variable


class _Made(msgspec.Struct, frozen=True):
    channel: ChannelView
    secret: str


class _Count(msgspec.Struct, frozen=True):
    count: int


@app.command("list")
def list_channels(
    *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False
) -> None:
    """List the channels, without their secrets, and how it stands with what they are told."""
    found = find_hub(state_dir, hub, change=False).listed("/channels", "channels", ChannelView)
    if json:
        print_json(found)
    elif found:
        out.print(tables.channels_table(found))
    else:
        out.print("Alerts are told nowhere: fleetloop channels webhook NAME URL")


@app.command()
def webhook(  # noqa: PLR0913  # each is an argument or option of the command
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="https://HOST/PATH.")],
    *,
    level: Level = AlertLevel.WARN,
    kinds: Kinds = None,
    private: Private = False,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Tell a web address of alerts, as signed CloudEvents; the secret is shown this once."""
    ask: dict[str, object] = {"kind": "webhook", "url": url, "private": private, "level": level}
    made = _add(ask | {"name": name, "kinds": kinds or []}, state_dir, hub)
    if json:
        print_json(made)
        return
    out.print(
        f"{made.channel.name} is told of alerts. Its receiver checks signatures with this secret, "
        f"shown this once:\n{made.secret}\nTry it: fleetloop channels test {made.channel.name}",
        markup=False,
        soft_wrap=True,
    )


@app.command()
def email(  # noqa: PLR0913  # each is an argument or option of the command
    name: Name,
    to: Annotated[list[str], typer.Argument(metavar="ADDRESS...", help="Whom it goes to.")],
    *,
    server: Annotated[str, typer.Option(metavar="HOST:PORT", help="The SMTP server.")],
    sender: Annotated[str, typer.Option("--from", help="The address it is from.")],
    security: Annotated[
        Literal["tls", "starttls", "none"], typer.Option(help="How the connection is secured.")
    ] = "starttls",
    username: Annotated[
        str, typer.Option("--user", help=f"For the server; the password is in {PASSWORD}.")
    ] = "",
    password_file: Annotated[
        Path | None, typer.Option(help="A file with the password, instead.")
    ] = None,
    level: Level = AlertLevel.WARN,
    kinds: Kinds = None,
    private: Private = False,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Tell people of alerts by e-mail."""
    host, _, port = server.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise ConfigError(f"SMTP server {server[:80]!r}: write HOST:PORT, such as mail.example:587")
    ask: dict[str, object] = {"kind": "email", "host": host, "port": int(port), "sender": sender}
    ask |= {"to": to, "security": security, "username": username, "private": private}
    ask |= {"password": _password(password_file) if username else "", "level": level}
    made = _add(ask | {"name": name, "kinds": kinds or []}, state_dir, hub)
    if json:
        print_json(made)
        return
    out.print(
        f"{made.channel.name} is told of alerts. Try it: fleetloop channels test {name}",
        markup=False,
    )


@app.command()
def mqtt(
    *,
    level: Level = AlertLevel.WARN,
    kinds: Kinds = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Switch the bridge to MQTT on again, after `fleetloop channels remove broker`."""
    ask: dict[str, object] = {"name": "broker", "kind": "mqtt", "level": level}
    made = _add(ask | {"kinds": kinds or []}, state_dir, hub)
    if json:
        print_json(made)
        return
    out.print("Alerts that stand lie on fleetloop/v1/alerts/KIND/KEY.", markup=False)


@app.command()
def remove(
    name: Name, *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False
) -> None:
    """Remove a channel, with its secrets and what waits for it."""
    where = f"/channels/{quote(name, safe='')}/remove"
    gone = find_hub(state_dir, hub, change=True).post(where, {"by": person()}, ChannelView)
    if json:
        print_json(gone)
        return
    out.print(f"{gone.name} is told nothing any more.", markup=False)


@app.command("test")
def attempt(name: Name, *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None) -> None:
    """Send a channel something now, and say whether it was taken."""
    where = f"/channels/{quote(name, safe='')}/test"
    find_hub(state_dir, hub, change=True).post(where, {"by": person()}, _Count)
    out.print(f"{name} has taken a test.", markup=False)


@app.command()
def dead(*, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False) -> None:
    """List what channels were not told, and why."""
    found = find_hub(state_dir, hub, change=False).listed("/dead-letters", "letters", DeadLetter)
    if json:
        print_json(found)
    elif found:
        out.print(tables.letters_table(found))
    else:
        out.print("There is no dead letter.")


@app.command()
def again(
    name: Name,
    *,
    notice: Annotated[str | None, typer.Option(help="Only this one; by default all.")] = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Send dead letters of a channel again."""
    where = f"/channels/{quote(name, safe='')}/again"
    ask = {"id": notice, "by": person()}
    done = find_hub(state_dir, hub, change=True).post(where, ask, _Count)
    if json:
        print_json(done)
        return
    out.print(f"{done.count:,} dead letters of {name} are sent again.", markup=False)


def _add(ask: dict[str, object], state_dir: Path, hub: str | None) -> _Made:
    return find_hub(state_dir, hub, change=True).post("/channels", ask | {"by": person()}, _Made)


def _password(file: Path | None) -> str:
    if file is None:
        return os.environ.get(PASSWORD, "")
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the password cannot be read from {file}: {error}") from error
