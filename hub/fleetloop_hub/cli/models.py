"""Commands about model versions: `fleetloop models ...`."""

from pathlib import Path
from typing import Annotated

import typer

from fleetloop_hub.cli import asking, card
from fleetloop_hub.cli.options import (
    DEFAULT_DIR,
    WHICH,
    HubUrl,
    Json,
    ShownVersion,
    StateDir,
    out,
    print_json,
)
from fleetloop_hub.errors import RemoteError
from fleetloop_hub.records import Alias, Version, VersionState
from fleetloop_hub.remote import Remote, find_hub
from fleetloop_hub.tables import delays as delay_tables
from fleetloop_hub.tables import registry as shown
from fleetloop_hub.tables import versions as tables
from fleetloop_hub.tracking.lineage import Descent
from fleetloop_hub.tracking.lineage_svg import lineage_svg
from fleetloop_hub.tracking.retention import Retained
from fleetloop_shared.durable import RealDisk, replace
from fleetloop_shared.ids import sha256_hex

app = typer.Typer(help="Model versions: list them, see where they come from, name and keep them.")

VersionKey = Annotated[str, typer.Argument(metavar="MODEL@V", help=f"{WHICH}.")]


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """List the models' versions, newest first."""
    if context.invoked_subcommand is not None:
        return
    versions = asking.versions(find_hub(state_dir, hub, change=False))
    if json:
        print_json(versions)
    elif versions:
        out.print(tables.versions_table(versions))
    else:
        out.print("No model yet: fleetloop train SPEC.toml")


app.command()(card.card)


