"""A disk that is full at any one write, or from any write on: as safe as a power cut."""

from collections.abc import Callable

import pytest

from fleetloop_agent.update.acquire import DEFER_S
from fleetloop_agent.update.states import State
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.reports import EventKind
from support.agent_board import Bench
from support.hubside import Hubside, Shipment
from support.update_rig import Rig

HUB = Hubside()
ONE, TWO, BAD = (HUB.ship(v, padding_bytes=30_000, chunk_bytes=4_000) for v in (1, 2, 3))
ROUNDS = 6


def flash_of(rig: Rig) -> Flash:
    assert isinstance(rig.bench.disk, Flash)
    return rig.bench.disk


def run_through(rig: Rig) -> None:
    """Step through pauses and soaks until nothing is left to do."""
    for _ in range(ROUNDS):
        rig.run()
        rig.bench.serving.rows = 100
        rig.bench.clock.at += DEFER_S


def ready() -> Rig:
    rig = Rig(Bench(Flash()), HUB)
    rig.commit(ONE, 1)
    rig.bench.serving.unloadable = {BAD.manifest.version}
    return rig


def acts_of(shipment: Shipment) -> int:
    """How often an update of this kind asks the disk for room."""
    rig = ready()
    before = flash_of(rig).room_acts
    rig.publish(shipment, 2)
    run_through(rig)
    return flash_of(rig).room_acts - before


@pytest.mark.parametrize("shipment", [TWO, BAD], ids=["good", "bad"])
@pytest.mark.parametrize("length", [1, 4])
def test_no_room_for_some_writes_only_delays_the_update(shipment: Shipment, length: int) -> None:
    acts = acts_of(shipment)
    assert acts > 20
    for first in range(acts):
        rig = ready()
        start = flash_of(rig).room_acts + first
        flash_of(rig).full_at = range(start, start + length)
        rig.publish(shipment, 2)
        run_through(rig)
        settled(rig, shipment)
        said = rig.events[3:]
        assert len(set(said)) == len(said), "each thing is said once"


def settled(rig: Rig, shipment: Shipment) -> None:
    assert rig.state is State.SERVING, rig.error
    if shipment is TWO:
        assert rig.bench.serving.version == 2
        assert rig.events.count(EventKind.COMMITTED) >= 2
    else:
        assert rig.bench.serving.version == 1
        assert [slot.version for slot in rig.journal.quarantine] == [3]


@pytest.mark.parametrize("shipment", [TWO, BAD], ids=["good", "bad"])
def test_full_from_any_write_on_it_keeps_serving_and_a_restart_still_serves(
    shipment: Shipment,
) -> None:
    for first in range(acts_of(shipment)):
        rig = ready()
        start = flash_of(rig).room_acts + first
        flash_of(rig).full_at = range(start, start + 10_000)
        rig.publish(shipment, 2)
        run_through(rig)
        assert rig.bench.serving.manifest is not None
        rig.restart()
        rig.run()
        assert rig.bench.serving.version in {1, 2}
        assert rig.error is None or "no room" in rig.error
        flash_of(rig).full_at = range(0)
        run_through(rig)
        settled(rig, shipment)


def full_once(at: int) -> Callable[[], None]:
    calls = iter(range(1_000))

    def before_append() -> None:
        if next(calls) == at:
            raise DiskFullError("no room to keep a report")

    return before_append


def test_an_outbox_that_is_full_at_any_report_only_delays_the_update() -> None:
    for first in range(4):
        rig = ready()
        rig.bench.outbox.before_append = full_once(first)
        rig.publish(TWO, 2)
        run_through(rig)
        settled(rig, TWO)
