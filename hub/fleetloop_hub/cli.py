"""The command line: `serve` runs a hub, everything else asks one that runs."""

import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from fleetloop_hub import spec as specs
from fleetloop_hub import tables
from fleetloop_hub.config import HubConfig, parse_address
from fleetloop_hub.data import csv_source
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.monitoring.overview import DeviceView, VersionView
from fleetloop_hub.records import Decision, Run, RunState
from fleetloop_hub.remote import Remote, find_hub

_LOOK_S = 0.5
_LOST_S = 60.0

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Fleetloop's hub: train, validate, roll out, watch and retrain models on devices.",
)
_out = Console(width=None if sys.stdout.isatty() else 160)
_err = Console(stderr=True)

_StateDir = Annotated[
    Path, typer.Option("--state-dir", help="Where the hub keeps its state.", show_default=True)
]
_Hub = Annotated[
    str | None,
    typer.Option(
        "--hub",
        envvar="FLEETLOOP_HUB",
        help="URL of the hub; by default the one of the state folder.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
_DEFAULT_DIR = Path(".state/hub")


class _Devices(msgspec.Struct, frozen=True):
    devices: list[DeviceView]


class _Versions(msgspec.Struct, frozen=True):
    versions: list[VersionView]


class _Decisions(msgspec.Struct, frozen=True):
    decisions: list[Decision]


class _Runs(msgspec.Struct, frozen=True):
    runs: list[Run]


class _Status(msgspec.Struct, frozen=True):
    training: str | None


@app.command()
def serve(
    state_dir: _StateDir = _DEFAULT_DIR,
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
) -> None:
    """Run the hub until it is told to stop."""
    host, port = parse_address(http)
    config = HubConfig(state_dir, host, port, broker, broker_host, broker_port)
    from fleetloop_hub.serve import serve as run  # noqa: PLC0415  # loads what only a hub needs

    run(config, typer.echo)


@app.command()
def token(
    cohort: Annotated[str, typer.Option(help="Where the device will belong.")] = "default",
    state_dir: _StateDir = _DEFAULT_DIR,
    hub: _Hub = None,
) -> None:
    """Make a one-time token with which one new device can enrol."""
    remote = find_hub(state_dir, hub, change=True)
    made = remote.post("/tokens", {"cohort": cohort}, dict[str, str])["token"]
    typer.echo(made)
    _err.print(
        f"One device may enrol with it at {remote.url} within an hour, into cohort {cohort}.",
        style="dim",
        soft_wrap=True,
    )


@app.command()
def train(
    spec: Annotated[Path, typer.Argument(metavar="SPEC.toml", help="The model spec.")],
    *,
    state_dir: _StateDir = _DEFAULT_DIR,
    hub: _Hub = None,
    json: _Json = False,
) -> None:
    """Train the model that a spec describes, and show what the gates say."""
    _, text = specs.load(spec)
    remote = find_hub(state_dir, hub, change=True)
    body = {"spec": text, "folder": str(spec.resolve().parent)}
    model = remote.post("/models", body, dict[str, str])["model"]
    ask = {"model": model, "reason": f"a person asked for it with {spec.name}"}
    run = remote.post("/runs", ask, dict[str, str])["run"]
    version = _wait(remote, run)
    passed = version.gates_passed == len(version.gates)
    if json:
        _print_json(version)
    else:
        _out.print(tables.gates_table(version.gates))
        name = f"{version.model} v{version.number}"
        after = f"fleetloop rollout {version.model} {version.number}"
        _out.print(f"{name} has passed its gates: {after}" if passed else f"{name} is blocked.")
    if not passed:
        raise typer.Exit(1)


@app.command()
def models(*, state_dir: _StateDir = _DEFAULT_DIR, hub: _Hub = None, json: _Json = False) -> None:
    """List the models' versions, newest first."""
    versions = find_hub(state_dir, hub, change=False).get("/versions", _Versions).versions
    if json:
        _print_json(versions)
    elif versions:
        _out.print(tables.versions_table(versions))
    else:
        _out.print("No model yet: fleetloop train SPEC.toml")


@app.command()
def devices(*, state_dir: _StateDir = _DEFAULT_DIR, hub: _Hub = None, json: _Json = False) -> None:
    """List the devices and what they are doing."""
    found = find_hub(state_dir, hub, change=False).get("/devices", _Devices).devices
    if json:
        _print_json(found)
    elif found:
        _out.print(tables.devices_table(found))
    else:
        _out.print("No device yet: fleetloop token")


@app.command()
def rollout(  # noqa: PLR0913  # each is an argument or option of the command
    model: Annotated[str, typer.Argument(metavar="MODEL")],
    version: Annotated[int, typer.Argument(metavar="VERSION")],
    *,
    cohort: Annotated[str, typer.Option(help="Who gets it.")] = "default",
    state_dir: _StateDir = _DEFAULT_DIR,
    hub: _Hub = None,
    json: _Json = False,
) -> None:
    """Roll a version out to a cohort, the canary first."""
    remote = find_hub(state_dir, hub, change=True)
    ask = {"model": model, "version": version, "cohort": cohort}
    made = remote.post("/rollouts", ask, dict[str, str])
    if json:
        _print_json(made)
    else:
        _out.print(f"{model} v{version} is on its way to {cohort}: watch it at {remote.url}")


@app.command()
def why(
    name: Annotated[str, typer.Argument(metavar="MODEL[@VERSION]")],
    *,
    state_dir: _StateDir = _DEFAULT_DIR,
    hub: _Hub = None,
    json: _Json = False,
) -> None:
    """Tell why a version exists and what its gates said; by default the newest."""
    model, _, wanted = name.partition("@")
    remote = find_hub(state_dir, hub, change=False)
    versions = [v for v in remote.get("/versions", _Versions).versions if v.model == model]
    version = next((v for v in versions if wanted in {"", str(v.number)}), None)
    if version is None:
        have = ", ".join(f"{v.model}@{v.number}" for v in versions) or "none of that model"
        raise RemoteError(f"no version {name}: there is {have}; see `fleetloop models`")
    decisions = remote.get("/decisions", _Decisions).decisions
    decision = next((d for d in decisions if d.key == version.decision), None)
    run = next((r for r in remote.get("/runs", _Runs).runs if r.key == version.run), None)
    if json:
        _print_json({"version": version, "decision": decision, "run": run})
    else:
        _out.print(tables.story(version, decision, run))


@app.command()
def check(
    spec: Annotated[Path, typer.Argument(metavar="SPEC.toml", help="The model spec.")],
    *,
    json: _Json = False,
) -> None:
    """Read a spec and its rows, and say what training would find; needs no hub."""
    parsed, _ = specs.load(spec)
    faults: dict[str, int] = {}
    rows = 0
    for row in csv_source.read(spec.parent / parsed.source.csv, parsed):
        rows += not row.fault
        if row.fault:
            faults[row.fault] = faults.get(row.fault, 0) + 1
    if json:
        _print_json({"model": parsed.model.name, "rows": rows, "quarantined": faults})
        return
    names = ", ".join(c.name for c in parsed.candidates)
    _out.print(f"{parsed.model.name}: {rows:,} rows, {len(parsed.features)} features, {names}")
    for fault, count in sorted(faults.items()):
        _out.print(f"kept out: {count:,} rows, {fault}")


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def demo(context: typer.Context) -> None:
    """Watch the whole loop happen on simulated devices; takes the simulator's options."""
    if importlib.util.find_spec("fleetloop_firmware_sim") is None:
        raise RemoteError(
            "the demo runs on simulated devices, which are a package of their own: install "
            "fleetloop-firmware-sim beside the hub"
        )
    command = [sys.executable, "-m", "fleetloop_firmware_sim", "demo", *context.args]
    os.execv(sys.executable, command)  # noqa: S606  # no shell is wanted


def _wait(remote: Remote, run: str) -> VersionView:
    """The version that comes of a run, however long it takes."""
    ended_at: float | None = None
    with _err.status("training") as shown:
        while True:
            found = [r for r in remote.get("/runs", _Runs).runs if r.key == run]
            for version in remote.get("/versions", _Versions).versions:
                if version.run == run:
                    return version
            if found and found[0].state is RunState.FAILED:
                raise RemoteError(found[0].error or f"run {run} failed: the hub's log says why")
            training = remote.get("/status", _Status).training
            shown.update(training or "judging")
            ended_at = None if training else ended_at or time.monotonic()
            if ended_at is not None and time.monotonic() - ended_at > _LOST_S:
                raise RemoteError(f"no version came of run {run}: the hub's log says why")
            time.sleep(_LOOK_S)


def _print_json(value: object) -> None:
    typer.echo(msgspec.json.encode(value))