@app.command()
def show(
    version: ShownVersion,
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Show a version: its gates, parity, metrics, tags and hashes."""
    remote = find_hub(state_dir, hub, change=False)
    found = _find_or_last(remote, version)
    if json:
        print_json(found)
    else:
        [descent] = [d for d in _lineage(remote, found.model) if d.version == found.key]
        out.print(shown.version_story(found, descent))


@app.command()
def alias(
    version: VersionKey,
    name: Annotated[str, typer.Argument(help="The name; champion is moved by rollouts alone.")],
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Let a name mean this version, whatever it meant before."""
    remote = find_hub(state_dir, hub, change=True)
    found = _find(remote, version)
    made = remote.post(f"{_at(found)}/alias", {"name": name}, Alias)
    if json:
        print_json(made)
    else:
        out.print(f"{found.model}@{name} is version {made.version} now.")


@app.command()
def tag(
    version: VersionKey,
    note: Annotated[str, typer.Argument(metavar="KEY=VALUE", help="KEY= takes the tag away.")],
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Note something about a version."""
    key, equals, value = note.partition("=")
    if not equals:
        raise RemoteError(f"{note!r}: write KEY=VALUE, or KEY= to take the tag away")
    remote = find_hub(state_dir, hub, change=True)
    found = _find(remote, version)
    tagged = remote.post(f"{_at(found)}/tag", {"key": key, "value": value}, Version)
    if json:
        print_json(tagged)
    else:
        tags = ", ".join(f"{k}={v}" for k, v in sorted(tagged.tags.items())) or "none"
        out.print(f"{found.model}@{found.number} has the tags: {tags}")


@app.command()
def lineage(
    name: Annotated[
        str,
        typer.Argument(metavar="MODEL[@V]", help="A model, or one version: a number, an alias."),
    ],
    *,
    svg: Annotated[Path | None, typer.Option(help="Also draw it into this file.")] = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Show what a version was made of, and which devices run it."""
    remote = find_hub(state_dir, hub, change=False)
    model, at, _ = name.partition("@")
    found = _lineage(remote, model)
    if at:
        wanted = _find(remote, name).key
        found = [descent for descent in found if descent.version == wanted]
    if svg is not None:
        replace(RealDisk(svg.parent), Path(svg.name), lineage_svg(found).encode())
    if json:
        print_json(found)
    else:
        out.print(shown.lineage_tree(model, found))
        if svg is not None:
            out.print(f"drawn into {svg}", soft_wrap=True)


@app.command()
def download(
    version: VersionKey,
    *,
    to: Annotated[
        Path | None, typer.Option("--out", help="The folder; by default MODEL-V.")
    ] = None,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Fetch a version's artifact and signed manifest, checked by their hashes, and its card."""
    remote = find_hub(state_dir, hub, change=False)
    found = _find(remote, version)
    if found.state is VersionState.DELETED:
        raise RemoteError(f"{found.key} is deleted; only its record is left")
    folder = to or Path(f"{found.model}-{found.number}")
    files = {"artifact": ("model.onnx", found.artifact)}
    if found.manifest is not None:
        files["manifest"] = ("manifest.json", found.manifest)
    disk = RealDisk(folder)
    for route, (name, sha256) in files.items():
        data = remote.read(f"/versions/{found.model}/{found.number}/{route}")
        if sha256_hex(data) != sha256:
            raise RemoteError(
                f"what came as the {route} of {found.key} is not {sha256[:12]} and was not kept: "
                "something between here and the hub changes it"
            )
        replace(disk, Path(name), data)
    told = remote.read(f"/versions/{found.model}/{found.number}/{card.FILE}")
    replace(disk, Path(card.FILE), told)
    if json:
        print_json(dict([*files.values(), (card.FILE, sha256_hex(told))]))
    else:
        names = " and ".join(name for name, _ in files.values())
        checked = f"{names} of {found.key} are in {folder}, checked by SHA-256"
        out.print(f"{checked}; {card.FILE} tells what to know about it", soft_wrap=True)


@app.command()
def archive(
    version: VersionKey,
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Put a version aside: it is kept, but cannot be rolled out."""
    remote = find_hub(state_dir, hub, change=True)
    made = remote.post(f"{_at(_find(remote, version))}/archive", {}, Version)
    if json:
        print_json(made)
    else:
        out.print(f"{made.key} is archived.")


@app.command()
def retain(  # noqa: PLR0913  # an option each
    model: Annotated[str, typer.Argument(help="The model's name.")],
    *,
    keep: Annotated[int, typer.Option(min=0, help="How many of the newest versions stay.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; otherwise it is only told.")] = False,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Give up old versions; never what a device runs or may go back to, nor what has an alias.

    Files that nothing in the whole hub refers to go as well, whichever model they were of.
    """
    remote = find_hub(state_dir, hub, change=True)
    asked = {"keep": keep, "delete": yes}
    found = remote.post(f"/models/{model}/retain", asked, Retained)
    if json:
        print_json(found)
    else:
        out.print(shown.retained(found))


@app.command()
def delays(
    version: ShownVersion,
    *,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
    json: Json = False,
) -> None:
    """Tell how many rows a device needs to see a change, for each feature and kind of change."""
    remote = find_hub(state_dir, hub, change=False)
    found = _find_or_last(remote, version)
    told = found.evidence.delays
    if told is None:
        raise RemoteError(f"{found.key} was made before delays were computed: train it again")
    if json:
        print_json(told)
    else:
        out.print(delay_tables.whole_table(told))


def _find(remote: Remote, name: str) -> Version:
    model, _, which = name.partition("@")
    if not which or "/" in name:
        raise RemoteError(f"{name!r}: write MODEL@V, such as rain@3 or rain@champion")
    return remote.get(f"/versions/{model}/{which}", Version)


def _find_or_last(remote: Remote, name: str) -> Version:
    """The version that a name means; of a model without one, that which was made last."""
    return _find(remote, name if "@" in name else _last(remote, name))


def _last(remote: Remote, model: str) -> str:
    """The version of a model that was made last, whatever may be done with it."""
    numbers = [v.number for v in asking.versions(remote) if v.model == model]
    return f"{model}@{numbers[0] if numbers else 'newest'}"


def _lineage(remote: Remote, model: str) -> list[Descent]:
    return remote.listed(f"/models/{model}/lineage", "versions", Descent)


def _at(version: Version) -> str:
    return f"/models/{version.model}/versions/{version.number}"
