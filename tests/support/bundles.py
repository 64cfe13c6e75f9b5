"""What a hub's bundles say, read the way a device reads them."""

from pathlib import Path

from fleetloop_agent.ports import Clock
from fleetloop_agent.trust.trust import Trust
from fleetloop_firmware_sim.flash import Flash
from fleetloop_hub.keys import Keys, Role
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.messages import DesiredState, EnrolAnswer
from support.agent_board import StandingClock

NOW = 1_700_000_000.0


def keys_in(folder: Path, now: float = NOW) -> Keys:
    """Keys of a hub that began then."""
    return Keys(RealDisk(folder), Path("keys"), now)


def device_of(keys: Keys, cohort: str, clock: Clock | None = None) -> Trust:
    """What a device of this hub believes: nothing yet."""
    identity = EnrolAnswer(
        device="station-1",
        cohort=cohort,
        broker="mqtt://h",
        username="station-1",
        password="",
        image_root=keys.root(Role.IMAGE),
        director_root=keys.root(Role.DIRECTOR),
    )
    return Trust(identity, Flash(), clock or StandingClock(0.0))


def desired_in(keys: Keys, cohort: str, payload: bytes) -> DesiredState:
    """The statement that a device of this cohort finds in a bundle.

    Raises:
        RefusedError: It would not believe it.
    """
    desired = device_of(keys, cohort).take_director(payload, lambda _: None)
    assert desired is not None
    return desired
