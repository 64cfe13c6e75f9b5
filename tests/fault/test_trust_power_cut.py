"""Both repositories under a power supply that fails at every moment, and on a disk that is full."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Timestamp

from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_hub.config import DAY_S
from fleetloop_hub.errors import KeyFileError
from fleetloop_hub.trust import keyring, state
from fleetloop_hub.trust.terms import Repository
from fleetloop_hub.trust.trust import Trust
from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.trust import Bundle

NOW = 1_800_000_000.0
A, B = {"models/m/1.json": (1, "a" * 64)}, {"models/m/2.json": (2, "b" * 64)}
_IMAGES_PER_CUT = 6

Seen = tuple[int, list[str], list[str]]
"""What a device may have: the image's version and roots, the director's roots."""

_STEPS: list[Callable[[Trust], object]] = [
    lambda trust: trust.open(NOW),
    lambda trust: trust.list_files(A, NOW),
    lambda trust: trust.rotate(Repository.IMAGE, {}, 1, NOW),
    lambda trust: trust.rotate(Repository.DIRECTOR, {}, 1, NOW),
    lambda trust: trust.list_files(B, NOW + 200 * DAY_S),
    lambda trust: trust.renew_director(NOW + 200 * DAY_S),
]


def _seen(trust: Trust) -> Seen:
    bundle = decode_compressed(trust.image_bundle(), Bundle)
    timestamp = Metadata[Timestamp].from_bytes(bundle.timestamp.encode()).signed
    director = decode_compressed(trust.director_bundle("c", b"{}", 1, NOW), Bundle)
    return timestamp.version, bundle.roots, director.roots


def _run(flash: Flash) -> Seen | None:
    """Do everything until the power fails; returns what devices may have seen by then."""
    seen = None
    try:
        trust = Trust(flash)
        for step in _STEPS:
            step(trust)
            seen = _seen(trust)
    except PowerCut:
        pass
    return seen


def _cuts() -> Iterator[tuple[int, Seen | None, Image]]:
    """Every moment, what was seen before, and what the cut may leave."""
    whole = Flash()
    _run(whole)
    met = set()
    for moment in range(1, whole.moments.passed + 1):
        flash = Flash(Moments(cut_at=moment))
        seen = _run(flash)
        for image in flash.aftermath().some(_IMAGES_PER_CUT, seed=moment):
            names = frozenset((p, len(data), data.count(0)) for p, data in image.files.items())
            case = (names, None if seen is None else seen[0])
            if case not in met:
                met.add(case)
                yield moment, seen, image


def _after(flash: Flash, *, relied_on: bool) -> Seen:
    trust = Trust(flash)
    trust.open(NOW, relied_on=relied_on)
    return _seen(trust)


def _wrong(seen: Seen | None, found: Seen) -> str | None:
    if seen is None:
        return None
    if found[0] < seen[0]:
        return f"version {seen[0]} was published, then it is {found[0]}"
    for before, after in zip(seen[1:], found[1:], strict=True):
        if after[: len(before)] != before:
            return "roots that were published are gone"
    return None


def _violations() -> Iterator[str]:
    for moment, seen, image in _cuts():
        try:
            found = _after(Flash(image=image), relied_on=seen is not None)
        except KeyFileError as error:
            yield f"moment {moment}: {error}"
            continue
        if wrong := _wrong(seen, found):
            yield f"moment {moment}: {wrong}"


def test_after_a_cut_at_any_moment_the_hub_starts_and_nothing_goes_back() -> None:
    assert list(_violations()) == []


def test_a_cut_while_the_hub_starts_again_harms_nothing() -> None:
    cases = {image.key: (seen, image) for _, seen, image in _cuts()}
    for seen, image in list(cases.values())[::40]:
        flash = Flash(image=image)
        _after(flash, relied_on=False)
        for moment in range(1, flash.moments.passed + 1, 3):
            again = Flash(Moments(cut_at=moment), image)
            with pytest.raises(PowerCut):
                _after(again, relied_on=False)
            for left in again.aftermath().some(2, seed=moment):
                found = _after(Flash(image=left), relied_on=seen is not None)
                assert _wrong(seen, found) is None


def test_a_disk_that_fills_up_leaves_what_was_and_the_next_try_goes_on() -> None:
    usual = Flash()
    _run(usual)
    for act in range(usual.room_acts):
        flash = Flash()
        flash.full_at = range(act, act + 1)
        trust, seen, refusals = Trust(flash), None, 0
        for step in _STEPS:
            try:
                step(trust)
            except DiskFullError:
                refusals += 1
                (left,) = flash.aftermath().some(1, seed=act)
                if seen is not None:
                    assert _seen(trust) == seen
                    assert _after(Flash(image=left), relied_on=True) == seen
                step(trust)
            seen = _seen(trust)
        assert refusals == 1
        names = {path.name for path in flash.image().files if path.parent == keyring.FOLDER}
        assert len(names) == 8


def _replace_unsynced(disk: Disk, path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    disk.write(part, data)
    disk.rename(part, path)
    disk.sync_folder(path.parent)


def _replace_in_place(disk: Disk, path: Path, data: bytes) -> None:
    disk.write(path, data)
    disk.sync(path)
    disk.sync_folder(path.parent)


def _forget(disk: Disk, state_: state.State) -> None:
    """Say that it is durable, when it is not."""
    if state_.timestamp and len(state_.roots) > 1:
        return
    _save(disk, state_)


_save = state.save


@pytest.mark.parametrize(
    ("place", "name", "wrong"),
    [
        (state, "replace", _replace_unsynced),
        (state, "replace", _replace_in_place),
        (keyring, "replace", _replace_unsynced),
        (state, "save", _forget),
    ],
    ids=["rename without sync", "write in place", "keys without sync", "published before durable"],
)
def test_a_wrong_protocol_is_caught(
    monkeypatch: pytest.MonkeyPatch, place: object, name: str, wrong: Callable[..., None]
) -> None:
    monkeypatch.setattr(place, name, wrong)
    assert next(_violations(), None) is not None
