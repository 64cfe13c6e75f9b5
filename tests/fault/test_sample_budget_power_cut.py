"""The budget of samples under a power supply that fails at every moment: no cut fills it again."""

import pytest

from fleetloop_agent.serving.sample_purse import SamplePurse
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_shared.durable import Disk
from support.agent_board import StandingClock

BYTES_PER_DAY = 100_000
SAVED = BYTES_PER_DAY // 4
PIECE = 100


def spend(disk: Disk, rounds: int, *, close: bool) -> int:
    """What one start spends until the power fails or it ends."""
    spent = 0
    try:
        purse = SamplePurse(disk, StandingClock())
        budget = purse.budget(BYTES_PER_DAY)
        for _ in range(rounds):
            purse.top_up()
            for _ in range(30):
                spent += PIECE * budget.spend(PIECE)
        if close:
            purse.close()
    except PowerCut:
        pass
    return spent


@pytest.mark.parametrize("close", [False, True])
def test_no_cut_at_any_moment_lets_more_be_spent_than_was_saved(*, close: bool) -> None:
    whole = Flash()
    assert 0 < spend(whole, 6, close=close) <= SAVED
    for moment in range(1, whole.moments.passed + 1):
        flash = Flash(Moments(cut_at=moment))
        first = spend(flash, 6, close=close)
        for image in flash.aftermath().every():
            again = Flash(image=image)
            second = first + spend(again, 6, close=False)
            third = second + spend(Flash(image=again.aftermath().whole()), 40, close=True)
            assert third <= SAVED, f"moment {moment}: {first}, {second}, {third}"
