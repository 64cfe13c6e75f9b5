"""Keys and signatures: keys list, init, rotate, revoke, sign."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetloop_hub.audit_records import Deed
from fleetloop_hub.cli.options import (
    DEFAULT_DIR,
    HubUrl,
    Json,
    StateDir,
    err,
    out,
    person,
    print_json,
)
from fleetloop_hub.errors import SigningError
from fleetloop_hub.remote import Remote, find_hub
from fleetloop_hub.tables import keys as tables
from fleetloop_hub.trust.shown import TrustView, Waiting
from fleetloop_hub.trust.terms import Repository
from fleetloop_shared.durable import RealDisk

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

app = typer.Typer(no_args_is_help=True, help="Keys: who may say what exists, and what to run.")

Threshold = Annotated[int, typer.Option("--threshold", help="How many people must sign.")]
Out = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="New folder for the private keys of people.")
]


@app.command("list")
def list_keys(*, state_dir: StateDir = DEFAULT_DIR, hub: HubUrl = None, json: Json = False) -> None:
    """List keys, where they are, how many must sign, what expires when, and what waits."""
    view = _view(find_hub(state_dir, hub, change=False))
    if json:
        print_json(view)
        return
    out.print(tables.keys_table(view.keys))
    out.print()
    out.print(tables.thresholds_table(view.thresholds))
    out.print()
    for notice in view.notices:
        out.print(f"! {notice}", style="yellow", soft_wrap=True)
    if not view.notices:
        out.print("Nothing waits for signatures of people.")


@app.command()
def init(
    folder: Out,
    threshold: Threshold = 2,
    of: Annotated[int, typer.Option("--of", help="How many keys there are.")] = 3,
    state_dir: StateDir = DEFAULT_DIR,
) -> None:
    """Before a hub's first start: let people's keys say what exists, not the hub's."""
    from fleetloop_hub.storage.audit import FileAudit  # noqa: PLC0415  # beside the cryptography
    from fleetloop_hub.trust.first import begin  # noqa: PLC0415  # loads the cryptography

    made = begin(state_dir, folder, threshold, of)
    details = {"threshold": f"{threshold} of {of}"}
    deed = Deed(by=person(), action="make keys", subject="image and director", details=details)
    FileAudit(RealDisk(state_dir)).record(deed, time.time())
    for path in made:
        out.print(f"made  {path}", soft_wrap=True)
    _tell_what_next(folder, threshold)
    where = "" if state_dir == DEFAULT_DIR else f" --state-dir {state_dir}"
    out.print(f"Now start the hub: fleetloop serve{where}", soft_wrap=True)


@app.command()
def rotate(  # noqa: PLR0913  # each is an argument or option of the command
    repository: Annotated[Repository, typer.Argument(help="image or director.")],
    *,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="New folder for keys of people, who sign from now on.",
        ),
    ] = None,
    threshold: Threshold = 2,
    of: Annotated[int, typer.Option("--of", help="How many keys people get.")] = 3,
    on_hub: Annotated[
        bool, typer.Option("--on-hub", help="Have all keys on the hub, and none with people.")
    ] = False,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Give a repository new keys; devices follow, without a visit."""
    if folder is not None and on_hub:
        raise SigningError("--out gives people keys, --on-hub takes them away: write one of them")
    remote = find_hub(state_dir, hub, change=True)
    if folder is None:
        ask = {"repository": repository, "on_hub": on_hub}
        _say_what_waits(remote.post("/keys/rotations", ask, TrustView), repository)
        return
    from fleetloop_hub.trust import offline  # noqa: PLC0415  # loads the cryptography

    offline.check_threshold(threshold, of)
    made = offline.make_keys(repository, of, folder)
    ask = {
        "repository": repository,
        "people": offline.public_halves(made),
        "threshold": threshold,
    }
    view = remote.post("/keys/rotations", ask, TrustView)
    for waiting in view.waiting:
        if waiting.repository is repository:
            offline.pin(folder, repository, waiting.roots[-1])
    for signer in made.values():  # whoever makes keys has them all in hand, this once
        view = _sign_all(remote, view, signer)
    _say_what_waits(view, repository)
    _tell_what_next(folder, threshold)


@app.command()
def revoke(
    keyid: Annotated[str, typer.Argument(metavar="KEYID", help="Its id; 8 digits are enough.")],
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Take a key out that may be in wrong hands; a key of the hub's gets a successor."""
    remote = find_hub(state_dir, hub, change=True)
    view = remote.post("/keys/revocations", {"keyid": keyid.lower()}, TrustView)
    if any(w.missing for w in view.waiting):
        out.print(
            f"{keyid} is revoked here: the hub takes no more signatures of it. Devices trust it "
            "until the root that leaves it out has its signatures:",
            soft_wrap=True,
        )
    else:
        out.print(f"{keyid} is revoked: what it signs from now on is not taken.")
    _say_what_waits(view, None)


