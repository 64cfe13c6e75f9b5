"""Whatever is done to it, the simulated flash is a disk, and keeps what was synced."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.durable import Disk, RealDisk

PATHS = [Path("a"), Path("b"), Path("f/a"), Path("f/b")]
paths = st.sampled_from(PATHS)
acts = st.one_of(
    st.tuples(
        st.just("write"), paths, st.binary(max_size=5), st.one_of(st.none(), st.integers(0, 6))
    ),
    st.tuples(st.just("sync"), paths),
    st.tuples(st.just("rename"), paths, paths),
    st.tuples(st.just("remove"), paths),
    st.tuples(st.just("sync_folder"), st.sampled_from([Path(), Path("f")])),
)
Acts = list[tuple[str, object]]


def do(disk: Disk, act: tuple[str, object]) -> str:
    verb, *arguments = act
    try:
        getattr(disk, verb)(*arguments)
    except FileNotFoundError:
        return "not there"
    return "done"


def everything(disk: Disk) -> dict[Path, bytes]:
    found = {}
    for path in PATHS:
        with contextlib.suppress(FileNotFoundError):
            found[path] = disk.read(path)
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, max_size=12))
def test_the_flash_does_what_the_operating_system_does(story: Acts) -> None:
    with tempfile.TemporaryDirectory() as folder:
        real, flash = RealDisk(Path(folder)), Flash()
        for act in story:
            assert do(flash, act) == do(real, act)
        assert everything(flash) == everything(real)
        assert flash.names(Path()) == real.names(Path())


@settings(max_examples=100, deadline=None)
@given(st.lists(acts, max_size=8))
def test_when_all_is_synced_nothing_can_be_lost(story: Acts) -> None:
    flash = Flash()
    for act in story:
        do(flash, act)
    for path in everything(flash):
        flash.sync(path)
    for folder in [Path(), Path("f")]:
        do(flash, ("sync_folder", folder))
    assert [image.files for image in flash.aftermath().every()] == [everything(flash)]


@settings(max_examples=100, deadline=None)
@given(st.lists(acts, max_size=6))
def test_what_a_reader_sees_is_always_among_the_outcomes_of_a_cut(story: Acts) -> None:
    flash = Flash()
    for act in story:
        do(flash, act)
    seen = everything(flash)
    assert any(image.files == seen for image in flash.aftermath().some(50, seed=0))


@settings(max_examples=100, deadline=None)
@given(st.lists(acts, max_size=6))
def test_a_flash_that_is_powered_on_again_has_nothing_unsynced(story: Acts) -> None:
    flash = Flash()
    for act in story:
        do(flash, act)
    for image in flash.aftermath().some(20, seed=0):
        again = Flash(image=image)
        assert everything(again) == image.files
        assert [i.files for i in again.aftermath().every()] == [image.files]
