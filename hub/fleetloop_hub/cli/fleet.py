"""Commands around the fleet: run the hub, admit devices, watch the demo."""

import importlib.util
import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from fleetloop_hub.cli.options import DEFAULT_DIR, HubUrl, Json, StateDir, err, out, print_json
from fleetloop_hub.config import HubConfig, OpenIdProvider, parse_address, parse_role
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.monitoring.overview import AttemptView, DeviceView
from fleetloop_hub.people_records import Role
from fleetloop_hub.remote import find_hub
from fleetloop_hub.tables import fleet as tables


class Anonymous(StrEnum):
    """What whoever does not sign in may do."""

    NOTHING = "nothing"
    VIEWER = "viewer"


def serve(  # noqa: PLR0913, PLR0917 - the options of a command
    state_dir: StateDir = DEFAULT_DIR,
    http: Annotated[
        str, typer.Option(help="Address of console and API, HOST:PORT.")
    ] = "127.0.0.1:8080",
    broker: Annotated[
        str,
        typer.Option(help="nats or mosquitto to run one, or mqtt(s)://HOST:PORT of one that runs."),
    ] = "nats",
    broker_host: Annotated[
        str, typer.Option(help="Address on which a broker of our own listens.")
    ] = "127.0.0.1",
    broker_port: Annotated[int, typer.Option(help="Its port; 0 takes a free one.")] = 1883,
    max_bytes_per_s: Annotated[
        int | None,
        typer.Option(help="Fastest average pace at which models are published; no limit without."),
    ] = None,
    keep_days: Annotated[
        float,
        typer.Option(
            help="Days for which reports of devices are kept; what they add up to, samples and "
            "labels stay."
        ),
    ] = 90.0,
    anonymous: Annotated[
        Anonymous,
        typer.Option(help="What whoever does not sign in may do: nothing, or read (viewer)."),
    ] = Anonymous.NOTHING,
    url: Annotated[
        str,
        typer.Option(
            help="Address by which people reach it, https://HOST of a proxy that ends TLS: the "
            "console answers to that name, and its cookies go over TLS alone."
        ),
    ] = "",
    home_assistant: Annotated[
        str,
        typer.Option(
            metavar="PREFIX",
            help="Tell Home Assistant of the devices below its discovery prefix: homeassistant.",
        ),
    ] = "",
    proxy: Annotated[
        str,
        typer.Option(help="IP address of that proxy: where people come from is as it says."),
    ] = "127.0.0.1",
    oidc_issuer: Annotated[
        str,
        typer.Option(
            envvar="FLEETLOOP_OIDC_ISSUER",
            help="OpenID provider with which people may sign in, too: its issuer, https://HOST. "
            "The hub's secret there is read from FLEETLOOP_OIDC_SECRET.",
        ),
    ] = "",
    oidc_client: Annotated[
        str,
        typer.Option(envvar="FLEETLOOP_OIDC_CLIENT", help="The hub's client id there."),
    ] = "",
    oidc_name: Annotated[
        str, typer.Option(envvar="FLEETLOOP_OIDC_NAME", help="What people call that provider.")
    ] = "single sign-on",
    oidc_claim: Annotated[
        str,
        typer.Option(
            envvar="FLEETLOOP_OIDC_CLAIM",
            help="Claim that gives roles, such as groups; without, an admin gives them here.",
        ),
    ] = "",
    oidc_role: Annotated[
        list[str] | None,
        typer.Option(
            envvar="FLEETLOOP_OIDC_ROLES",
            metavar="VALUE=ROLE",
            help="A value of that claim and its role, such as fleet-admins=admin; as often as "
            "there are values.",
        ),
    ] = None,
) -> None:
    """Run the hub until it is told to stop."""
    host, port = parse_address(http)
    config = HubConfig(
        state_dir,
        host,
        port,
        broker,
        broker_host,
        broker_port,
        max_bytes_per_s=max_bytes_per_s,
        keep_days=keep_days,
        anonymous=Role.VIEWER if anonymous is Anonymous.VIEWER else None,
        url=url,
        home_assistant=home_assistant,
        proxy=proxy,
        provider=provider_of(oidc_issuer, oidc_client, oidc_name, (oidc_claim, oidc_role or [])),
    )
    from fleetloop_hub.serve import serve as run  # noqa: PLC0415  # loads what only a hub needs

    run(config, typer.echo)


def provider_of(
    issuer: str, client: str, name: str, roles: tuple[str, list[str]]
) -> OpenIdProvider | None:
    """The OpenID provider that the options name, None for none.

    Args:
        issuer: Its address, "" for none.
        client: The hub's id there.
        name: What people call it.
        roles: The claim that gives them, and VALUE=ROLE of each.

    Raises:
        ConfigError: A value that cannot work, with what to write instead.
    """
    if not issuer:
        return None
    claim, told = roles
    secret = os.environ.get("FLEETLOOP_OIDC_SECRET", "")
    return OpenIdProvider(issuer, client, secret, name, claim, tuple(map(parse_role, told)))


def token(
    cohort: Annotated[str, typer.Option(help="Where the device will belong.")] = "default",
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Make a one-time token with which one new device can enrol."""
    remote = find_hub(state_dir, hub, change=True)
    made = remote.post("/tokens", {"cohort": cohort}, dict[str, str])["token"]
    typer.echo(made)
    err.print(
        f"One device may enrol with it at {remote.url} within an hour, into cohort {cohort}.",
        style="dim",
        soft_wrap=True,
    )


def devices(*, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False) -> None:
    """List the devices and what they are doing."""
    found = find_hub(state_dir, hub, change=False).listed("/devices", "devices", DeviceView)
    if json:
        print_json(found)
    elif found:
        out.print(tables.devices_table(found))
    else:
        out.print("No device yet: fleetloop token")


def attempts(*, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False) -> None:
    """List what was tried on devices and hub and was refused, by the attack's name."""
    found = find_hub(state_dir, hub, change=False).listed("/attempts", "attempts", AttemptView)
    if json:
        print_json(found)
    elif found:
        out.print(tables.attempts_table(found))
    else:
        out.print("Nothing was tried: neither a device nor the hub has refused anything.")


def demo(context: typer.Context) -> None:
    """Watch the whole loop happen on simulated devices; takes the simulator's options."""
    if importlib.util.find_spec("fleetloop_firmware_sim") is None:
        raise RemoteError(
            "the demo runs on simulated devices, which are a package of their own: install "
            "fleetloop-firmware-sim beside the hub"
        )
    command = [sys.executable, "-m", "fleetloop_firmware_sim", "demo", *context.args]
    os.execv(sys.executable, command)  # noqa: S606  # no shell is wanted