@app.command()
def sign(
    *,
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Your private key.")],
    yes: Annotated[bool, typer.Option("--yes", help="Sign without being asked.")] = False,
    state_dir: StateDir = DEFAULT_DIR,
    hub: HubUrl = None,
) -> None:
    """Sign what waits for you, on this machine; only the signature goes to the hub."""
    from fleetloop_hub.trust import offline  # noqa: PLC0415  # loads the cryptography

    signer = offline.read_key_file(key)
    remote = find_hub(state_dir, hub, change=True)
    view = _view(remote)
    mine = [w for w in view.waiting if signer.public_key.keyid in w.missing_ids]
    if not mine:
        if all(signer.public_key.keyid != known.keyid for known in view.keys):
            raise SigningError(
                f"{key} is no key of this hub, or a damaged copy: nothing was signed; compare "
                f"its id {signer.public_key.keyid[:8]} with `fleetloop keys list`"
            )
        out.print("Nothing waits for this key (any more): fleetloop keys list")
        return
    for waiting in mine:
        _show(waiting, key)
        if not yes:
            typer.confirm("Sign this?", abort=True)
        body = offline.sign(waiting, signer)
        after = remote.post("/keys/signatures", body, TrustView)
        out.print(_progress(waiting, after), soft_wrap=True)


def _show(waiting: Waiting, key: Path) -> None:
    from fleetloop_hub.trust import offline  # noqa: PLC0415  # loads the cryptography

    pinned = offline.pinned(key, waiting.repository)
    if pinned:
        offline.check(waiting, pinned)
    else:
        err.print(
            f"! no {waiting.repository}.root.json lies beside {key.name}: what is published "
            "already cannot be checked, so all of the list is shown",
            style="yellow",
            soft_wrap=True,
        )
    for line in offline.describe(waiting, checked=bool(pinned)):
        out.print(line, soft_wrap=True, highlight=False)


def _sign_all(remote: Remote, view: TrustView, signer: "CryptoSigner") -> TrustView:
    """Sign all that a key made just now can sign."""
    from fleetloop_hub.trust import offline  # noqa: PLC0415  # loads the cryptography

    for waiting in view.waiting:
        if signer.public_key.keyid in waiting.missing_ids:
            view = remote.post("/keys/signatures", offline.sign(waiting, signer), TrustView)
    return view


def _progress(signed: Waiting, after: TrustView) -> str:
    name = f"{signed.repository} {signed.role} version {signed.version}"
    for waiting in after.waiting:
        same = (waiting.repository, waiting.role, waiting.version)
        if same == (signed.repository, signed.role, signed.version):
            return f"signed: {name} has {waiting.progress}"
    return f"signed: {name} has all its signatures, and is published"


def _say_what_waits(view: TrustView, repository: Repository | None) -> None:
    waiting = [w for w in view.waiting if repository in {None, w.repository}]
    for one in waiting:
        if not one.missing:  # it is signed, and comes with the root that waits
            continue
        who = ", ".join(one.missing)
        out.print(
            f"{one.repository} {one.role} version {one.version} has {one.progress}; it waits for: "
            f"fleetloop keys sign --key FILE ({who})",
            soft_wrap=True,
        )
    if not waiting:
        out.print("It is done: devices take the new root with what they hear next.")


def _tell_what_next(folder: Path, threshold: int) -> None:
    out.print(
        f"Give each of these files to another person, with a copy of the .root.json beside it, and "
        f"delete {folder} here: {threshold} of them must sign what `fleetloop keys list` says "
        "waits for them. No copy of them is on the hub.",
        soft_wrap=True,
    )


def _view(remote: Remote) -> TrustView:
    return remote.get("/keys", TrustView)
