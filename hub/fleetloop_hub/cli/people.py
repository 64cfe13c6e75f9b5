"""Commands around the people who may sign in, and the tokens of programs."""

from typing import Annotated
from urllib.parse import quote

import typer

from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, err, out, print_json
from fleetloop_hub.people.views import (
    PasswordView,
    PersonView,
    SecretView,
    TokenView,
)
from fleetloop_hub.people_records import Role
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables.people import people_table, tokens_table

app = typer.Typer(no_args_is_help=True, help="Who may sign in at the console, and as what.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens with which programs ask the API.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What they sign in as.")]
OfRole = Annotated[Role, typer.Option("--role", help="What they may do.")]


@app.command("list")
def list_(*, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False) -> None:
    """List everybody who may sign in, or might."""
    found = find_hub(state_dir, hub, change=False).listed("/people", "people", PersonView)
    if json:
        print_json(found)
    elif found:
        out.print(people_table(found))
    else:
        out.print("Nobody yet: fleetloop people add NAME --role viewer")


@app.command()
def add(
    name: Name,
    *,
    role: OfRole = Role.VIEWER,
    subject: Annotated[
        str, typer.Option(help='"ISSUER SUBJECT" of one who signs in with the OpenID provider.')
    ] = "",
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Let somebody in; prints their one-time password."""
    ask = {"name": name, "role": role, "subject": subject}
    made = find_hub(state_dir, hub, change=True).post("/people", ask, PasswordView)
    _say_password(made, f"{name} may sign in as {role}")


@app.command()
def role(name: Name, role: OfRole, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None) -> None:
    """Give somebody another role; their sessions end."""
    changed = _post(name, "role", {"role": role}, state_dir, hub)
    out.print(f"{changed.name} is {changed.role} now.", markup=False)


@app.command()
def disable(name: Name, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None) -> None:
    """Let somebody in no more; their sessions and tokens end."""
    _post(name, "disable", {}, state_dir, hub)
    out.print(f"{name} may not sign in any more: fleetloop people enable {name}", markup=False)


@app.command()
def enable(name: Name, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None) -> None:
    """Let somebody in again."""
    _post(name, "enable", {}, state_dir, hub)
    out.print(f"{name} may sign in again.", markup=False)


@app.command()
def reset(name: Name, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None) -> None:
    """Give somebody a new one-time password."""
    remote = find_hub(state_dir, hub, change=True)
    made = remote.post(f"/people/{quote(name, safe='')}/reset", {}, PasswordView)
    _say_password(made, f"The old password of {name} is void")


@tokens.command("list")
def list_tokens(
    *, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False
) -> None:
    """List your tokens; all of them with an admin's."""
    found = find_hub(state_dir, hub, change=False).listed("/api-tokens", "tokens", TokenView)
    if json:
        print_json(found)
    elif found:
        out.print(tokens_table(found))
    else:
        out.print("No token yet: fleetloop tokens make NAME --role viewer")


@tokens.command()
def make(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    *,
    role: Annotated[Role, typer.Option("--role", help="The most it may do.")] = Role.VIEWER,
    days: Annotated[float, typer.Option(help="How long it is good.")] = 90.0,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Make a token; prints its secret, once."""
    ask = {"name": name, "role": role, "days": days}
    made = find_hub(state_dir, hub, change=True).post("/api-tokens", ask, SecretView)
    typer.echo(made.secret)
    err.print(
        f"It may do what {made.role} may, for {days:g} days. Put it into FLEETLOOP_TOKEN, or send "
        "it as Authorization: Bearer TOKEN; it is not shown again.",
        style="dim",
        soft_wrap=True,
    )


@tokens.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="ID", help="As `tokens list` shows it.")],
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Make a token void."""
    remote = find_hub(state_dir, hub, change=True)
    revoked = remote.post(f"/api-tokens/{quote(key, safe='')}/revoke", {}, TokenView)
    out.print(f"The token {revoked.name} ({revoked.key}) is void.", markup=False)


def _post(
    name: str, what: str, ask: dict[str, str], state_dir: StateDir, hub: HubUrl
) -> PersonView:
    remote = find_hub(state_dir, hub, change=True)
    return remote.post(f"/people/{quote(name, safe='')}/{what}", ask, PersonView)


def _say_password(made: PasswordView, what: str) -> None:
    if not made.one_time_password:
        err.print(f"{what}, with the OpenID provider.", style="dim", soft_wrap=True)
        return
    typer.echo(made.one_time_password)
    err.print(
        f"{what}, with this one-time password, which is not shown again.",
        style="dim",
        soft_wrap=True,
    )
