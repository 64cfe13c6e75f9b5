"""The commands for keys and signatures, against a hub that listens."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from fleetloop_hub.storage.audit import FileAudit
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.durable import RealDisk
from support.commands import Run, a_refusal, listening_hub, runner
from support.hubweb import WebHub

A = "models/rain/1.json"
FILE_A = (10, "a" * 64)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as made:
        yield made


@pytest.fixture
def run(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


def people(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pem"))


def hand_over(run: Run, folder: Path) -> list[Path]:
    said = run("keys", "rotate", "image", "--threshold", "2", "--of", "3", "--out", str(folder))
    assert said.code == 0
    assert "It is done" in said.out
    assert "2 of them must sign what `fleetloop keys list` says waits for them" in said.out
    return people(folder)


def now(hub: WebHub) -> float:
    return hub.trust.view(0.0).thresholds[0].expires_at or 0.0


def wait_for(hub: WebHub, path: str = A, *more: str) -> None:
    """Have versions wait for people."""
    hub.trust.list_files(dict.fromkeys((path, *more), FILE_A), now(hub) - 360 * 86_400)


def test_the_list_says_where_each_key_is_and_what_ends_when(hub: WebHub, run: Run) -> None:
    said = run("keys", "list").out
    for key in hub.trust.view(0.0).keys:
        assert f"{key.keyid[:12]}  hub, keys/{key.name}.pem" in said
    assert "Nothing waits for signatures of people." in said
    told = json.loads(run("keys", "list", "--json").out)
    assert [t["threshold"] for t in told["thresholds"]] == [1] * 8


def test_two_people_of_three_sign_on_their_own_machines(
    hub: WebHub, run: Run, tmp_path: Path
) -> None:
    ann, bob, _ = hand_over(run, tmp_path / "people")
    assert hub.trust.root_versions() == (2, 1)
    wait_for(hub)
    assert "image targets version" in run("keys", "list").out
    assert "it has 0 of 2" in run("keys", "list").out
    first = run("keys", "sign", "--key", str(ann), "--yes").out
    assert f"+ {A}, 10 bytes, SHA-256 {'a' * 64}" in first
    assert "has 1 of 2" in first
    assert not hub.trust.lists(A)
    assert "Nothing waits for this key" in run("keys", "sign", "--key", str(ann), "--yes").out
    second = run("keys", "sign", "--key", str(bob), "--yes").out
    assert "has all its signatures, and is published" in second
    assert hub.trust.lists(A)
    deeds = [(e.action, e.subject) for e in hub.audit.entries()]
    assert deeds == [("rotate keys", "image")] + [("sign", "image")] * (len(deeds) - 1)


def test_whoever_does_not_agree_signs_nothing(
    hub: WebHub, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, *_ = hand_over(run, tmp_path / "people")
    wait_for(hub)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("keys", "sign", "--key", str(ann)).code != 0
    assert hub.trust.view(0.0).waiting[0].progress == "0 of 2"


def test_a_hub_that_lies_about_what_is_published_gets_no_signature(
    hub: WebHub, run: Run, tmp_path: Path
) -> None:
    ann, *_ = hand_over(run, tmp_path / "people")
    wait_for(hub)
    pin = tmp_path / "people" / "image.root.json"
    true = pin.read_text()
    pin.write_text(hub.trust.pins((1, 1))[1])
    refused = run("keys", "sign", "--key", str(ann), "--yes")
    assert refused.code != 0
    assert "do not follow from the one beside the key file" in a_refusal(refused)
    assert hub.trust.view(0.0).waiting[0].progress == "0 of 2"
    pin.unlink()
    warned = run("keys", "sign", "--key", str(ann), "--yes")
    assert "cannot be checked, so all of the list is shown" in " ".join(warned.err.split())
    assert true


def test_a_foreign_key_finds_nothing_to_sign_and_a_file_that_is_none_is_named(
    hub: WebHub, run: Run, tmp_path: Path
) -> None:
    hand_over(run, tmp_path / "people")
    wait_for(hub)
    hand = run("keys", "rotate", "director", "--out", str(tmp_path / "others"))
    assert hand.code == 0
    assert hub.trust.root_versions() == (2, 2)
    foreign = people(tmp_path / "others")[0]
    assert "Nothing waits for this key" in run("keys", "sign", "--key", str(foreign), "--yes").out
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(CryptoSigner.generate_ed25519().private_bytes)
    said = a_refusal(run("keys", "sign", "--key", str(stranger), "--yes"))
    assert "is no key of this hub, or a damaged copy" in said
    none = tmp_path / "none.pem"
    assert "none.pem" in a_refusal(run("keys", "sign", "--key", str(none)))
    none.write_text("none")
    assert "is not a private key" in a_refusal(run("keys", "sign", "--key", str(none)))


def test_keys_of_the_hub_are_rotated_and_revoked(hub: WebHub, run: Run) -> None:
    assert "It is done" in run("keys", "rotate", "director").out
    key = hub.trust.view(0.0).keys[0]
    assert f"{key.keyid[:10]} is revoked" in run("keys", "revoke", key.keyid[:10]).out
    assert hub.trust.root_versions() == (2, 2)
    refused = run("keys", "revoke", key.keyid[:10])
    assert "names no key that is in use" in a_refusal(refused)
    assert [e.action for e in hub.audit.entries()] == [
        "rotate keys",
        "revoke a key",
        "revoke a key",
        "revoke a key: refused",
    ]


def test_what_cannot_be_is_refused_before_a_key_is_made(run: Run, tmp_path: Path) -> None:
    out = str(tmp_path / "people")
    for wrong in (("--threshold", "4"), ("--threshold", "0")):
        assert "cannot be asked for" in a_refusal(
            run("keys", "rotate", "image", *wrong, "--out", out)
        )
    both = run("keys", "rotate", "image", "--out", out, "--on-hub")
    assert "write one of them" in a_refusal(both)
    assert not (tmp_path / "people").exists()


def test_keys_can_be_with_people_before_the_first_start(run: Run, tmp_path: Path) -> None:
    state, out = tmp_path / "fresh", tmp_path / "people"
    said = run(
        "keys",
        "init",
        "--threshold",
        "2",
        "--of",
        "3",
        "--out",
        str(out),
        "--state-dir",
        str(state),
    )
    assert said.code == 0
    assert [f"made  {path}" in said.out for path in people(out)] == [True] * 3
    trust = Trust(RealDisk(state))
    assert trust.open(now=1.8e9) == []
    by = {t.role: t.by_people for t in trust.view(1.8e9).thresholds if t.repository == "image"}
    assert by == {"root": True, "targets": True, "snapshot": False, "timestamp": False}
    assert [e.action for e in FileAudit(RealDisk(state)).entries()] == ["make keys"]
    again = run("keys", "init", "--out", str(tmp_path / "more"), "--state-dir", str(state))
    assert "has its keys already" in a_refusal(again)
    assert not (tmp_path / "more").exists()


def test_the_console_shows_what_waits_and_who_must_sign(
    hub: WebHub, run: Run, tmp_path: Path
) -> None:
    hand_over(run, tmp_path / "people")
    client = hub.client()
    assert "waits for signatures" not in client.get("/").text
    wait_for(hub)
    assert "waits for signatures, it has 0 of 2" in client.get("/").text
    page = client.get("/trust").text
    assert "0 of 2" in page
    for key in hub.trust.view(0.0).keys:
        assert key.keyid in page
