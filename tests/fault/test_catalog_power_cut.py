"""The catalog under a power supply that fails at every moment, and on a disk that is full."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_hub.errors import CatalogError
from fleetloop_hub.fleet_records import Cohort
from fleetloop_hub.records import Alias, Model, Record
from fleetloop_hub.storage import catalog as catalog_module
from fleetloop_hub.storage import catalog_files
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.storage.tinydb_storage import DocumentTable
from fleetloop_shared.durable import Disk
from fleetloop_shared.errors import DiskFullError

State = tuple[int, int, int]
"""The numbers in the alias, the cohort and the model; 0 for none."""

_STEPS: list[tuple[State, list[Record]]] = [
    ((0, 0, 0), []),
    ((1, 1, 0), [Alias(key="a", version=1), Cohort(key="c", sequence=1)]),
    ((1, 1, 1), [Model(key="m", spec="x" * 80, floor=1, added_at=0)]),
    ((2, 2, 1), [Alias(key="a", version=2), Cohort(key="c", sequence=2)]),
    ((2, 2, 2), [Model(key="m", spec="x", floor=2, added_at=0)]),
    ((3, 3, 2), [Alias(key="a", version=3), Cohort(key="c", sequence=3)]),
    ((4, 3, 2), [Alias(key="a", version=4)]),  # a journal applied too late would undo it
]
"""What is put, one step after the other, and what holds then."""

_STATES = [state for state, _ in _STEPS]
_IMAGES_PER_CUT = 24


def _write(catalog: TinyDbCatalog, step: int) -> None:
    catalog.put(*_STEPS[step][1])


def _state(catalog: TinyDbCatalog) -> State:
    alias, cohort = catalog.find(Alias, "a"), catalog.find(Cohort, "c")
    model = catalog.find(Model, "m")
    return (
        0 if alias is None else alias.version,
        0 if cohort is None else cohort.sequence,
        0 if model is None else model.floor,
    )


def _open(folder: Path, disk: Disk) -> State:
    catalog = TinyDbCatalog(folder, disk)
    try:
        return _state(catalog)
    finally:
        catalog.close()


def _run(folder: Path, flash: Flash) -> int:
    """Write until the power fails; returns how many writes were acknowledged."""
    kept = 0
    catalog = None
    try:
        catalog = TinyDbCatalog(folder, flash)
        for step in range(1, len(_STATES)):
            _write(catalog, step)
            kept = step
    except PowerCut:
        pass
    finally:
        if catalog is not None:
            catalog.close()
    return kept


def _cuts(folder: Path) -> Iterator[tuple[int, int, Image]]:
    """Every moment, how many writes were acknowledged before, and what the cut may leave."""
    whole = Flash()
    assert _run(folder, whole) == len(_STATES) - 1
    for moment in range(1, whole.moments.passed + 1):
        flash = Flash(Moments(cut_at=moment))
        kept = _run(folder, flash)
        for image in flash.aftermath().some(_IMAGES_PER_CUT, seed=moment):
            yield moment, kept, image


def _violations(folder: Path) -> Iterator[str]:
    for moment, kept, image in _cuts(folder):
        try:
            state = _open(folder, Flash(image=image))
        except CatalogError as error:
            yield f"moment {moment}: {error}"
            continue
        if state not in _STATES[kept : kept + 2]:
            yield f"moment {moment}: {kept} writes acknowledged, then {state}"


def test_after_a_cut_at_any_moment_every_acknowledged_write_is_whole(tmp_path: Path) -> None:
    assert list(_violations(tmp_path)) == []


def test_a_cut_during_recovery_changes_nothing_of_it(tmp_path: Path) -> None:
    journals = {
        image.key: (kept, image)
        for _, kept, image in _cuts(tmp_path)
        if tmp_path / ".journal" in image.files
    }
    assert journals
    for kept, image in list(journals.values())[::4]:
        flash = Flash(image=image)
        state = _open(tmp_path, flash)
        assert state in _STATES[kept : kept + 2]
        for moment in range(1, flash.moments.passed + 1):
            again = Flash(Moments(cut_at=moment), image)
            with pytest.raises(PowerCut):
                _open(tmp_path, again)
            for left in again.aftermath().some(2, seed=moment):
                assert _open(tmp_path, Flash(image=left)) == state


@pytest.mark.parametrize("restart", [False, True])
def test_a_disk_that_fills_up_leaves_the_old_state_on_disk_and_in_memory(
    tmp_path: Path, *, restart: bool
) -> None:
    usual = Flash()
    _run(tmp_path, usual)
    refusals = 0
    for act in range(usual.room_acts):
        flash = Flash()
        flash.full_at = range(act, act + 3)
        catalog = TinyDbCatalog(tmp_path, flash)
        for step in range(1, len(_STATES)):
            while _state(catalog) == _STATES[step - 1]:
                try:
                    _write(catalog, step)
                except DiskFullError:
                    refusals += 1
                    assert _state(catalog) == _STATES[step - 1]
                if restart:
                    before = _state(catalog)
                    catalog.close()
                    assert [_open(tmp_path, Flash(image=i)) for i in _left(flash)] == [before]
                    catalog = TinyDbCatalog(tmp_path, flash)
            assert _state(catalog) == _STATES[step]
        catalog.close()
        assert {_open(tmp_path, Flash(image=i)) for i in _left(flash)} == {_STATES[-1]}
    assert refusals > usual.room_acts


def _left(flash: Flash) -> list[Image]:
    return flash.aftermath().some(1, seed=1)


def _replace_unsynced(disk: Disk, path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    disk.write(part, data)
    disk.rename(part, path)
    disk.sync_folder(path.parent)


def _replace_in_place(disk: Disk, path: Path, data: bytes) -> None:
    disk.write(path, data)
    disk.sync(path)
    disk.sync_folder(path.parent)


def _no_journal(disk: Disk, path: Path, kinds: Mapping[str, object]) -> None:
    pass


def _forget_to_flush(table: DocumentTable) -> None:
    pass


@pytest.mark.parametrize(
    ("place", "name", "wrong"),
    [
        (catalog_files, "replace", _replace_unsynced),
        (catalog_files, "replace", _replace_in_place),
        (catalog_module, "write_journal", _no_journal),
        (DocumentTable, "flush", _forget_to_flush),
    ],
    ids=["rename without sync", "write in place", "no journal", "journal removed too early"],
)
def test_a_wrong_protocol_is_caught(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    name: str,
    wrong: Callable[..., None],
) -> None:
    monkeypatch.setattr(place, name, wrong)
    assert next(_violations(tmp_path), None) is not None
